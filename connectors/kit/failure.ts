import { MortarError } from '#platform/errors.ts';
import type { MortarErrorOptions } from '#platform/errors.ts';

export type UpstreamCode = 'UPSTREAM_TIMEOUT' | 'UPSTREAM_UNAVAILABLE' | 'UPSTREAM_RATE_LIMITED' | 'UPSTREAM_CONTRACT';

/** The only error a connector gives; the message never carries values, secrets or an upstream body. */
export function upstreamError(code: UpstreamCode, options: MortarErrorOptions = {}): MortarError {
  return new MortarError(code, options);
}

/** Any thrown value as a {@link MortarError} that names the system; unknown errors become UPSTREAM_CONTRACT. */
export function toUpstreamError(thrown: unknown, system: string, operation: string): MortarError {
  if (thrown instanceof MortarError) {
    if (thrown.system !== undefined) return thrown;
    return new MortarError(thrown.code, { message: thrown.message, cause: thrown.cause, system, facts: thrown.facts });
  }
  return upstreamError('UPSTREAM_CONTRACT', { system, cause: thrown, message: `${operation} could not be read.` });
}
