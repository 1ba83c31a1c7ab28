import type { DocumentNode, OperationDefinitionNode } from 'graphql';

import type { RequestNotices } from './request-notices.ts';
import type { Caller } from '#gateway/auth/coordinate-policy.ts';
import type { RequestTrace } from '#gateway/trace/request-trace.ts';
import type { Principal, RequestContext } from '#schema/model/request.ts';

/** Who asks and with how much time left. Subgraphs key their loaders by `request`: one object for all fetches of a request. */
export interface AuthenticatedRequest extends Caller {
  readonly principal: Principal;
  readonly request: RequestContext;
  /** The header as it came, for remote subgraphs that verify the token themselves; nobody else reads it. */
  readonly authorization?: string | undefined;
}

/** Apollo Server copies the context value shallowly, so what a request collects lives in objects inside it. */
export interface GatewayContext {
  readonly requestId: string;
  /** Null: no token; only introspection is then answered, and only outside production. */
  readonly caller: AuthenticatedRequest | null;
  readonly notices: RequestNotices;
  readonly answer: AnswerFacts;
  /** Absent: nobody can ask for it later. */
  readonly trace?: RequestTrace;
  /** The caller asked for the trace in its answer, and may see it. @default false */
  readonly showTrace?: boolean;
  /** Where an admitted subscription is left for its stream; absent: the caller takes no events. */
  readonly live?: LiveSlot;
}

/** One subscription between admission and its stream. */
export interface LiveSlot {
  /** The request came by GET: it may change nothing. */
  readonly readOnly: boolean;
  operation: LiveOperation | null;
}

/** A validated subscription of one client. */
export interface LiveOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What the HTTP layer wants to know of the answer. */
export interface AnswerFacts {
  /** Something about a person was asked: the answer must not be stored. */
  personal: boolean;
  /** For the metrics: `ok`, `partial` or the code that refused the request. */
  outcome: string;
}
