import { operationFromDocument, type Schema, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner, type QueryPlan } from '@apollo/query-planner';
import { type DocumentNode, GraphQLError } from 'graphql';

import { requestError } from '#gateway/http/request-error.ts';
import { withoutIntrospection } from '#gateway/executor/introspection.ts';
import { stripSecurity } from '#gateway/composition.ts';
import { nextTurn } from '#platform/turns.ts';

/** Plans compared with each other, the fewest first. */
const MAX_EVALUATED_PLANS = 100;

/** A supergraph as Apollo's planner has it. */
export interface Planner {
  readonly supergraph: Supergraph;
  /** The API schema in the planner's own terms. */
  readonly apiSchema: Schema;
  /** Holds its thread until it is done. @throws {GraphQLError} LIMIT_COST when the planner gives up on a document */
  readonly plan: (document: DocumentNode, operationName: string | undefined) => QueryPlan;
}

export interface PlannerOptions {
  /** Fetches carry their parsed document; off where the plan leaves the thread. */
  readonly withDocuments: boolean;
}

/**
 * In steps between which others go on: a swap happens beside requests. Each takes 5 to 35 ms for our own supergraph.
 * @throws {Error} when the supergraph is no supergraph, or demands security we do not enforce
 */
export async function openPlanner(supergraphSdl: string, { withDocuments }: PlannerOptions): Promise<Planner> {
  const supergraph = Supergraph.build(stripSecurity(supergraphSdl));
  await nextTurn();
  const apiSchema = supergraph.apiSchema();
  await nextTurn();
  const planner = new QueryPlanner(supergraph, {
    exposeDocumentNodeInFetchNode: withDocuments,
    debug: { maxEvaluatedPlans: MAX_EVALUATED_PLANS },
  });
  const plan: Planner['plan'] = (document, operationName) => {
    try {
      // Apollo Server validates each document once.
      const named = operationName === undefined ? {} : { operationName };
      const planned = withoutIntrospection(document);
      return planner.buildQueryPlan(operationFromDocument(apiSchema, planned, { ...named, validate: false }));
    } catch (error) {
      // The planner's own limits are plain errors; see validateRecursiveSelections and checkNonLocalSelectionsLimit there.
      // The last: ways of an interface's types, combined (flatCartesianProduct), are more than an array holds.
      if (error instanceof Error && /^(Exceeded maximum|Number of .* exceeds|Invalid array length)/.test(error.message))
        throw tooMuch();
      throw error;
    }
  };
  return { supergraph, apiSchema, plan };
}

/** The refusal of a document that would take too long to plan. */
export function tooMuch(): GraphQLError {
  return requestError('LIMIT_COST', 'The document selects too much to be planned.');
}

/** The same refusal by the clock: a busy machine may have been the reason, and not the document. */
export class PlanningTimeout extends GraphQLError {
  constructor() {
    const { message, extensions } = tooMuch();
    super(message, { extensions });
  }
}
