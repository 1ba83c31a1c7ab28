import { createHash } from 'node:crypto';
import { type DocumentNode, type GraphQLSchema, print } from 'graphql';
import { LRUCache } from 'lru-cache';

import { type CompiledOperation, compileOperation, findOperation } from './compile-operation.ts';
import { createTypeRelations } from './plan/type-relations.ts';
import { openPlanner, type Planner, PlanningTimeout, tooMuch } from './planning/open-planner.ts';
import { createOperationWeigher } from './planning/plan-weight.ts';
import { createPlannerThread, type PlannerThreadOptions, type PlanRequest } from './planning/planner-thread.ts';
import type { SubgraphAddress } from './subgraph-calls.ts';
import { hasErrorCode, requestError } from '#gateway/http/request-error.ts';
import { readNarrowedFields, readOwners } from '#gateway/supergraph.ts';
import { MortarError } from '#platform/errors.ts';
import { nextTurn } from '#platform/turns.ts';

/**
 * Operations beyond this weight are planned in a thread of their own. Below it planning takes at most 20 ms, 45 on a slow
 * machine and cold code: over our supergraph, random ones and those made to be hard. Pages of a shop weigh up to 10; the
 * largest operation that the limits allow over ours weighs 190.
 */
const MOST_WEIGHT = 50;
const CACHED_OPERATIONS = 2_000;
const CACHED_BYTES = 48 * 2 ** 20;
const REMEMBERED_REFUSALS = 500;
/** A document is refused without another try after as many; one that was refused by the clock may have met a busy machine. */
const TRIES_BY_CLOCK = 2;

/** A client's operation by text and name. */
export interface OperationSource {
  /** Hash of the text the document was parsed from, or printed to where fields were pruned. */
  readonly queryHash: string;
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
}

/** Who waits for an operation to be compiled. */
export interface CompileWait {
  /** Heavy operations are planned for callers in turn. */
  readonly caller: string;
  /** Nobody waits any longer: the client left, or its time is over. */
  readonly signal: AbortSignal;
}

/** One supergraph and all that is worked out from it; a new one makes a new object, so requests never see two. */
export interface LoadedGraph {
  /** Hash of the supergraph's text: the first 16 hexadecimal digits of SHA-256. */
  readonly id: string;
  readonly supergraphSdl: string;
  readonly apiSchema: GraphQLSchema;
  readonly subgraphs: readonly SubgraphAddress[];
  /** `Type.field` -> the subgraph that answers it. */
  readonly owners: ReadonlyMap<string, string>;
  /**
   * Compiled once; bounded, the least recently used goes. At once where planning is quick, else planned in a thread.
   * @throws {GraphQLError} OPERATION_RESOLUTION_FAILURE; LIMIT_COST when it takes too long to plan; OVERLOADED;
   *   DEADLINE_EXCEEDED when the wait was over before
   */
  readonly compile: (source: OperationSource, wait: CompileWait) => CompiledOperation | Promise<CompiledOperation>;
  /** What is asked most, most first; for warming the next graph. */
  readonly mostUsed: (count: number) => readonly OperationSource[];
  /** Another one is served: the thread ends as soon as no request waits for it. */
  readonly retire: () => void;
  /** Ends the thread, if there is one. */
  readonly close: () => Promise<void>;
}

interface CachedOperation {
  readonly compiled: CompiledOperation;
  readonly source: OperationSource;
  uses: number;
}

/** An operation that is planned in the thread, for all who ask for it meanwhile. */
interface Planning {
  readonly compiled: Promise<CompiledOperation>;
  readonly waiting: { count: number };
}

/** The name of a supergraph in logs, metrics and /readyz. */
export function graphId(supergraphSdl: string): string {
  return createHash('sha256').update(supergraphSdl).digest('hex').slice(0, 16);
}

/**
 * In steps between which others go on.
 * @throws {MortarError} CONFIGURATION_INVALID when the supergraph is no supergraph, or demands security we do not enforce
 */
export async function loadGraph(supergraphSdl: string, threadOptions: PlannerThreadOptions = {}): Promise<LoadedGraph> {
  const planner = await openOrRefuse(supergraphSdl);
  await nextTurn();
  const { supergraph } = planner;
  const apiSchema = planner.apiSchema.toGraphQLJSSchema();
  await nextTurn();
  const narrowed = readNarrowedFields(supergraphSdl);
  const compiler = { apiSchema, types: createTypeRelations(supergraph.schema.toGraphQLJSSchema(), narrowed) };
  await nextTurn();
  const weigh = createOperationWeigher(supergraphSdl, apiSchema);
  const thread = createPlannerThread(supergraphSdl, threadOptions);
  const cache = new LRUCache<string, CachedOperation>({
    max: CACHED_OPERATIONS,
    // By the memory they take: whoever sends ever new texts costs no more than this.
    maxSize: CACHED_BYTES,
    sizeCalculation: ({ compiled }) => compiled.bytes,
  });
  const inThread = new Map<string, Planning>();
  /** Tries that ended in a refusal. */
  const refusedTries = new LRUCache<string, number>({ max: REMEMBERED_REFUSALS });

  const keep = (key: string, source: OperationSource, compiled: CompiledOperation): CompiledOperation => {
    cache.set(key, { compiled, source, uses: 1 });
    return compiled;
  };
  const planInThread = async (
    key: string,
    source: OperationSource,
    asked: Pick<PlanRequest, 'caller' | 'isWanted'>,
  ): Promise<CompiledOperation> => {
    const { document, operationName } = source;
    const operation = findOperation(document, operationName);
    try {
      const plan = await thread.plan({ text: print(document), operationName, ...asked });
      refusedTries.delete(key);
      return keep(key, source, compileOperation(compiler, { document, operation }, plan));
    } catch (error) {
      // Each try costs as much as the one before; the planner's own refusal is always the same.
      const tries = error instanceof PlanningTimeout ? 1 : TRIES_BY_CLOCK;
      if (hasErrorCode(error, 'LIMIT_COST')) refusedTries.set(key, (refusedTries.get(key) ?? 0) + tries);
      throw error;
    } finally {
      inThread.delete(key);
    }
  };
  const startPlanning = (key: string, source: OperationSource, caller: string): Planning => {
    // Who asks now.
    const waiting = { count: 1 };
    const isWanted = (): boolean => waiting.count > 0;
    const compiled = planInThread(key, source, { caller, isWanted });
    // Once all who waited have left, nobody hears how it ended.
    compiled.catch(() => undefined);
    const planning = { compiled, waiting };
    inThread.set(key, planning);
    return planning;
  };
  const waitFor = async ({ compiled, waiting }: Planning, signal: AbortSignal): Promise<CompiledOperation> => {
    try {
      return await untilAborted(compiled, signal);
    } finally {
      waiting.count -= 1;
      if (waiting.count === 0) thread.review();
    }
  };
  const compileAnew = (
    key: string,
    source: OperationSource,
    { caller, signal }: CompileWait,
  ): CompiledOperation | Promise<CompiledOperation> => {
    const { document, operationName } = source;
    const operation = findOperation(document, operationName);
    if (weigh(document, operation, MOST_WEIGHT) < MOST_WEIGHT)
      return keep(
        key,
        source,
        compileOperation(compiler, { document, operation }, planner.plan(document, operationName)),
      );
    if ((refusedTries.get(key) ?? 0) >= TRIES_BY_CLOCK) throw tooMuch();
    if (signal.aborted) throw requestError('DEADLINE_EXCEEDED');
    const started = inThread.get(key);
    if (started === undefined) return waitFor(startPlanning(key, source, caller), signal);
    started.waiting.count += 1;
    return waitFor(started, signal);
  };
  return {
    id: graphId(supergraphSdl),
    supergraphSdl,
    apiSchema,
    subgraphs: supergraph.subgraphsMetadata().map(({ name, url }) => ({ name, url })),
    owners: readOwners(supergraphSdl),
    compile: (source, wait) => {
      const key = `${source.queryHash} ${source.operationName ?? ''}`;
      const known = cache.get(key);
      if (known === undefined) return compileAnew(key, source, wait);
      known.uses += 1;
      return known.compiled;
    },
    mostUsed: (count) =>
      [...cache.values()]
        .toSorted((a, b) => b.uses - a.uses)
        .slice(0, count)
        .map(({ source }) => source),
    retire: thread.retire,
    close: thread.close,
  };
}

/** @throws {GraphQLError} DEADLINE_EXCEEDED once the signal is aborted */
async function untilAborted<Result>(result: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise: left, reject } = Promise.withResolvers<never>();
  const leave = (): void => reject(requestError('DEADLINE_EXCEEDED'));
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([result, left]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

async function openOrRefuse(supergraphSdl: string): Promise<Planner> {
  try {
    return await openPlanner(supergraphSdl, { withDocuments: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MortarError('CONFIGURATION_INVALID', {
      message: `the supergraph cannot be loaded: ${reason}`,
      cause: error,
    });
  }
}
