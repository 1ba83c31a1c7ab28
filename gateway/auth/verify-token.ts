import { errors, jwtVerify } from 'jose';

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
  return async (authorization) => {
    if (authorization === undefined) return null;
    const token = /^bearer +([\w~+/.=-]+)$/i.exec(authorization)?.[1];
    if (token === undefined || token.length > MAX_TOKEN_LENGTH) {
      throw new MortarError('UNAUTHENTICATED', { message: 'The Authorization header holds no bearer token.' });
    }
    try {
      const { payload } = await jwtVerify(token, keys.getKey, {
        issuer: [issuer.url, issuer.url.replace(/\/$/, '')],
        audience: issuer.audience,
        typ: 'at+jwt',
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(clock.nowMs()),
        requiredClaims: ['exp', 'client_id'],
      });
      return toPrincipal(payload, issuer.claims);
    } catch (error) {
      if (error instanceof MortarError) throw error;
      throw new MortarError('UNAUTHENTICATED', { message: explain(error), cause: error });
    }
  };
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
