import { createHash } from 'node:crypto';
import type { GraphQLFormattedError } from 'graphql';

import type { LiveRequest, LiveStreamsDeps } from './live-streams.ts';
import type { TwinQuery } from './twin-query.ts';
import { toClientError } from '#gateway/executor/answer-errors.ts';
import type { AuthenticatedRequest, GatewayContext } from '#gateway/executor/context.ts';
import { createRequestNotices } from '#gateway/executor/request-notices.ts';
import { toRequestError } from '#gateway/http/request-error.ts';
import { createRequestTrace, type RequestTrace } from '#gateway/trace/request-trace.ts';
import { ERROR_CODES, isErrorCode } from '#platform/errors.ts';
import type { StreamReason } from '#platform/stream-metrics.ts';

/** What one event answers: GraphQL's own result. */
interface EventAnswer {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLFormattedError[] | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/** What became of one event. */
export interface EventOutcome {
  /** Null: nothing is to be sent, for it would repeat the event before. */
  readonly answer: EventAnswer | null;
  /** Why the stream is over; null: it goes on. */
  readonly end: StreamReason | null;
  /** For the metrics: `ok`, `partial`, `unchanged`, or a code. */
  readonly outcome: string;
}

export interface EventRunner {
  /** One event over these keys, null: all; for the caller as it is now. Never rejects. */
  readonly run: (keys: readonly string[] | null) => Promise<EventOutcome>;
  /** Only whether the caller's rights still hold. Never rejects. */
  readonly check: () => Promise<EventOutcome>;
  /** Stops what runs, down to the calls of systems. */
  readonly abort: () => void;
}

interface TracedCaller {
  readonly caller: AuthenticatedRequest;
  readonly trace: RequestTrace;
}

const UNCHANGED: EventOutcome = { answer: null, end: null, outcome: 'unchanged' };
/** Codes that say the caller's own rights are over. */
const OVER: ReadonlySet<unknown> = new Set(['UNAUTHENTICATED', 'PURPOSE_NOT_ALLOWED']);

/**
 * Reads events as queries: each with its own deadline, a token checked anew, and a request context of its own, so that
 * consent is read again and nothing is remembered from the event before.
 */
export function createEventRunner(deps: LiveStreamsDeps, request: LiveRequest, twin: TwinQuery): EventRunner {
  let number = 0;
  const running = new Set<AbortController>();
  let aborted = false;
  let lastDigest = '';

  const within = async (work: (caller: TracedCaller) => Promise<EventOutcome>): Promise<EventOutcome> => {
    const controller = new AbortController();
    running.add(controller);
    if (aborted) controller.abort();
    const timeMs = deps.limits.requestMs.query;
    const timer = setTimeout(() => controller.abort(), timeMs);
    number += 1;
    const requestId = `${request.requestId}.${number}`;
    const startedAtMs = deps.clock.nowMs();
    const trace = createRequestTrace(requestId, startedAtMs);
    try {
      const scope = { requestId, deadlineAtMs: startedAtMs + timeMs, signal: controller.signal, trace };
      return await work({ caller: await request.authenticate(scope), trace });
    } catch (error) {
      const told = refuse(error);
      trace.refused(told.outcome);
      return told;
    } finally {
      clearTimeout(timer);
      running.delete(controller);
      deps.traces.keep(trace.record(deps.clock.nowMs()));
    }
  };
  const refuse = (error: unknown): EventOutcome => {
    const { message, extensions } = toRequestError(error);
    const formatted = toClientError({ message, extensions });
    const code = String(formatted.extensions?.['code']);
    if (code === 'INTERNAL_SERVER_ERROR')
      deps.logger.error({ err: error, requestId: request.requestId }, 'an event failed');
    const answer = { errors: [formatted], extensions: { requestId: request.requestId } };
    return { answer, end: OVER.has(code) ? 'unauthenticated' : 'failed', outcome: code };
  };

  return {
    abort() {
      aborted = true;
      for (const controller of running) controller.abort();
    },
    check: () => within(() => Promise.resolve(UNCHANGED)),
    run: (keys) =>
      within(async (traced) => {
        const variables = twin.variablesFor(keys);
        const answer = await execute(deps, { twin, variables, ...traced });
        if (answer.data === undefined) {
          const code = answer.errors?.[0]?.extensions?.['code'];
          return { answer, end: isCallersFault(code) ? 'refused' : 'failed', outcome: String(code) };
        }
        const digest = digestOf(variables, answer);
        if (digest === lastDigest) return UNCHANGED;
        lastDigest = digest;
        return { answer, end: null, outcome: answer.errors === undefined ? 'ok' : 'partial' };
      }),
  };
}

/** Whoever sends the same again is refused again; everything else passes, and the client shall come again. */
function isCallersFault(code: unknown): boolean {
  return isErrorCode(code) && ERROR_CODES[code].http < 500;
}

interface Execution extends TracedCaller {
  readonly twin: TwinQuery;
  readonly variables: Readonly<Record<string, unknown>>;
}

async function execute(
  { server }: LiveStreamsDeps,
  { twin, variables, caller, trace }: Execution,
): Promise<EventAnswer> {
  const contextValue: GatewayContext = {
    requestId: caller.request.requestId,
    caller,
    notices: createRequestNotices(caller.principal.role),
    answer: { personal: false, outcome: 'INTERNAL_SERVER_ERROR' },
    trace,
  };
  const { text: query, operationName } = twin;
  const asked = { query, variables: { ...variables }, ...(operationName === undefined ? {} : { operationName }) };
  const { body } = await server.executeOperation(asked, { contextValue });
  if (body.kind !== 'single') throw new Error('an event came in parts');
  return body.singleResult;
}

/** The answer without what differs in every answer. */
function digestOf(variables: Readonly<Record<string, unknown>>, { data, errors, extensions }: EventAnswer): string {
  const { requestId: _requestId, ...told } = extensions ?? {};
  return createHash('sha256')
    .update(JSON.stringify([variables, data, errors, told]))
    .digest('base64');
}
