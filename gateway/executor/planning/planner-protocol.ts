import type { QueryPlan } from '@apollo/query-planner';

/** What the thread is started with. */
export interface PlannerThreadData {
  readonly supergraphSdl: string;
}

/** One operation to plan. */
export interface PlanJob {
  readonly id: number;
  readonly text: string;
  readonly operationName: string | undefined;
}

export type PlannerMessage =
  /** The supergraph is loaded. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'planned'; readonly id: number; readonly plan: QueryPlan }
  /** The planner gave up by its own limits. */
  | { readonly kind: 'refused'; readonly id: number }
  /** The message may hold texts of the caller: for logs only. */
  | { readonly kind: 'failed'; readonly id: number; readonly message: string };
