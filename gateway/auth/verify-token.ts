import { createHash } from 'node:crypto';
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';

import type { IssuerKeys } from './issuer-keys.ts';
import { toPrincipal } from './principal.ts';
import type { IssuerConfig } from '#gateway/config-schema.ts';
import type { Clock } from '#platform/clock.ts';
import { MortarError } from '#platform/errors.ts';
import type { Principal } from '#schema/model/request.ts';

// Asymmetric only: with HS256 the issuer's public key would be a signing secret.
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const CLOCK_TOLERANCE_SECONDS = 5;
/** A token of some hundred claims is far below this; longer ones are not worth a signature check. */
const MAX_TOKEN_LENGTH = 16_384;
/** A signature check costs 0.2 ms, more than the rest of a small request's entry. */
const REMEMBERED_TOKENS = 1_000;
const REMEMBER_MS = 30_000;

export interface VerifierDeps {
  readonly issuer: IssuerConfig;
  readonly keys: IssuerKeys;
  readonly clock: Clock;
}

/** Turns the Authorization header into a principal; null: the header is absent. */
export type VerifyToken = (authorization: string | undefined) => Promise<Principal | null>;

/**
 * Checks access tokens by RFC 9068: type `at+jwt`, issuer, audience, expiry (5 s tolerance), asymmetric signature.
 * The returned function throws {MortarError} UNAUTHENTICATED (message says why) or OVERLOADED (keys cannot be read).
 */
export function createTokenVerifier({ issuer, keys, clock }: VerifierDeps): VerifyToken {
  const verified = new LRUCache<string, Verified>({ max: REMEMBERED_TOKENS });

  const verify = async (token: string): Promise<Verified> => {
    const { payload } = await jwtVerify(token, keys.getKey, {
      issuer: [issuer.url, issuer.url.replace(/\/$/, '')],
      audience: issuer.audience,
      typ: 'at+jwt',
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(clock.nowMs()),
      requiredClaims: ['exp', 'client_id'],
    });
    return { principal: toPrincipal(payload, issuer.claims), untilMs: rememberUntilMs(payload, clock.nowMs()) };
  };

  return async (authorization) => {
    if (authorization === undefined) return null;
    const token = bearerToken(authorization);
    if (token === undefined || token.length > MAX_TOKEN_LENGTH) {
      throw new MortarError('UNAUTHENTICATED', { message: 'The Authorization header holds no bearer token.' });
    }
    // The whole token is the key, signature included; only its hash stays in memory.
    const key = createHash('sha256').update(token).digest('base64');
    const known = verified.get(key);
    if (known !== undefined && clock.nowMs() < known.untilMs) return known.principal;
    try {
      const fresh = await verify(token);
      verified.set(key, fresh);
      return fresh.principal;
    } catch (error) {
      if (error instanceof MortarError) throw error;
      throw new MortarError('UNAUTHENTICATED', { message: explain(error), cause: error });
    }
  };
}

/** When a verified token is accepted no longer, in epoch milliseconds; Infinity: its end cannot be read. */
export function tokenEndsAtMs(authorization: string | undefined): number {
  const token = bearerToken(authorization);
  if (token === undefined) return Infinity;
  try {
    // Its signature was checked before.
    const { exp = Infinity } = decodeJwt(token);
    return (exp + CLOCK_TOLERANCE_SECONDS) * 1000;
  } catch {
    return Infinity;
  }
}

function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +([\w~+/.=-]+)$/i.exec(authorization ?? '')?.[1];
}

interface Verified {
  readonly principal: Principal;
  readonly untilMs: number;
}

/** Never past the token's own end; for half a minute at most, so that a key the issuer withdrew stops serving soon. */
function rememberUntilMs({ exp }: JWTPayload, nowMs: number): number {
  return Math.min(nowMs + REMEMBER_MS, (exp ?? 0) * 1000);
}

/** For the caller: which check failed, never what the token says. */
function explain(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired.';
  if (error instanceof errors.JWTClaimValidationFailed)
    return `The token is not for this graph: check of "${error.claim}" failed.`;
  if (error instanceof errors.JOSEAlgNotAllowed) return 'The token is signed with an algorithm that is not accepted.';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'The signature of the token does not match.';
  if (error instanceof errors.JWKSNoMatchingKey) return 'The token is signed with a key the issuer does not publish.';
  return 'The token is not a valid access token.';
}
