import type { DocumentNode } from 'graphql';

import type { AdoptionRoom } from './adopt.ts';
import type { EntityBatch } from './entity-batch.ts';
import type { Target } from './paths.ts';
import type { Report } from './report.ts';
import type { ErrorCode } from '#platform/errors.ts';
import type { SubgraphResult } from '#platform/subgraph.ts';

/** One call to a subgraph, as a plan words it. */
export interface PlannedFetch {
  readonly subgraph: string;
  readonly document: DocumentNode;
  /** The document as text, for subgraphs that are not in this process. */
  readonly text: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly place: PlanPlace;
  /** It asks fields of Mutation: what was read before must not be shown after. */
  readonly changes: boolean;
}

/** Where a fetch stands in its plan. */
export interface PlanPlace {
  /** From 1: a wave needs what the waves before it fetched. */
  readonly wave: number;
  /** Response path of the rows it fills; empty: the root. */
  readonly path: string;
}

export type FetchOutcome =
  | { readonly kind: 'answered'; readonly result: SubgraphResult }
  | { readonly kind: 'failed'; readonly code: ErrorCode };

/** What the steps of a plan share while one operation runs. */
export interface PlanRun {
  /** As the client sent them: subgraphs coerce them themselves. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Coerced, with defaults: what @skip and @include ask. */
  readonly coerced: Readonly<Record<string, unknown>>;
  /** Never rejects. */
  readonly fetch: (fetch: PlannedFetch) => Promise<FetchOutcome>;
  /** Entities already asked for since the operation's last change, by subgraph, selection and variables. */
  readonly batches: Map<string, EntityBatch>;
  readonly report: Report;
  /** For the answers of all fetches together. */
  readonly room: AdoptionRoom;
}

/** One compiled node of a plan. Never rejects: what goes wrong is reported at the fields it costs. */
export type PlanStep = (run: PlanRun, targets: readonly Target[]) => Promise<void>;
