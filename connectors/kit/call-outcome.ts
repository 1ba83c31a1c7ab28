import type { MortarError } from '#platform/errors.ts';

import type { Sign } from './breaker.ts';
import { upstreamError } from './failure.ts';
import type { WireResponse } from './wire.ts';

/** How one attempt of a call ended. */
export type Outcome =
  | { readonly kind: 'answer'; readonly response: WireResponse }
  | { readonly kind: 'token-refused' }
  /** Not sent: the account was paused while the call stood in line. */
  | { readonly kind: 'paused' }
  /** `sent` false: the system had no chance to answer. */
  | { readonly kind: 'failure'; readonly error: MortarError; readonly again: boolean; readonly sent: boolean };

export function failure(error: MortarError, again: boolean): Outcome {
  return { kind: 'failure', error, again, sent: true };
}

export function notSent(error: MortarError): Outcome {
  return { kind: 'failure', error, again: false, sent: false };
}

/** A system that asks us to slow down, or that refuses one request, is alive. */
export function signOf(outcome: Outcome): Sign {
  if (outcome.kind !== 'failure') return 'alive';
  if (!outcome.sent) return 'none';
  return outcome.error.code === 'UPSTREAM_RATE_LIMITED' || outcome.error.facts['answered'] === true
    ? 'alive'
    : 'failing';
}

/** An answer we cannot read or refused credentials will be no better the second time. */
export function isWorthAnother(error: MortarError): boolean {
  return error.code !== 'UPSTREAM_CONTRACT' && error.facts['refused'] !== true;
}

export function connectionError(thrown: unknown): MortarError {
  if (isUpstream(thrown)) return thrown;
  return upstreamError('UPSTREAM_UNAVAILABLE', { cause: thrown, message: 'The connection failed.' });
}

function isUpstream(thrown: unknown): thrown is MortarError {
  return thrown instanceof Error && thrown.name === 'MortarError';
}
