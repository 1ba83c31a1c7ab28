import { type ApolloServer, HeaderMap } from '@apollo/server';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { publicBase } from './health-routes.ts';
import { requestError, toRequestError } from './request-error.ts';
import { resolveMedium, resolvePurpose } from '#gateway/auth/purpose.ts';
import type { VerifyToken } from '#gateway/auth/verify-token.ts';
import type { LimitsConfig } from '#gateway/config-schema.ts';
import { toClientError } from '#gateway/executor/answer-errors.ts';
import type { AuthenticatedRequest, GatewayContext } from '#gateway/executor/context.ts';
import { createRequestNotices } from '#gateway/executor/request-notices.ts';
import { assertLexicalLimits } from '#gateway/plugins/lexical-limits.ts';
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import type { Metrics } from '#platform/metrics.ts';

export interface GraphqlRouteDeps {
  readonly server: ApolloServer<GatewayContext>;
  readonly verifyToken: VerifyToken;
  readonly limits: LimitsConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly publicUrl?: string | undefined;
  /** Introspection alone needs no token; off in production. */
  readonly openIntrospection: boolean;
}

interface Answer {
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: string;
}

/** Answers POST and GET /graphql: identity, purpose, document limits, then Apollo Server; always JSON. */
export function createGraphqlHandler(deps: GraphqlRouteDeps) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const startedAtMs = deps.clock.nowMs();
    const controller = new AbortController();
    const timeMs = isMutation(request) ? deps.limits.requestMs.mutation : deps.limits.requestMs.query;
    const timer = setTimeout(() => controller.abort(), timeMs);
    // A client that went away takes its upstream calls with it.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) controller.abort();
    });
    const facts = { personal: false, outcome: 'INTERNAL_SERVER_ERROR' };
    const scope = { requestId: request.id, deadlineAtMs: startedAtMs + timeMs, signal: controller.signal };
    const answer = await answerRequest(deps, request, { scope, facts });
    clearTimeout(timer);
    for (const [name, value] of answer.headers) reply.header(name, value);
    reply.header('cache-control', facts.personal || answer.status >= 400 ? 'private, no-store' : 'private, no-cache');
    if (answer.status === 401) reply.header('www-authenticate', challenge(request, deps));
    deps.metrics.observeRequest({ outcome: facts.outcome, elapsedMs: deps.clock.nowMs() - startedAtMs });
    await reply.status(answer.status).send(answer.body);
  };
}

interface Handling {
  readonly scope: Pick<AuthenticatedRequest['request'], 'requestId' | 'deadlineAtMs' | 'signal'>;
  readonly facts: GatewayContext['answer'];
}

async function answerRequest(
  deps: GraphqlRouteDeps,
  request: FastifyRequest,
  { scope, facts }: Handling,
): Promise<Answer> {
  try {
    const caller = await authenticate(deps, request, scope);
    const text = documentText(request);
    if (text !== null) assertLexicalLimits(text, deps.limits);
    const context: GatewayContext = {
      requestId: request.id,
      caller,
      notices: createRequestNotices(caller?.principal.role ?? null),
      answer: facts,
    };
    const response = await deps.server.executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        method: request.method,
        headers: toHeaderMap(request),
        body: request.body,
        search: searchOf(request),
      },
      context: () => Promise.resolve(context),
    });
    const body = response.body.kind === 'complete' ? response.body.string : '';
    // Malformed requests are refused by Apollo Server before its plugins run.
    if (facts.outcome === 'INTERNAL_SERVER_ERROR' && response.status === 400) facts.outcome = 'BAD_REQUEST';
    return { status: response.status ?? 200, headers: response.headers, body };
  } catch (error) {
    return refuse(deps, error, { scope, facts });
  }
}

function refuse({ logger }: GraphqlRouteDeps, error: unknown, { scope, facts }: Handling): Answer {
  const refusal = toRequestError(error);
  const formatted = toClientError({ message: refusal.message, extensions: refusal.extensions });
  facts.outcome = String(formatted.extensions?.['code']);
  if (facts.outcome === 'INTERNAL_SERVER_ERROR')
    logger.error({ err: error, requestId: scope.requestId }, 'a request failed');
  const http = refusal.extensions['http'];
  const status = typeof http === 'object' && http !== null && 'status' in http ? Number(http.status) : 500;
  const headers: [string, string][] = [['content-type', 'application/json; charset=utf-8']];
  if (status === 503) headers.push(['retry-after', '1']);
  return { status, headers, body: JSON.stringify({ errors: [formatted], extensions: { requestId: scope.requestId } }) };
}

async function authenticate(
  { verifyToken, openIntrospection }: GraphqlRouteDeps,
  request: FastifyRequest,
  scope: Handling['scope'],
): Promise<AuthenticatedRequest | null> {
  const principal = await verifyToken(request.headers.authorization);
  if (principal === null) {
    if (openIntrospection) return null;
    throw requestError('UNAUTHENTICATED');
  }
  const purpose = resolvePurpose(header(request, 'mortar-purpose'), principal.purposes);
  const medium = resolveMedium(header(request, 'mortar-medium'));
  const shareKey = `${principal.role} ${purpose ?? '-'}`;
  return { principal, purpose, request: { ...scope, principal, purpose, medium, shareKey } };
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  // Repeated headers arrive joined by a comma; then they are not one value, and are refused as such.
  return Array.isArray(value) ? value.join(', ') : value;
}

/** RFC 9728: where the caller finds the issuer. */
function challenge(request: FastifyRequest, deps: GraphqlRouteDeps): string {
  const metadata = `${publicBase(request, deps)}/.well-known/oauth-protected-resource`;
  const error = request.headers.authorization === undefined ? '' : ', error="invalid_token"';
  return `Bearer resource_metadata="${metadata}"${error}`;
}

function toHeaderMap(request: FastifyRequest): HeaderMap {
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
}

function searchOf(request: FastifyRequest): string {
  const at = request.url.indexOf('?');
  return at === -1 ? '' : request.url.slice(at);
}

/** The document's text, when the request carries it; a persisted query was checked when it was registered. */
function documentText(request: FastifyRequest): string | null {
  if (request.method === 'GET') return new URLSearchParams(searchOf(request)).get('query');
  const body: unknown = request.body;
  const query: unknown = typeof body === 'object' && body !== null && 'query' in body ? body.query : null;
  return typeof query === 'string' ? query : null;
}

/** Near enough to choose a time budget; what is executed is decided by the parsed operation. */
function isMutation(request: FastifyRequest): boolean {
  return /\bmutation\b/.test(documentText(request) ?? '');
}
