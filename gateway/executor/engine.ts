import type { DocumentNode, GraphQLSchema } from 'graphql';

import type { GatewayContext } from './context.ts';
import { type LoadedGraph, loadGraph } from './loaded-graph.ts';
import type { FetchOutcome, PlannedFetch } from './plan/run.ts';
import { type OperationAnswer, runOperation } from './run-operation.ts';
import { callSubgraph, type SubgraphAddress, type SubgraphCallsDeps, type SubgraphSource } from './subgraph-calls.ts';
import { MortarError } from '#platform/errors.ts';
import { callerKey } from '#gateway/auth/principal.ts';
import type { Logger } from '#platform/log.ts';
import type { SourceWatch } from '#platform/subgraph.ts';
import { isLong, nextTurn } from '#platform/turns.ts';

export interface EngineDeps extends SubgraphCallsDeps {
  readonly supergraphSdl: string;
  /** Those of this process; they go before remote ones of the same name. */
  readonly subgraphs: readonly SubgraphSource[];
  /** Finds a subgraph of another process; null: its address is not known. @default there are none */
  readonly findRemote?: ((address: SubgraphAddress) => SubgraphSource | null) | undefined;
  readonly logger: Logger;
}

/** One validated operation of one caller. */
export interface EngineRequest {
  readonly document: DocumentNode;
  /** Of the document's text; a changed document has a hash of its own. */
  readonly queryHash: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  /** The API schema the document was validated against: it finishes on that graph. @default the one loaded now */
  readonly schema?: GraphQLSchema | undefined;
  readonly context: Pick<GatewayContext, 'caller' | 'notices'>;
  /** Called with what a subgraph told in `extensions` beside each answer. @default nobody asks */
  readonly onExtensions?: (subgraph: string, extensions: Readonly<Record<string, unknown>>) => void;
}

/** Plans and executes operations over the subgraphs of a supergraph. */
export interface Engine {
  /** @throws {Error} when the supergraph demands security we do not enforce, or names a subgraph that is not here; {EngineClosed} */
  readonly load: () => Promise<void>;
  /**
   * Replaces the supergraph between two requests: what runs finishes on the old one, and the operations asked most are
   * planned before the change. @throws {Error} as `load`; the old one then serves on
   */
  readonly update: (supergraphSdl: string) => Promise<LoadedGraph>;
  /** Called at each load and update, before a request sees the new graph; and at once when one is loaded. */
  readonly onLoad: (listener: (graph: LoadedGraph) => void) => () => void;
  /** The loaded graph, or the one an API schema belongs to. */
  readonly graph: (schema?: GraphQLSchema) => LoadedGraph;
  /** @throws {GraphQLError} LIMIT_COST, OPERATION_RESOLUTION_FAILURE */
  readonly execute: (request: EngineRequest) => Promise<OperationAnswer>;
  /**
   * Opens the source stream of a field of Subscription in the subgraph that owns it; answers how to close it.
   * @throws {MortarError} SCOPE_REQUIRED; OPERATION_RESOLUTION_FAILURE: there is no such stream
   */
  readonly watch: (watch: SourceWatch) => Promise<() => void>;
  /** Where the source stream of a field of Subscription is opened now, in words to compare; null: nowhere. */
  readonly sourceOf: (field: string) => string | null;
  /** Ends what runs beside the requests. */
  readonly close: () => Promise<void>;
}

/** Its engine was closed before a supergraph could take over. */
export class EngineClosed extends Error {
  constructor() {
    super('the engine was closed');
    this.name = 'EngineClosed';
  }
}

/** A supergraph and where its subgraphs answer: a request sees one pair from its beginning to its end. */
interface ServedGraph {
  readonly graph: LoadedGraph;
  readonly sources: ReadonlyMap<string, SubgraphSource>;
}

/** Operations planned before a new supergraph takes over. */
const WARMED_OPERATIONS = 50;
const WARM_HEAVY_MS = 3_000;
/** Stands beside the callers where heavy operations are planned; none of them has such a name. */
const WARMING = ' warming';

/** The federation engine: Apollo's query planner, our own execution. Opens no socket by itself. */
export function createEngine(deps: EngineDeps): Engine {
  const wired = new Map(deps.subgraphs.map((source) => [source.name, source]));
  const listeners = new Set<(graph: LoadedGraph) => void>();
  // A request keeps its schema, and with it its graph, until it is answered.
  const bySchema = new WeakMap<GraphQLSchema, ServedGraph>();
  let current: ServedGraph | null = null;
  let isClosed = false;

  const open = async (supergraphSdl: string): Promise<ServedGraph> => {
    const graph = await loadGraph(supergraphSdl);
    if (isClosed) throw new EngineClosed();
    const sources = new Map<string, SubgraphSource>();
    for (const address of graph.subgraphs) {
      const source = wired.get(address.name) ?? deps.findRemote?.(address) ?? null;
      if (source === null)
        throw new Error(`the supergraph names the subgraph ${address.name}, which is not wired and has no address`);
      sources.set(address.name, source);
    }
    return { graph, sources };
  };
  const use = (served: ServedGraph): void => {
    bySchema.set(served.graph.apiSchema, served);
    for (const listener of listeners) listener(served.graph);
    current = served;
  };
  const servedFor = (schema: GraphQLSchema | undefined): ServedGraph => {
    const served = (schema === undefined ? undefined : bySchema.get(schema)) ?? current;
    if (served === null) throw new Error('the engine has not loaded a supergraph');
    return served;
  };

  return {
    load: async () => {
      use(await open(deps.supergraphSdl));
    },
    update: async (supergraphSdl) => {
      const served = await open(supergraphSdl);
      const before = current?.graph ?? null;
      await warm(served.graph, before, deps.logger);
      if (isClosed) {
        await served.graph.close();
        throw new EngineClosed();
      }
      use(served);
      before?.retire();
      return served.graph;
    },
    onLoad: (listener) => {
      listeners.add(listener);
      if (current !== null) listener(current.graph);
      return () => listeners.delete(listener);
    },
    graph: (schema) => servedFor(schema).graph,
    watch: async (watch) => {
      const { graph, sources } = servedFor(undefined);
      const watchSource = sources.get(ownerOf(graph, watch.field) ?? '')?.watch;
      if (watchSource === undefined) {
        const message = `Subscription.${watch.field} is not answered here.`;
        throw new MortarError('OPERATION_RESOLUTION_FAILURE', { message });
      }
      return await watchSource(watch);
    },
    sourceOf: (field) => {
      const { graph } = servedFor(undefined);
      const owner = ownerOf(graph, field);
      return owner === null ? null : `${owner} ${graph.subgraphs.find(({ name }) => name === owner)?.url ?? ''}`;
    },
    execute: async (request) => {
      const { graph, sources } = servedFor(request.schema);
      const { variables, context, onExtensions } = request;
      let { caller } = context;
      const fetch = (planned: PlannedFetch): Promise<FetchOutcome> => {
        const source = sources.get(planned.subgraph);
        if (caller === null) return Promise.resolve({ kind: 'failed', code: 'UNAUTHENTICATED' });
        if (source === undefined) return Promise.resolve({ kind: 'failed', code: 'SUBGRAPH_UNAVAILABLE' });
        // Subgraphs of this process keep what they read by the request it was read for.
        if (planned.changes) caller = { ...caller, request: { ...caller.request } };
        const calling = callSubgraph(source, planned, caller, deps);
        return onExtensions === undefined ? calling : told(calling, planned.subgraph, onExtensions);
      };
      const signal = caller?.request.signal ?? new AbortController().signal;
      const wait = { caller: caller === null ? '' : callerKey(caller.principal), signal };
      const startedAtMs = performance.now();
      const compiling = graph.compile(request, wait);
      // Nearly always known already, and then nothing is waited for.
      const compiled = compiling instanceof Promise ? await compiling : compiling;
      if (isLong(startedAtMs)) await nextTurn();
      return runOperation(compiled, { graph, variables, fetch, notices: context.notices });
    },
    close: async () => {
      isClosed = true;
      await current?.graph.close();
    },
  };
}

async function told(
  calling: Promise<FetchOutcome>,
  subgraph: string,
  onExtensions: NonNullable<EngineRequest['onExtensions']>,
): Promise<FetchOutcome> {
  const outcome = await calling;
  const extensions = outcome.kind === 'answered' ? outcome.result.extensions : undefined;
  if (extensions !== undefined) onExtensions(subgraph, extensions);
  return outcome;
}

/** The subgraph that answers a field of Subscription. */
function ownerOf({ owners, apiSchema }: LoadedGraph, field: string): string | null {
  return owners.get(`${apiSchema.getSubscriptionType()?.name}.${field}`) ?? null;
}

/**
 * Plans what the old graph was asked most, one operation at a time, so that requests go on between. What is planned in a
 * thread is waited for only so long.
 */
async function warm(graph: LoadedGraph, before: LoadedGraph | null, logger: Logger): Promise<void> {
  const wait = { caller: WARMING, signal: AbortSignal.timeout(WARM_HEAVY_MS) };
  for (const source of before?.mostUsed(WARMED_OPERATIONS) ?? []) {
    // oxlint-disable-next-line no-await-in-loop -- that is the point
    await nextTurn();
    try {
      // oxlint-disable-next-line no-await-in-loop -- that is the point
      await graph.compile(source, wait);
    } catch {
      // It asks for what the new graph no longer has, and whoever sends it again is told so; or there was no time.
      logger.debug({}, 'an operation was not planned for the new supergraph');
    }
  }
}
