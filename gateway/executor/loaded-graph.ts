import { Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';

import { type CompiledOperation, compileOperation, type OperationCompiler } from './compile-operation.ts';
import { createTypeRelations } from './plan/type-relations.ts';
import { stripSecurity } from '#gateway/composition.ts';
import { readOwners } from '#gateway/supergraph.ts';

/**
 * A hostile document could otherwise keep the planner busy for 380 ms (14 shareable fields in 5 subgraphs); with 100 plans
 * the worst that passes admission takes 30 ms.
 */
const MAX_EVALUATED_PLANS = 100;
const CACHED_OPERATIONS = 2_000;
const CACHED_BYTES = 48 * 2 ** 20;

/** A client's operation by text and name. */
export interface OperationSource {
  /** Hash of the text the document was parsed from, or printed to where fields were pruned. */
  readonly queryHash: string;
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
}

/** One supergraph and all that is worked out from it; a new one makes a new object, so requests never see two. */
export interface LoadedGraph {
  readonly supergraphSdl: string;
  readonly apiSchema: GraphQLSchema;
  readonly subgraphs: readonly string[];
  /** `Type.field` -> the subgraph that answers it. */
  readonly owners: ReadonlyMap<string, string>;
  /** Compiled once; bounded, the least recently used goes. @throws {GraphQLError} see compileOperation */
  readonly compile: (source: OperationSource) => CompiledOperation;
  /** What is asked most, most first; for warming the next graph. */
  readonly mostUsed: (count: number) => readonly OperationSource[];
}

interface CachedOperation {
  readonly compiled: CompiledOperation;
  readonly source: OperationSource;
  uses: number;
}

/** @throws {Error} when the supergraph is no supergraph, or demands security we do not enforce */
export function loadGraph(supergraphSdl: string): LoadedGraph {
  const supergraph = Supergraph.build(stripSecurity(supergraphSdl));
  const plannedSchema = supergraph.apiSchema();
  const compiler: OperationCompiler = {
    apiSchema: plannedSchema.toGraphQLJSSchema(),
    plannedSchema,
    planner: new QueryPlanner(supergraph, {
      exposeDocumentNodeInFetchNode: true,
      debug: { maxEvaluatedPlans: MAX_EVALUATED_PLANS },
    }),
    types: createTypeRelations(supergraph.schema.toGraphQLJSSchema()),
  };
  const cache = new LRUCache<string, CachedOperation>({
    max: CACHED_OPERATIONS,
    // By the memory they take: whoever sends ever new texts costs no more than this.
    maxSize: CACHED_BYTES,
    sizeCalculation: ({ compiled }) => compiled.bytes,
  });
  const compile: LoadedGraph['compile'] = (source) => {
    const key = `${source.queryHash} ${source.operationName ?? ''}`;
    const known = cache.get(key);
    if (known !== undefined) {
      known.uses += 1;
      return known.compiled;
    }
    const compiled = compileOperation(compiler, source.document, source.operationName);
    cache.set(key, { compiled, source, uses: 1 });
    return compiled;
  };
  return {
    supergraphSdl,
    apiSchema: compiler.apiSchema,
    subgraphs: supergraph.subgraphsMetadata().map(({ name }) => name),
    owners: readOwners(supergraphSdl),
    compile,
    mostUsed: (count) =>
      [...cache.values()]
        .toSorted((a, b) => b.uses - a.uses)
        .slice(0, count)
        .map(({ source }) => source),
  };
}
