import type { FetchOutcome, PlannedFetch } from './plan/run.ts';
import type { Clock } from '#platform/clock.ts';
import type { Metrics } from '#platform/metrics.ts';
import type { SubgraphFetch, SubgraphResult } from '#platform/subgraph.ts';
import type { RequestContext } from '#schema/model/request.ts';

/** One fetch as a subgraph gets it, wherever it runs. */
export interface SourceFetch extends SubgraphFetch {
  /** The document as text; a subgraph of this process needs only the parsed one. */
  readonly text: string;
  /** Ends with the fetch's own time or when the client leaves: whoever calls out stops then. */
  readonly signal: AbortSignal;
}

/** A subgraph the executor can call: one of this process is one already. */
export interface SubgraphSource {
  readonly name: string;
  readonly execute: (fetch: SourceFetch) => Promise<SubgraphResult>;
}

export interface SubgraphCallsDeps {
  readonly clock: Clock;
  /** Longest time one fetch may take. */
  readonly fetchMs: number;
  readonly observeFetch: Metrics['observeFetch'];
}

/** Subgraphs end at the request's deadline by themselves and then answer what they have: they get this much to do so. */
const GRACE_MS = 40;

/**
 * Calls one subgraph within the request's deadline and the fetch's own; a late, broken or missing subgraph is an outcome,
 * never a rejection. Nothing is started for a client that left.
 */
export async function callSubgraph(
  source: SubgraphSource,
  fetch: PlannedFetch,
  request: RequestContext,
  deps: SubgraphCallsDeps,
): Promise<FetchOutcome> {
  const { clock, observeFetch } = deps;
  const startedAtMs = clock.nowMs();
  const leftMs = request.deadlineAtMs - startedAtMs;
  const outcome: FetchOutcome =
    leftMs <= 0 || request.signal.aborted
      ? { kind: 'failed', code: 'DEADLINE_EXCEEDED' }
      : await callWithin(source, { ...fetch, request }, Math.min(deps.fetchMs, leftMs + GRACE_MS));
  observeFetch({
    subgraph: source.name,
    outcome: outcome.kind === 'failed' ? outcome.code : 'ok',
    elapsedMs: clock.nowMs() - startedAtMs,
  });
  return outcome;
}

async function callWithin(
  source: SubgraphSource,
  fetch: PlannedFetch & { readonly request: RequestContext },
  timeMs: number,
): Promise<FetchOutcome> {
  const controller = new AbortController();
  const { promise: late, resolve } = Promise.withResolvers<FetchOutcome>();
  const expire = (): void => {
    controller.abort();
    resolve({ kind: 'failed', code: 'DEADLINE_EXCEEDED' });
  };
  let timer = setTimeout(expire, timeMs);
  const leave = (): void => {
    clearTimeout(timer);
    timer = setTimeout(expire, GRACE_MS);
  };
  fetch.request.signal.addEventListener('abort', leave, { once: true });
  const outcome = await Promise.race([answerOf(source, { ...fetch, signal: controller.signal }), late]);
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
