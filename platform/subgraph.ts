import type { DocumentNode, FormattedExecutionResult, GraphQLError, GraphQLSchema } from 'graphql';

import type { ConsentDecider, RefusalReason } from '#schema/model/consent.ts';
import type { Lane } from '#schema/model/figures.ts';
import type { RequestContext } from '#schema/model/request.ts';

/** One withheld governed field of one row; aggregated by the gateway into `extensions.consent`. */
export interface Refusal {
  readonly coordinate: string;
  readonly purpose: string | null;
  readonly reason: RefusalReason;
  /** Distinguishes rows when counting (the row's first subject); never leaves the process as such. */
  readonly rowKey: string;
  /** Path in this fetch's answer. */
  readonly path: readonly (string | number)[];
}

/** A stale or degraded source behind a value of this fetch; aggregated into `extensions.provenance`. */
export interface DegradedSource {
  readonly system: string;
  readonly lane: Lane;
  readonly asOf: string | null;
  readonly stale: boolean;
  readonly degraded: boolean;
  readonly path: readonly (string | number)[];
}

/** Collects what a fetch must tell besides its data. */
export interface Notices {
  readonly refuse: (refusal: Refusal) => void;
  readonly degrade: (source: DegradedSource) => void;
}

/** The context value every resolver gets. `loaders` live one request, `decider` and `notices` one fetch. */
export interface SubgraphContext<Loaders = unknown> {
  readonly request: RequestContext;
  readonly loaders: Loaders;
  readonly decider: ConsentDecider;
  readonly notices: Notices;
}

export interface SubgraphFetch {
  readonly document: DocumentNode;
  readonly operationName?: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly request: RequestContext;
}

/** What a fetch answers: GraphQL's own result, with the notices beside it instead of inside `extensions`. */
export interface SubgraphResult {
  readonly data: FormattedExecutionResult['data'];
  /** Masked: every error carries a code of platform/errors.ts in `extensions.code`, and `system` where one is concerned. */
  readonly errors: readonly GraphQLError[];
  readonly refusals: readonly Refusal[];
  readonly degraded: readonly DegradedSource[];
}

/** A domain subgraph, ready to be called in process. Built by platform/define-subgraph.ts. */
export interface Subgraph {
  readonly name: string;
  /** The SDL that composition reads (directives and shared types included). */
  readonly sdl: string;
  readonly schema: GraphQLSchema;
  /** Never rejects. */
  readonly execute: (fetch: SubgraphFetch) => Promise<SubgraphResult>;
}
