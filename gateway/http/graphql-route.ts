import { type ApolloServer, HeaderMap, type HTTPGraphQLRequest } from '@apollo/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';

import { bodyOfSearch, type EventsWanted, eventsWanted, toEventAnswer } from './event-answers.ts';
import { publicBase } from './health-routes.ts';
import type { KnownOperations } from './known-operations.ts';
import { httpStatusOf, requestError, toRequestError } from './request-error.ts';
import { resolveMedium, resolvePurpose } from '#gateway/auth/purpose.ts';
import { tokenEndsAtMs, type VerifyToken } from '#gateway/auth/verify-token.ts';
import type { LimitsConfig } from '#gateway/config-schema.ts';
import { toClientError } from '#gateway/executor/answer-errors.ts';
import type { AuthenticatedRequest, GatewayContext, LiveSlot } from '#gateway/executor/context.ts';
import { createRequestNotices } from '#gateway/executor/request-notices.ts';
import { assertJsonLimits } from '#gateway/plugins/json-limits.ts';
import type { EventScope, LiveStreams } from '#gateway/live/live-streams.ts';
import { assertLexicalLimits } from '#gateway/plugins/lexical-limits.ts';
import { createOverlapLimits, type OverlapLimits } from '#gateway/plugins/overlap-limits.ts';
import { createRequestTrace, type RequestTrace } from '#gateway/trace/request-trace.ts';
import type { TraceStore } from '#gateway/trace/trace-store.ts';
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import type { Metrics } from '#platform/metrics.ts';

export interface GraphqlRouteDeps {
  readonly server: ApolloServer<GatewayContext>;
  readonly known: KnownOperations;
  readonly verifyToken: VerifyToken;
  readonly limits: LimitsConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly publicUrl?: string | undefined;
  /** Introspection alone needs no token; off in production. */
  readonly openIntrospection: boolean;
  readonly traces: Pick<TraceStore, 'keep'>;
  readonly streams: Pick<LiveStreams, 'open'>;
}

interface Deps extends GraphqlRouteDeps {
  readonly assertOverlaps: OverlapLimits;
  /** By Accept header, as Apollo Server chose it for an answer with data. */
  readonly mediaTypes: LRUCache<string, string>;
}

const REMEMBERED_ACCEPTS = 100;

interface Answer {
  /** Null: nobody is known. */
  readonly caller?: AuthenticatedRequest | null;
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: string;
}

/**
 * Answers POST and GET /graphql: identity, purpose, document limits, then Apollo Server. In JSON; to who takes events, a
 * subscription as a stream of them.
 */
export function createGraphqlHandler(given: GraphqlRouteDeps) {
  const mediaTypes = new LRUCache<string, string>({ max: REMEMBERED_ACCEPTS });
  const deps: Deps = { ...given, assertOverlaps: createOverlapLimits(), mediaTypes };
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
    const trace = createRequestTrace(request.id, startedAtMs);
    const scope = { requestId: request.id, deadlineAtMs: startedAtMs + timeMs, signal: controller.signal, trace };
    const events = eventsWanted(request.headers.accept);
    const live = events === 'no' ? undefined : { readOnly: request.method === 'GET', operation: null };
    const handling: Handling = { scope, facts, events, live };
    const answered = await answerRequest(deps, request, handling);
    clearTimeout(timer);
    const refused = await stream(deps, { request, reply, answered }, handling);
    const elapsedMs = deps.clock.nowMs() - startedAtMs;
    if (refused === null) return deps.metrics.observeRequest({ outcome: 'ok', elapsedMs });
    const answer = events === 'only' ? toEventAnswer(refused, facts.outcome) : refused;
    for (const [name, value] of answer.headers) reply.header(name, value);
    reply.header('cache-control', facts.personal || answer.status >= 400 ? 'private, no-store' : 'private, no-cache');
    if (answer.status === 401) reply.header('www-authenticate', challenge(request, deps));
    deps.metrics.observeRequest({ outcome: facts.outcome, elapsedMs });
    deps.traces.keep(trace.record(startedAtMs + elapsedMs));
    await reply.status(answer.status).send(answer.body);
  };
}

interface Handling {
  readonly scope: Pick<AuthenticatedRequest['request'], 'requestId' | 'deadlineAtMs' | 'signal'> & {
    readonly trace: RequestTrace;
  };
  readonly facts: GatewayContext['answer'];
  readonly events: EventsWanted;
  readonly live: LiveSlot | undefined;
}

interface Streaming {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly answered: Answer;
}

/** Streams an admitted subscription; null: it is streamed. Everything else stays as it was answered. */
async function stream(deps: Deps, { request, reply, answered }: Streaming, handling: Handling): Promise<Answer | null> {
  const operation = handling.live?.operation ?? null;
  const { caller = null } = answered;
  if (operation === null || caller === null) return answered;
  const again = async (scope: EventScope): Promise<AuthenticatedRequest> => {
    const fresh = await authenticate(deps, request, scope);
    if (fresh === null) throw requestError('UNAUTHENTICATED');
    return fresh;
  };
  try {
    const endsAtMs = tokenEndsAtMs(request.headers.authorization);
    const { id: requestId } = request;
    await deps.streams.open({ requestId, operation, caller, authenticate: again, tokenEndsAtMs: endsAtMs }, reply);
    return null;
  } catch (error) {
    return refuse(deps, error, handling);
  }
}

async function answerRequest(deps: Deps, request: FastifyRequest, handling: Handling): Promise<Answer> {
  const { scope, facts, live } = handling;
  try {
    const caller = await authenticate(deps, request, scope);
    const context: GatewayContext = {
      requestId: request.id,
      caller,
      notices: createRequestNotices(caller?.principal.role ?? null),
      answer: facts,
      trace: scope.trace,
      showTrace: caller?.principal.scopes.has('systems:read') === true && request.headers['mortar-trace'] === 'on',
      ...(live === undefined ? {} : { live }),
    };
    const prompt = await answerKnown(deps, request, { handling, context });
    if (prompt !== null) return { ...prompt, caller };
    const text = documentText(request);
    if (text !== null) {
      assertLexicalLimits(text, deps.limits);
      deps.assertOverlaps(text, deps.limits.tokens);
    }
    if (request.method === 'GET') assertSearchLimits(searchOf(request));
    const response = await deps.server.executeHTTPGraphQLRequest({
      httpGraphQLRequest: toApolloRequest(request, handling),
      context: () => Promise.resolve(context),
    });
    const body = response.body.kind === 'complete' ? response.body.string : '';
    // Malformed requests are refused by Apollo Server before its plugins run.
    if (facts.outcome === 'INTERNAL_SERVER_ERROR' && response.status === 400) {
      facts.outcome = 'BAD_REQUEST';
      scope.trace.refused(facts.outcome);
    }
    const contentType = response.headers.get('content-type');
    // Not the one of a refusal: an Accept header that nothing fits is refused after all else went well.
    if (
      (facts.outcome === 'ok' || facts.outcome === 'partial') &&
      response.status === undefined &&
      contentType !== undefined
    )
      deps.mediaTypes.set(request.headers.accept ?? '', contentType);
    return { status: response.status ?? 200, headers: response.headers, body, caller };
  } catch (error) {
    return refuse(deps, error, handling);
  }
}

/**
 * What a document that was admitted before answers; null: Apollo Server answers. Which media type an Accept header gets was
 * Apollo Server's own choice, the first time it came.
 */
async function answerKnown(
  deps: Deps,
  request: FastifyRequest,
  { handling, context }: { readonly handling: Handling; readonly context: GatewayContext },
): Promise<Answer | null> {
  if (request.method !== 'POST' || handling.events !== 'no') return null;
  const mediaType = deps.mediaTypes.get(request.headers.accept ?? '');
  const known = mediaType === undefined ? null : deps.known.find(request.body);
  if (known === null || mediaType === undefined) return null;
  const answer = await deps.known.answer(known, context);
  return answer === null ? null : { ...answer, headers: [['content-type', mediaType]] };
}

/** The request as Apollo Server admits it: it knows no events, and answers subscriptions to no GET. */
function toApolloRequest(request: FastifyRequest, { events }: Handling): HTTPGraphQLRequest {
  const headers = toHeaderMap(request);
  const search = searchOf(request);
  if (events !== 'only') return { method: request.method, headers, body: request.body, search };
  headers.set('accept', 'application/json');
  const body = request.method === 'GET' ? bodyOfSearch(search) : request.body;
  return { method: 'POST', headers, body, search: '' };
}

function refuse({ logger }: GraphqlRouteDeps, error: unknown, { scope, facts }: Handling): Answer {
  const refusal = toRequestError(error);
  const formatted = toClientError({ message: refusal.message, extensions: refusal.extensions });
  facts.outcome = String(formatted.extensions?.['code']);
  scope.trace.refused(facts.outcome);
  if (facts.outcome === 'INTERNAL_SERVER_ERROR')
    logger.error({ err: error, requestId: scope.requestId }, 'a request failed');
  const status = httpStatusOf(refusal);
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
  scope.trace.caller(principal, purpose);
  const shareKey = `${principal.role} ${purpose ?? '-'}`;
  const { authorization } = request.headers;
  return { principal, purpose, authorization, request: { ...scope, principal, purpose, medium, shareKey } };
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

/** What a GET carries as JSON is parsed by Apollo Server; a body was bounded before it was parsed. */
function assertSearchLimits(search: string): void {
  const parameters = new URLSearchParams(search);
  for (const name of ['variables', 'extensions']) assertJsonLimits(parameters.get(name) ?? '');
}

/** Near enough to choose a time budget; what is executed is decided by the parsed operation. */
function isMutation(request: FastifyRequest): boolean {
  return /\bmutation\b/.test(documentText(request) ?? '');
}
