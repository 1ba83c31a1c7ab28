import type { DocumentNode } from 'graphql';

import type { GatewayContext } from './context.ts';
import { type LoadedGraph, loadGraph } from './loaded-graph.ts';
import type { FetchOutcome, PlannedFetch } from './plan/run.ts';
import { type OperationAnswer, runOperation } from './run-operation.ts';
import { callSubgraph, type SubgraphCallsDeps, type SubgraphSource } from './subgraph-calls.ts';
import type { Logger } from '#platform/log.ts';

export interface EngineDeps extends SubgraphCallsDeps {
  readonly supergraphSdl: string;
  readonly subgraphs: readonly SubgraphSource[];
  readonly logger: Logger;
}

/** One validated operation of one caller. */
export interface EngineRequest {
  readonly document: DocumentNode;
  /** Of the document's text; a changed document has a hash of its own. */
  readonly queryHash: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly context: Pick<GatewayContext, 'caller' | 'notices'>;
}

/** Plans and executes operations over the subgraphs of a supergraph. */
export interface Engine {
  /** @throws {Error} when the supergraph demands security we do not enforce, or names a subgraph that is not here */
  readonly load: () => Promise<void>;
  /**
   * Replaces the supergraph between two requests: what runs finishes on the old one, and the operations asked most are
   * planned before the change. @throws {Error} as `load`; the old one then serves on
   */
  readonly update: (supergraphSdl: string) => Promise<void>;
  /** Called at each load and update, before a request sees the new graph; and at once when one is loaded. */
  readonly onLoad: (listener: (graph: LoadedGraph) => void) => () => void;
  /** `Type.field` -> the subgraph that answers it. */
  readonly owners: () => ReadonlyMap<string, string>;
  /** @throws {GraphQLError} LIMIT_COST, OPERATION_RESOLUTION_FAILURE */
  readonly execute: (request: EngineRequest) => Promise<OperationAnswer>;
}

/** Operations planned before a new supergraph takes over. */
const WARMED_OPERATIONS = 50;

/** The federation engine: Apollo's query planner, our own execution. Opens no socket by itself. */
export function createEngine(deps: EngineDeps): Engine {
  const sources = new Map(deps.subgraphs.map((source) => [source.name, source]));
  const listeners = new Set<(graph: LoadedGraph) => void>();
  let current: LoadedGraph | null = null;

  const open = (supergraphSdl: string): LoadedGraph => {
    const graph = loadGraph(supergraphSdl);
    const missing = graph.subgraphs.find((name) => !sources.has(name));
    if (missing !== undefined) throw new Error(`the supergraph names the subgraph ${missing}, which is not wired`);
    return graph;
  };
  const use = (graph: LoadedGraph): void => {
    for (const listener of listeners) listener(graph);
    current = graph;
  };
  const loaded = (): LoadedGraph => {
    if (current === null) throw new Error('the engine has not loaded a supergraph');
    return current;
  };

  return {
    load: () => {
      use(open(deps.supergraphSdl));
      return Promise.resolve();
    },
    update: async (supergraphSdl) => {
      const graph = open(supergraphSdl);
      await warm(graph, current, deps.logger);
      use(graph);
    },
    onLoad: (listener) => {
      listeners.add(listener);
      if (current !== null) listener(current);
      return () => listeners.delete(listener);
    },
    owners: () => loaded().owners,
    execute: async (request) => {
      const graph = loaded();
      const { variables, context } = request;
      const fetch = (planned: PlannedFetch): Promise<FetchOutcome> => {
        const source = sources.get(planned.subgraph);
        if (context.caller === null) return Promise.resolve({ kind: 'failed', code: 'UNAUTHENTICATED' });
        if (source === undefined) return Promise.resolve({ kind: 'failed', code: 'SUBGRAPH_UNAVAILABLE' });
        return callSubgraph(source, planned, context.caller.request, deps);
      };
      return runOperation(graph.compile(request), { graph, variables, fetch, notices: context.notices });
    },
  };
}

/** Plans what the old graph was asked most, one operation at a time, so that requests go on between. */
async function warm(graph: LoadedGraph, before: LoadedGraph | null, logger: Logger): Promise<void> {
  for (const source of before?.mostUsed(WARMED_OPERATIONS) ?? []) {
    // oxlint-disable-next-line no-await-in-loop -- that is the point
    await new Promise((resolve) => setImmediate(resolve));
    try {
      graph.compile(source);
    } catch {
      // It asks for what the new graph no longer has; whoever sends it again is told so.
      logger.debug({}, 'an operation does not fit the new supergraph');
    }
  }
}
