import type { RequestNotices } from './request-notices.ts';
import type { Caller } from '#gateway/auth/coordinate-policy.ts';
import type { Principal, RequestContext } from '#schema/model/request.ts';

/** Who asks and with how much time left. Subgraphs key their loaders by `request`: one object for all fetches of a request. */
export interface AuthenticatedRequest extends Caller {
  readonly principal: Principal;
  readonly request: RequestContext;
}

/** Apollo Server copies the context value shallowly, so what a request collects lives in objects inside it. */
export interface GatewayContext {
  readonly requestId: string;
  /** Null: no token; only introspection is then answered, and only outside production. */
  readonly caller: AuthenticatedRequest | null;
  readonly notices: RequestNotices;
  readonly answer: AnswerFacts;
}

/** What the HTTP layer wants to know of the answer. */
export interface AnswerFacts {
  /** Something about a person was asked: the answer must not be stored. */
  personal: boolean;
  /** For the metrics: `ok`, `partial` or the code that refused the request. */
  outcome: string;
}
