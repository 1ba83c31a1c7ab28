import type { IncomingHttpHeaders } from 'node:http';

import { resolveMedium, resolvePurpose } from '#gateway/auth/purpose.ts';
import type { VerifyToken } from '#gateway/auth/verify-token.ts';
import { CONTEXT_HEADER, type VerifyContext } from '#platform/context-token.ts';
import { MortarError } from '#platform/errors.ts';
import type { RequestContext } from '#schema/model/request.ts';

/** Whom a subgraph believes about the caller: our gateway's signature, the issuer's token, or either. */
export interface SubgraphTrust {
  readonly context?: VerifyContext | undefined;
  /** For other routers: the end user's bearer token with `mortar-purpose` and `mortar-medium`. */
  readonly token?: VerifyToken | undefined;
}

/** Who asks, and who says so. */
export interface SubgraphCaller {
  readonly from: 'gateway' | 'token';
  readonly facts: Omit<RequestContext, 'deadlineAtMs' | 'signal'>;
  /** Milliseconds the gateway gives; null: it was not the gateway. */
  readonly timeLeftMs: number | null;
  /** Of the gateway's signature; null: it was not the gateway. */
  readonly contextId: string | null;
}

export interface SubgraphCredentials {
  readonly subgraph: string;
  readonly requestId: string;
  readonly headers: IncomingHttpHeaders;
  /** The exact body. */
  readonly body: string;
}

/**
 * The caller as its credentials prove it; null: there are none this subgraph looks at.
 * @throws {MortarError} UNAUTHENTICATED, PURPOSE_NOT_ALLOWED, BAD_USER_INPUT; OVERLOADED when the issuer is away
 */
export async function readSubgraphCaller(
  trust: SubgraphTrust,
  { subgraph, requestId, headers, body }: SubgraphCredentials,
): Promise<SubgraphCaller | null> {
  const signed = headers[CONTEXT_HEADER];
  if (trust.context !== undefined && signed !== undefined) {
    const { timeLeftMs, contextId, ...facts } = await trust.context(textOf(signed), { subgraph, body });
    return { from: 'gateway', facts, timeLeftMs, contextId };
  }
  if (trust.token === undefined) {
    if (headers.authorization === undefined) return null;
    const message = 'This subgraph answers its gateway alone: ask the graph at the gateway.';
    throw new MortarError('UNAUTHENTICATED', { message });
  }
  const principal = await trust.token(headers.authorization);
  if (principal === null) return null;
  const purpose = resolvePurpose(optional(headers['mortar-purpose']), principal.purposes);
  const medium = resolveMedium(optional(headers['mortar-medium']));
  const shareKey = `${principal.role} ${purpose ?? '-'}`;
  return {
    from: 'token',
    facts: { requestId, principal, purpose, medium, shareKey },
    timeLeftMs: null,
    contextId: null,
  };
}

function optional(value: string | string[] | undefined): string | undefined {
  return value === undefined ? undefined : textOf(value);
}

/** Repeated headers are not one value, and are refused as such. */
function textOf(value: string | string[]): string {
  return Array.isArray(value) ? value.join(', ') : value;
}
