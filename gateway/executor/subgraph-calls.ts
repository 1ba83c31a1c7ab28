import type { AuthenticatedRequest } from './context.ts';
import type { FetchOutcome, PlannedFetch, PlanPlace } from './plan/run.ts';
import type { Waiting } from './waiting.ts';
import type { Clock } from '#platform/clock.ts';
import type { Metrics } from '#platform/metrics.ts';
import type { SourceWatch, SubgraphFetch, SubgraphResult } from '#platform/subgraph.ts';
import type { TracedFetch } from '#schema/model/trace.ts';

/** One fetch as a subgraph gets it, wherever it runs. */
export interface SourceFetch extends SubgraphFetch {
  /** The document as text; a subgraph of this process needs only the parsed one. */
  readonly text: string;
  /** Where it stands in its plan. */
  readonly place?: PlanPlace;
  /** When the subgraph should answer what it has: the request's deadline or the fetch's own, epoch milliseconds. */
  readonly deadlineAtMs: number;
  /** Ends when the client left or the subgraph did not keep its deadline: whoever calls out stops. */
  readonly waiting: Waiting;
  /** The caller's own Authorization header, for subgraphs that verify it themselves. */
  readonly authorization?: string | undefined;
}

/** A subgraph as a supergraph names it. */
export interface SubgraphAddress {
  readonly name: string;
  /** Where it answers; `mortar://<name>` or empty when the supergraph does not say. */
  readonly url: string;
}

/** A subgraph the executor can call: one of this process is one already. */
export interface SubgraphSource {
  readonly name: string;
  /** Longest time one fetch of it may take. @default that of all */
  readonly fetchMs?: number | undefined;
  readonly execute: (fetch: SourceFetch) => Promise<SubgraphResult>;
  /** See Subgraph.watch; absent: it has no source streams. */
  readonly watch?: (watch: SourceWatch) => Promise<() => void>;
}

export interface SubgraphCallsDeps {
  readonly clock: Clock;
  /** Longest time one fetch may take. */
  readonly fetchMs: number;
  readonly observeFetch: Metrics['observeFetch'];
}

/** Subgraphs end at the fetch's deadline by themselves and then answer what they have: they get this much to do so. */
const GRACE_MS = 40;

/**
 * Calls one subgraph within the request's deadline and the fetch's own; a late, broken or missing subgraph is an outcome,
 * never a rejection. Nothing is started for a client that left.
 */
export async function callSubgraph(
  source: SubgraphSource,
  fetch: PlannedFetch,
  caller: CalledBy,
  deps: SubgraphCallsDeps,
): Promise<FetchOutcome> {
  const { clock, observeFetch } = deps;
  const { request } = caller;
  const startedAtMs = clock.nowMs();
  const leftMs = request.deadlineAtMs - startedAtMs;
  const timeMs = Math.min(source.fetchMs ?? deps.fetchMs, leftMs);
  const outcome: FetchOutcome =
    leftMs <= 0 || request.signal.aborted
      ? { kind: 'failed', code: 'DEADLINE_EXCEEDED' }
      : await callWithin(source, { fetch, caller }, { startedAtMs, timeMs });
  const elapsedMs = clock.nowMs() - startedAtMs;
  const told = outcome.kind === 'failed' ? outcome.code : 'ok';
  observeFetch({ subgraph: source.name, outcome: told, elapsedMs });
  request.trace?.fetch(toLine(fetch, outcome, { subgraph: source.name, startedAtMs, elapsedMs, outcome: told }));
  return outcome;
}

function toLine(
  { place, variables: { representations } }: PlannedFetch,
  outcome: FetchOutcome,
  call: Pick<TracedFetch, 'subgraph' | 'startedAtMs' | 'elapsedMs' | 'outcome'>,
): TracedFetch {
  const { data, wire } = outcome.kind === 'failed' ? { data: null, wire: undefined } : outcome.result;
  const asked = Array.isArray(representations) ? representations.length : null;
  return {
    subgraph: call.subgraph,
    wave: place.wave,
    path: place.path,
    representations: asked,
    rows: asked === null ? Number(data !== null && data !== undefined) : countFound(data?.['_entities']),
    sentBytes: wire?.sentBytes ?? null,
    receivedBytes: wire?.receivedBytes ?? null,
    startedAtMs: call.startedAtMs,
    elapsedMs: call.elapsedMs,
    outcome: call.outcome,
  };
}

function countFound(entities: unknown): number {
  if (!Array.isArray(entities)) return 0;
  let found = 0;
  for (const entity of entities) if (entity !== null && entity !== undefined) found += 1;
  return found;
}

type CalledBy = Pick<AuthenticatedRequest, 'request' | 'authorization'>;

function callWithin(
  source: SubgraphSource,
  { fetch, caller }: { readonly fetch: PlannedFetch; readonly caller: CalledBy },
  { startedAtMs, timeMs }: { readonly startedAtMs: number; readonly timeMs: number },
): Promise<FetchOutcome> {
  return new Promise((resolve) => {
    const waiting: Mutable<Waiting> = { isOver: false, onOver: null };
    const leavers = leaversOf(caller.request.signal);
    const end = (outcome: FetchOutcome): void => {
      clearTimeout(timer);
      leavers.delete(leave);
      resolve(outcome);
    };
    const expire = (): void => {
      waiting.isOver = true;
      waiting.onOver?.();
      end({ kind: 'failed', code: 'DEADLINE_EXCEEDED' });
    };
    const leave = (): void => {
      clearTimeout(timer);
      timer = setTimeout(expire, GRACE_MS);
    };
    let timer = setTimeout(expire, timeMs + GRACE_MS);
    leavers.add(leave);
    const call: SourceFetch = {
      document: fetch.document,
      text: fetch.text,
      operationName: fetch.operationName,
      variables: fetch.variables,
      place: fetch.place,
      request: caller.request,
      authorization: caller.authorization,
      deadlineAtMs: startedAtMs + timeMs,
      waiting,
    };
    void answerOf(source, call).then(end);
  });
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const leaversBySignal = new WeakMap<AbortSignal, Set<() => void>>();

/** Called when the client leaves. One listener at its signal for all fetches of a request: each costs more than this. */
function leaversOf(signal: AbortSignal): Set<() => void> {
  const known = leaversBySignal.get(signal);
  if (known !== undefined) return known;
  const leavers = new Set<() => void>();
  leaversBySignal.set(signal, leavers);
  const tell = (): void => {
    for (const leave of leavers) leave();
  };
  signal.addEventListener('abort', tell, { once: true });
  return leavers;
}

async function answerOf(source: SubgraphSource, fetch: SourceFetch): Promise<FetchOutcome> {
  try {
    return { kind: 'answered', result: await source.execute(fetch) };
  } catch {
    return { kind: 'failed', code: 'SUBGRAPH_UNAVAILABLE' };
  }
}
