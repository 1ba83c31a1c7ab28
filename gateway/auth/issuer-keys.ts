import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';

import type { Clock } from '#platform/clock.ts';
import { MortarError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';

const discoveryDocument = z.object({
  issuer: z.string(),
  jwks_uri: z.url({ protocol: /^https?$/ }),
  token_endpoint: z.url({ protocol: /^https?$/ }).optional(),
});
export type DiscoveryDocument = z.infer<typeof discoveryDocument>;

const TIMEOUT_MS = 3_000;
/** After this keys are read again behind the caller's back; until that succeeds the old ones serve. */
const REFRESH_AFTER_MS = 600_000;
/** At most one read of the keys in this time, however many unknown key ids callers invent. */
const COOLDOWN_MS = 10_000;

const WELL_KNOWN = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'] as const;

/**
 * The issuer's own description of itself.
 * @throws {MortarError} OVERLOADED when it cannot be read; CONFIGURATION_INVALID when it names another issuer
 */
export async function discoverIssuer(issuerUrl: string): Promise<DiscoveryDocument> {
  const base = issuerUrl.replace(/\/$/, '');
  for (const path of WELL_KNOWN) {
    const found = await readDocument(`${base}${path}`);
    if (found === null) continue;
    if (found.issuer.replace(/\/$/, '') === base) return found;
    throw new MortarError('CONFIGURATION_INVALID', {
      message: `issuer.url is ${issuerUrl}, but its discovery document names ${found.issuer}`,
    });
  }
  throw new MortarError('OVERLOADED', { message: 'The issuer of tokens cannot be reached; try again.' });
}

async function readDocument(url: string): Promise<DiscoveryDocument | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
    const parsed = discoveryDocument.safeParse(response.ok ? await response.json() : null);
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Finds the issuer's key for a token. */
export interface IssuerKeys {
  /** @throws {MortarError} OVERLOADED when no key was ever read and the issuer is away */
  readonly getKey: JWTVerifyGetKey;
}

/**
 * Keys found through the issuer's discovery document. One discovery serves all callers; a failed one is tried again by the
 * next caller. Keys once read keep serving while the issuer is away.
 */
export function createIssuerKeys(issuerUrl: string, { clock, logger }: { clock: Clock; logger: Logger }): IssuerKeys {
  let keySet: Promise<ReturnType<typeof createRemoteJWKSet>> | null = null;
  let refreshAtMs = 0;

  const connect = async () => {
    const { jwks_uri: url } = await discoverIssuer(issuerUrl);
    refreshAtMs = clock.nowMs() + REFRESH_AFTER_MS;
    return createRemoteJWKSet(new URL(url), {
      timeoutDuration: TIMEOUT_MS,
      cooldownDuration: COOLDOWN_MS,
      // Never stale for jose: it would refuse tokens while the issuer is away. We refresh in the background instead.
      cacheMaxAge: Number.POSITIVE_INFINITY,
    });
  };

  const refresh = (keys: ReturnType<typeof createRemoteJWKSet>): void => {
    if (clock.nowMs() < refreshAtMs) return;
    refreshAtMs = clock.nowMs() + REFRESH_AFTER_MS;
    keys.reload().catch((error: unknown) => logger.warn({ err: error }, 'the issuer keys could not be refreshed'));
  };

  const getKey: JWTVerifyGetKey = async (header, token) => {
    keySet ??= connect();
    const pending = keySet;
    try {
      const keys = await pending;
      refresh(keys);
      return await keys(header, token);
    } catch (error) {
      if (keySet === pending && error instanceof MortarError) keySet = null;
      if (error instanceof MortarError || error instanceof errors.JWKSNoMatchingKey) throw error;
      if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout)) throw error;
      logger.warn({ err: error }, 'the issuer keys could not be read');
      throw new MortarError('OVERLOADED', {
        message: 'The issuer of tokens cannot be reached; try again.',
        cause: error,
      });
    }
  };
  return { getKey };
}
