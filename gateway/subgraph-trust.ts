import type { Config, SubgraphConfig } from './config-schema.ts';
import { createIssuerKeys } from '#gateway/auth/issuer-keys.ts';
import { createTokenVerifier } from '#gateway/auth/verify-token.ts';
import type { SubgraphTrust } from '#gateway/http/subgraph-caller.ts';
import type { Clock } from '#platform/clock.ts';
import { loadVerificationKeys } from '#platform/context-keys.ts';
import { createContextVerifier } from '#platform/context-token.ts';
import { MortarError } from '#platform/errors.ts';
import { ASYMMETRIC_KEYS } from '#platform/keys.ts';
import type { Logger } from '#platform/log.ts';

const KEY = ASYMMETRIC_KEYS.contextVerification.variable;

/**
 * Whom the subgraph of this process believes about a caller, by its entry in the configuration; without one, our gateway.
 * With `token` our gateway is believed too where its key is known: a deployment can change its router without a gap.
 * @throws {MortarError} CONFIGURATION_INVALID when the key of the gateway is missing, or nobody would be believed
 */
export function loadSubgraphTrust(
  config: Config,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): { readonly trust: SubgraphTrust; /** In words. */ readonly trusts: string } {
  const believed = trustOf(config);
  const keys = loadVerificationKeys({ variables: config.keyVariables, clock, logger });
  const context = keys === null ? undefined : createContextVerifier({ keys, clock });
  if (believed === 'token') {
    const issuerKeys = createIssuerKeys(config.issuer.url, { clock, logger });
    const token = createTokenVerifier({ issuer: config.issuer, keys: issuerKeys, clock });
    return { trust: { context, token }, trusts: context === undefined ? 'tokens' : 'tokens, and the gateway' };
  }
  if (context !== undefined) return { trust: { context }, trusts: 'the gateway alone' };
  throw new MortarError('CONFIGURATION_INVALID', {
    message: `this subgraph cannot know its gateway: set ${KEY} (or ${KEY}_FILE) to the public key of the gateway's ${ASYMMETRIC_KEYS.contextSigning.variable}; make the pair with: openssl genpkey -algorithm ed25519 -out private.pem && openssl pkey -in private.pem -pubout -out public.pem`,
  });
}

function trustOf({ role, subgraphs }: Config): Exclude<SubgraphConfig['trust'], 'none'> {
  const name = role.kind === 'subgraph' ? role.name : '';
  const trust = subgraphs.find((entry) => entry.name === name)?.trust ?? 'context';
  if (trust !== 'none') return trust;
  throw new MortarError('CONFIGURATION_INVALID', {
    message: `subgraphs: ${name} is one of ours and serves nobody it is told nothing of: its trust is context or token`,
  });
}
