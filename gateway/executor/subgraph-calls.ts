import type { AuthenticatedRequest } from './context.ts';
import type { FetchOutcome, PlannedFetch, PlanPlace } from './plan/run.ts';
import type { Clock } from '#platform/clock.ts';
import type { Metrics } from '#platform/metrics.ts';
import type { SourceWatch, SubgraphFetch, SubgraphResult } from '#platform/subgraph.ts';

/** One fetch as a subgraph gets it, wherever it runs. */
export interface SourceFetch extends SubgraphFetch {
  /** The document as text; a subgraph of this process needs only the parsed one. */
  readonly text: string;
  /** Where it stands in its plan. */
  readonly place?: PlanPlace;
  /** When the subgraph should answer what it has: the request's deadline or the fetch's own, epoch milliseconds. */
  readonly deadlineAtMs: number;
  /** Nobody waits any longer, because the client left or the subgraph did not keep its deadline: whoever calls out stops. */
  readonly signal: AbortSignal;
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
  { request, authorization }: Pick<AuthenticatedRequest, 'request' | 'authorization'>,
  deps: SubgraphCallsDeps,
): Promise<FetchOutcome> {
  const { clock, observeFetch } = deps;
  const startedAtMs = clock.nowMs();
  const leftMs = request.deadlineAtMs - startedAtMs;
  const outcome: FetchOutcome =
    leftMs <= 0 || request.signal.aborted
      ? { kind: 'failed', code: 'DEADLINE_EXCEEDED' }
      : await callWithin(
          source,
          { ...fetch, request, authorization },
          { startedAtMs, timeMs: Math.min(source.fetchMs ?? deps.fetchMs, leftMs) },
        );
  const elapsedMs = clock.nowMs() - startedAtMs;
  const told = { subgraph: source.name, outcome: outcome.kind === 'failed' ? outcome.code : 'ok', elapsedMs };
  observeFetch(told);
  request.trace?.fetch({ ...told, ...fetch.place, ...countsOf(fetch, outcome), startedAtMs });
  return outcome;
}

function countsOf({ variables: { representations } }: PlannedFetch, outcome: FetchOutcome) {
  const { data, wire } = outcome.kind === 'failed' ? { data: null, wire: undefined } : outcome.result;
  const entities: unknown = data?.['_entities'];
  const asked = Array.isArray(representations);
  const found = Array.isArray(entities)
    ? entities.filter((entity) => entity !== null && entity !== undefined).length
    : 0;
  return {
    representations: asked ? representations.length : null,
    rows: asked ? found : Number(data !== null && data !== undefined),
    sentBytes: wire?.sentBytes ?? null,
    receivedBytes: wire?.receivedBytes ?? null,
  };
}

async function callWithin(
  source: SubgraphSource,
  fetch: PlannedFetch & Pick<AuthenticatedRequest, 'request' | 'authorization'>,
  { startedAtMs, timeMs }: { readonly startedAtMs: number; readonly timeMs: number },
): Promise<FetchOutcome> {
  const controller = new AbortController();
  const { promise: late, resolve } = Promise.withResolvers<FetchOutcome>();
  const expire = (): void => {
    controller.abort();
    resolve({ kind: 'failed', code: 'DEADLINE_EXCEEDED' });
  };
  let timer = setTimeout(expire, timeMs + GRACE_MS);
  const leave = (): void => {
    clearTimeout(timer);
    timer = setTimeout(expire, GRACE_MS);
  };
  fetch.request.signal.addEventListener('abort', leave, { once: true });
  const call = { ...fetch, deadlineAtMs: startedAtMs + timeMs, signal: controller.signal };
  const outcome = await Promise.race([answerOf(source, call), late]);
  clearTimeout(timer);
  fetch.request.signal.removeEventListener('abort', leave);
  return outcome;
}

async function answerOf(source: SubgraphSource, fetch: SourceFetch): Promise<FetchOutcome> {
  try {
    return { kind: 'answered', result: await source.execute(fetch) };
  } catch {
    return { kind: 'failed', code: 'SUBGRAPH_UNAVAILABLE' };
  }
}
