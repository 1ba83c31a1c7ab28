import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';

import { createEventPump } from './event-pump.ts';
import { createEventRunner, type EventOutcome } from './event-runner.ts';
import { type EventStream, openEventStream, type StreamEnd } from './event-stream.ts';
import type { LiveRequest, LiveStreamsDeps } from './live-streams.ts';
import { toTwinQuery, type TwinQuery } from './twin-query.ts';
import { requestError } from '#gateway/http/request-error.ts';
import { MortarError } from '#platform/errors.ts';
import type { StreamReason } from '#platform/stream-metrics.ts';
import type { SourceWatch } from '#platform/subgraph.ts';

/** One open stream. */
export interface Stream {
  /** Gives back everything the stream holds; only the first call counts. */
  readonly end: (reason: StreamReason, how: StreamEnd) => void;
  /** Another supergraph is served: a stream whose source or twin is another there breaks, so that its client comes again. */
  readonly review: () => void;
}

export interface Opening {
  readonly request: LiveRequest;
  readonly reply: FastifyReply;
  /** Called once. */
  readonly onEnd: () => void;
}

/** After a gap or a swap every stream looks again, or comes again: within this time, not at once. */
const SPREAD_MS = 2_000;
/** setTimeout counts in 31 bits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Lives differ by so much, so that streams opened together do not come again together. */
const LIFE_JITTER = 0.1;

/**
 * Opens the stream of one subscription: first the source stream, then the state of now, then an event for each change.
 * The source is opened first, so that nothing that changes in between is missed.
 * @throws {GraphQLError | MortarError} before anything was sent
 */
export async function openStream(deps: LiveStreamsDeps, { request, reply, onEnd }: Opening): Promise<Stream> {
  const state = deps.current();
  if (state === null) throw requestError('OVERLOADED');
  const twin = toTwinQuery(request.operation, { schema: state.schema, live: state.policy.live });
  const { field } = twin;
  const place = placeOf(deps, field);
  const { windowMs, heartbeatMs, lifeMs } = deps.limits.streams;
  const runner = createEventRunner(deps, request, twin);
  const pump = createEventPump({
    run: async (keys) => tell(await runner.run(keys)),
    windowMs,
    spreadMs: SPREAD_MS,
  });
  const closeSource = await openSource(deps, { request, twin, onChange: pump.notify });
  let isOver = false;

  const tell = async (told: EventOutcome): Promise<void> => {
    if (isOver) return;
    deps.metrics.observeStream({ kind: 'event', field, outcome: told.outcome });
    if (told.answer !== null) await stream.send(told.answer);
    if (told.end !== null) end(told.end, told.end === 'failed' ? 'BREAK' : 'COMPLETE');
    // What the caller may not watch is answered once, as a query answers it.
    else if (closeSource === null) end('refused', 'COMPLETE');
  };
  const end: Stream['end'] = (reason, how) => {
    if (isOver) return;
    isOver = true;
    pump.stop();
    closeSource?.();
    runner.abort();
    stopTimers();
    stream.end(how);
    deps.metrics.observeStream({ kind: 'ended', field, reason });
    onEnd();
  };
  const stopTimers = startTimers([
    { ms: lifeMs * (1 - Math.random() * LIFE_JITTER), act: () => end('life', 'BREAK') },
    // A token without an end that can be read is checked at each event alone.
    { ms: request.tokenEndsAtMs - deps.clock.nowMs(), act: () => void runner.check().then(tell) },
  ]);
  const stream: EventStream = openEventStream({
    response: reply.hijack().raw,
    // Fastify types every header alike; what it holds is what it would send.
    headers: reply.getHeaders() as OutgoingHttpHeaders,
    heartbeatMs,
    onClose: () => end('left', 'BREAK'),
  });
  deps.metrics.observeStream({ kind: 'opened', field });
  pump.start();
  const review = (): void => {
    if (placeOf(deps, field) === place) return;
    setTimeout(() => end('moved', 'BREAK'), Math.random() * SPREAD_MS).unref();
  };
  // The graph may have been swapped while the source was being opened.
  review();
  return { end, review };
}

/** Where the changes of a field come from and what reads its events, in words to compare. */
function placeOf({ sourceOf, current }: LiveStreamsDeps, field: string): string {
  const state = current();
  const twin = state?.policy.live.get(`${state.schema.getSubscriptionType()?.name}.${field}`);
  return JSON.stringify([sourceOf(field), twin]);
}

interface Source {
  readonly request: LiveRequest;
  readonly twin: TwinQuery;
  readonly onChange: SourceWatch['onChange'];
}

/** Null: the caller's scopes do not reach the field. */
async function openSource(deps: LiveStreamsDeps, { request, twin, onChange }: Source): Promise<(() => void) | null> {
  const { field, arguments: given } = twin;
  try {
    return await deps.watch({ field, arguments: given, request: request.caller.request, onChange });
  } catch (error) {
    if (error instanceof MortarError && error.code === 'SCOPE_REQUIRED') return null;
    throw error;
  }
}

function startTimers(planned: readonly { readonly ms: number; readonly act: () => void }[]): () => void {
  const timers = planned
    .filter(({ ms }) => Number.isFinite(ms))
    .map(({ ms, act }) => setTimeout(act, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS)).unref());
  return () => {
    for (const timer of timers) clearTimeout(timer);
  };
}
