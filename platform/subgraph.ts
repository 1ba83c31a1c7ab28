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

/**
 * The context value every resolver gets. `loaders` live one request, `decider` and `notices` one fetch; loaders and
 * decider are made anew after each field of Mutation.
 */
export interface SubgraphContext<Loaders = unknown> {
  /** Deadline and signal are the fetch's: what a resolver begins with them stops when the fetch ends too early. */
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
  /** When this fetch answers what it has, if before the request's own deadline; epoch milliseconds. */
  readonly deadlineAtMs?: number;
}

/** An error of an answer, wherever it was made; making an Error for each costs a stack each. */
export type SubgraphError = Pick<GraphQLError, 'message' | 'path' | 'extensions'>;

/** What a fetch answers: GraphQL's own result, with the notices beside it instead of inside `extensions`. */
export interface SubgraphResult {
  readonly data: FormattedExecutionResult['data'];
  /** Masked: every error carries a code of platform/errors.ts in `extensions.code`, and `system` where one is concerned. */
  readonly errors: readonly SubgraphError[];
  readonly refusals: readonly Refusal[];
  readonly degraded: readonly DegradedSource[];
  /** Bytes of the bodies as they travelled; absent: nothing did. */
  readonly wire?: { readonly sentBytes: number; readonly receivedBytes: number };
  /** What a subgraph of others told beside; ours tell nothing there. */
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/** One opened source stream of a `Subscription` field that carries `@live`. */
export interface SourceWatch {
  /** The field's name. */
  readonly field: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly request: RequestContext;
  /** Keys of the arguments that changed, never values; null: any of them may have. Never called after closing. */
  readonly onChange: (keys: readonly string[] | null) => void;
}

/** A domain subgraph, ready to be called in process. Built by platform/define-subgraph.ts. */
export interface Subgraph {
  readonly name: string;
  /** The SDL that composition reads (directives and shared types included). */
  readonly sdl: string;
  readonly schema: GraphQLSchema;
  /** Never rejects. */
  readonly execute: (fetch: SubgraphFetch) => Promise<SubgraphResult>;
  /**
   * Opens a source stream and answers how to close it.
   * @throws {MortarError} SCOPE_REQUIRED; OPERATION_RESOLUTION_FAILURE: no such stream
   */
  readonly watch: (watch: SourceWatch) => Promise<() => void>;
}
