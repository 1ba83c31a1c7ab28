import { z } from 'zod';

import { type DevelopmentTokenRequest, requestDevelopmentToken } from '#gateway/auth/development-grant.ts';
import { MortarError } from '#platform/errors.ts';

const metadata = z.object({ authorization_servers: z.array(z.url({ protocol: /^https?$/ })).min(1) });
const TIMEOUT_MS = 5_000;

export interface TokenOptions extends DevelopmentTokenRequest {
  /** The gateway; it names its issuer. */
  readonly url: string;
}

/**
 * An access token of a development client.
 * @throws {MortarError} BAD_USER_INPUT or OVERLOADED, with a message for the person at the terminal
 */
export async function runToken({ url, ...request }: TokenOptions): Promise<string> {
  return requestDevelopmentToken(await findIssuer(url), request);
}

async function findIssuer(gatewayUrl: string): Promise<string> {
  const base = URL.parse(gatewayUrl);
  if (base === null) throw new MortarError('BAD_USER_INPUT', { message: `--url ${gatewayUrl} is not a URL` });
  try {
    const response = await fetch(new URL('/.well-known/oauth-protected-resource', base), {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const issuer = metadata.parse(await response.json()).authorization_servers[0];
    if (issuer !== undefined) return issuer;
  } catch (error) {
    throw new MortarError('OVERLOADED', {
      message: `no gateway answers at ${base.origin}; start one with npm start, or name another with --url`,
      cause: error,
    });
  }
  throw new MortarError('OVERLOADED', { message: `the gateway at ${base.origin} names no issuer` });
}
