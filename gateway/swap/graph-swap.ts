import { type Engine, EngineClosed } from '#gateway/executor/engine.ts';
import { graphId, type LoadedGraph } from '#gateway/executor/loaded-graph.ts';
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import type { Metrics } from '#platform/metrics.ts';
import { nextTurn } from '#platform/turns.ts';

/** Which supergraph is served, for /readyz and operators. */
export interface GraphStatus {
  /** First 16 hexadecimal digits of the SHA-256 of its text. */
  readonly id: string;
  readonly loadedAtMs: number;
  /** The last one that was refused since, until what is served is offered again; null: none. Why stands in the log. */
  readonly refused: { readonly id: string; readonly atMs: number } | null;
}

export interface GraphSwap {
  /** Serves another supergraph from the next request on, or refuses it with a line in the log. Never rejects. */
  readonly offer: (supergraphSdl: string) => Promise<'swapped' | 'same' | 'refused'>;
  readonly status: () => GraphStatus;
}

export interface GraphSwapDeps {
  readonly engine: Pick<Engine, 'graph' | 'update'>;
  /** @throws {Error} when a supergraph must not be served although it loads; `before` is the one served now */
  readonly assertServable: (supergraphSdl: string, before: string) => Promise<void>;
  /** Called with a graph that took over. */
  readonly onSwapped: (graph: LoadedGraph) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observeGraph: Metrics['observeGraph'];
}

/** Swaps the supergraph of a running engine, one at a time in the order they are offered. */
export function createGraphSwap(deps: GraphSwapDeps): GraphSwap {
  const { engine, clock, logger, observeGraph } = deps;
  let status: GraphStatus = { id: engine.graph().id, loadedAtMs: clock.nowMs(), refused: null };
  let last: Promise<unknown> = Promise.resolve();
  observeGraph({ kind: 'loaded', id: status.id, atMs: status.loadedAtMs });

  const swap = async (supergraphSdl: string): Promise<'swapped' | 'same' | 'refused'> => {
    const before = engine.graph().supergraphSdl;
    if (supergraphSdl === before) {
      // What was refused has gone.
      status = { ...status, refused: null };
      return 'same';
    }
    try {
      await deps.assertServable(supergraphSdl, before);
      await nextTurn();
      const graph = await engine.update(supergraphSdl);
      status = { id: graph.id, loadedAtMs: clock.nowMs(), refused: null };
      observeGraph({ kind: 'loaded', id: status.id, atMs: status.loadedAtMs });
      deps.onSwapped(graph);
      logger.info({ graph: graph.id }, 'another supergraph is served');
      return 'swapped';
    } catch (error) {
      if (error instanceof EngineClosed) {
        logger.info({}, 'a supergraph that was offered at the end is not loaded');
        return 'refused';
      }
      const refused = { id: graphId(supergraphSdl), atMs: clock.nowMs() };
      status = { ...status, refused };
      observeGraph({ kind: 'refused' });
      const reason = error instanceof Error ? error.message : String(error);
      logger.error(
        { graph: status.id, refused: refused.id, reason: reason.slice(0, MOST_REASON) },
        'a supergraph was refused; the one before is served on',
      );
      return 'refused';
    }
  };
  return {
    offer: (supergraphSdl) => {
      const offered = last.then(() => swap(supergraphSdl));
      last = offered;
      return offered;
    },
    status: () => status,
  };
}

/** A line of the log; a supergraph may break in a thousand places. */
const MOST_REASON = 4_000;
