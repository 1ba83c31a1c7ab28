import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLError } from 'graphql';
import { execute } from 'graphql';
import { z } from 'zod';

import { createApp } from './app.ts';
import { encodeBody } from './compress.ts';
import { errorBody, requestError, toRequestError } from './request-error.ts';
import { keepBodyText, type SubgraphBodies } from './subgraph-body.ts';
import { readSubgraphCaller, type SubgraphCaller, type SubgraphTrust } from './subgraph-caller.ts';
import { addSubgraphLiveRoute } from './subgraph-live.ts';
import { type AskedOperation, createSubgraphDocuments } from './subgraph-documents.ts';
import type { LimitsConfig } from '#gateway/config-schema.ts';
import { NO_NOTICES, NOTICES_KEY, writeNotices } from '#gateway/executor/remote/wire-notices.ts';
import { assertLexicalLimits } from '#gateway/plugins/lexical-limits.ts';
import { createOverlapLimits, type OverlapLimits } from '#gateway/plugins/overlap-limits.ts';
import { assertOperationLimits } from '#gateway/plugins/operation-limits.ts';
import { type Policy, readPolicy } from '#gateway/policy.ts';
import { createRequestTrace } from '#gateway/trace/request-trace.ts';
import { writeTracePart } from '#gateway/trace/trace-part.ts';
import type { Clock } from '#platform/clock.ts';
import { ERROR_CODES, type ErrorCode, isErrorCode } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';
import type { Subgraph, SubgraphResult } from '#platform/subgraph.ts';
import type { UsedContexts } from '#platform/used-contexts.ts';

export interface SubgraphServerDeps {
  readonly subgraph: Pick<Subgraph, 'name' | 'sdl' | 'schema' | 'execute'> & Partial<Pick<Subgraph, 'watch'>>;
  readonly trust: SubgraphTrust;
  readonly usedContexts: UsedContexts;
  readonly limits: LimitsConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What /readyz waits for, in words; empty: ready. */
  readonly missing: () => readonly string[];
  /** Off in production: without credentials nobody learns the schema. */
  readonly openSchema: boolean;
}

/** A gateway asks for thousands of entities at once. */
const BODY_BYTES = 8 * 2 ** 20;
/** What routers add to a client's document: `_entities` and a fragment around it, aliases, and keys by the thousand. */
const ROUTED = { depth: 2, aliases: 200, tokens: 4, keys: 5_000 };

/**
 * One subgraph behind HTTP, ready to listen: POST /graphql for callers it can verify, POST /live, /livez and /readyz. A caller that
 * goes away takes its work with it.
 */
export function createSubgraphServer(deps: SubgraphServerDeps): FastifyInstance {
  const { limits, logger, missing } = deps;
  const app = createApp({ limits: { bodyBytes: BODY_BYTES } }, logger);
  const bodies = keepBodyText(app);
  const handling: Handling = {
    ...deps,
    bodies,
    documents: createSubgraphDocuments(deps.subgraph.schema),
    policy: readPolicy(deps.subgraph.sdl),
    assertOverlaps: createOverlapLimits(),
    routedLimits: {
      ...limits,
      depth: limits.depth + ROUTED.depth,
      aliases: limits.aliases + ROUTED.aliases,
      tokens: limits.tokens * ROUTED.tokens,
      listSize: ROUTED.keys,
    },
  };
  app.post('/graphql', (request, reply) => answerFetch(handling, request, reply));
  const { subgraph, trust } = deps;
  addSubgraphLiveRoute(app, {
    subgraph,
    trust,
    limits,
    bodies,
    refuse: async (error, request, reply) => refuse(handling, error, { request, reply }),
  });
  app.get('/livez', () => ({ status: 'alive' }));
  app.get('/readyz', async (_request, reply) => {
    const waitsFor = missing();
    const status = waitsFor.length === 0 ? 'ready' : 'waiting';
    await reply
      .status(waitsFor.length === 0 ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status, missing: waitsFor });
  });
  return app;
}

interface Handling extends SubgraphServerDeps {
  readonly bodies: SubgraphBodies;
  readonly documents: ReturnType<typeof createSubgraphDocuments>;
  readonly policy: Policy;
  /** For documents that no gateway of ours vouches for. */
  readonly routedLimits: LimitsConfig;
  readonly assertOverlaps: OverlapLimits;
}

async function answerFetch(handling: Handling, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  reply.header('cache-control', 'private, no-store');
  try {
    const result = await runFetch(handling, request, controller);
    await sendResult(request, reply, result);
  } catch (error) {
    await refuse(handling, error, { request, reply });
  }
}

const fetchBody = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

type Answered = SubgraphResult & {
  readonly tellsNotices: boolean;
  /** For the gateway's trace of the request; null: nothing, or nobody may know. */
  readonly tracePart: ReturnType<typeof writeTracePart>;
};

async function runFetch(handling: Handling, request: FastifyRequest, controller: AbortController): Promise<Answered> {
  const { subgraph, clock, limits } = handling;
  const body = handling.bodies.textOf(request);
  const credentials = { subgraph: subgraph.name, requestId: request.id, headers: request.headers, body };
  const caller = await readSubgraphCaller(handling.trust, credentials);
  if (caller === null && !handling.openSchema)
    throw requestError('UNAUTHENTICATED', 'This subgraph answers its gateway alone.');
  const asked = fetchBody.safeParse(await handling.bodies.parse(request, caller));
  if (!asked.success) throw requestError('BAD_REQUEST');
  const { query } = asked.data;
  const variables = asked.data.variables ?? {};
  const operationName = asked.data.operationName ?? undefined;
  const operation = readOperation(handling, caller, { query, operationName, variables });
  if (caller === null) return await tellSchema(handling, operation);
  const { contextId } = caller;
  if (operation.kind === 'mutation' && contextId !== null && !(await handling.usedContexts.take(contextId)))
    throw requestError('UNAUTHENTICATED', 'The mortar-context was used for a mutation before.');
  const timeMs = caller.timeLeftMs ?? limits.requestMs[operation.kind];
  const timer = setTimeout(() => controller.abort(), timeMs);
  const trace = createRequestTrace(caller.facts.requestId, clock.nowMs());
  const context = { ...caller.facts, deadlineAtMs: clock.nowMs() + timeMs, signal: controller.signal, trace };
  try {
    const { document } = operation;
    const result = await subgraph.execute({ document, operationName, variables, request: context });
    const tellsNotices = caller.from === 'gateway';
    return { ...result, tellsNotices, tracePart: tellsNotices ? writeTracePart(trace.record(clock.nowMs())) : null };
  } finally {
    clearTimeout(timer);
  }
}

interface Asked {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** @throws {GraphQLError} a refusal of the document; UNAUTHENTICATED when nobody asks for more than the schema */
function readOperation(handling: Handling, caller: SubgraphCaller | null, asked: Asked): AskedOperation {
  const { documents, routedLimits: limits, policy, subgraph } = handling;
  const { query, operationName, variables } = asked;
  if (caller?.from === 'gateway') return documents(query, operationName);
  assertLexicalLimits(query, limits);
  handling.assertOverlaps(query, limits.tokens);
  const read = documents(query, operationName);
  if (caller === null && !read.schemaOnly) throw requestError('UNAUTHENTICATED');
  const { schema } = subgraph;
  const { document, operation } = read;
  assertOperationLimits({ schema, policy, document, operation, variables, limits });
  return read;
}

/** For routers that compose by asking: the SDL is committed, and holds no value. */
async function tellSchema({ subgraph }: Handling, { document }: AskedOperation): Promise<Answered> {
  const { data, errors = [] } = await execute({ schema: subgraph.schema, document, contextValue: {} });
  return { data: data ?? null, errors, refusals: [], degraded: [], tellsNotices: false, tracePart: null };
}

const GRAPHQL_RESPONSE = 'application/graphql-response+json';

async function sendResult(request: FastifyRequest, reply: FastifyReply, result: Answered): Promise<void> {
  const { data, errors, tellsNotices, tracePart } = result;
  const notices = tellsNotices ? writeNotices(result) : null;
  const told = notices === null && tracePart === null ? null : { ...NO_NOTICES, ...notices, ...tracePart };
  const text = JSON.stringify({
    data: data ?? null,
    ...(errors.length === 0 ? {} : { errors }),
    ...(told === null ? {} : { extensions: { [NOTICES_KEY]: told } }),
  });
  const { encoding, body } = await encodeBody(text, request.headers['accept-encoding']);
  const mediaType = request.headers.accept?.includes(GRAPHQL_RESPONSE) === true ? GRAPHQL_RESPONSE : 'application/json';
  if (encoding !== null) reply.header('content-encoding', encoding);
  reply.header('vary', 'accept, accept-encoding').type(`${mediaType}; charset=utf-8`);
  await reply.send(body);
}

interface Refusing {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

async function refuse({ logger, trust }: Handling, error: unknown, { request, reply }: Refusing): Promise<void> {
  const refusal: GraphQLError = toRequestError(error);
  const given = refusal.extensions['code'];
  const code: ErrorCode = isErrorCode(given) ? given : 'INTERNAL_SERVER_ERROR';
  if (code === 'INTERNAL_SERVER_ERROR') logger.error({ err: error, requestId: request.id }, 'a fetch failed');
  // RFC 9110 wants a challenge; a signed context is no scheme of HTTP.
  if (code === 'UNAUTHENTICATED')
    reply.header('www-authenticate', trust.token === undefined ? 'Mortar-Context' : 'Bearer');
  await reply
    .status(ERROR_CODES[code].http)
    .type('application/json; charset=utf-8')
    .send(errorBody(code, request.id, code === 'INTERNAL_SERVER_ERROR' ? undefined : refusal.message));
}
