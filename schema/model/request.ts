import type { CustomerId, LocationId } from './ids.ts';
import type { TraceSink } from './trace.ts';
import type { Purpose } from '#schema/purposes.ts';

export const SCOPES = [
  'catalog:read',
  'inventory:read',
  'inventory:hold',
  'inventory:admin',
  'customers:read',
  'customers:write',
  'orders:read',
  'orders:write',
  'consent:read',
  'consent:write',
  'privacy:admin',
  'insights:read',
  'systems:read',
] as const;
export type Scope = (typeof SCOPES)[number];

export const ROLES = [
  'service-job',
  'customer',
  'associate',
  'partner',
  'analyst',
  'marketer',
  'privacy-officer',
] as const;
export type Role = (typeof ROLES)[number];

export const MEDIA = ['EMAIL', 'SMS', 'PUSH', 'POST', 'PHONE', 'IN_STORE', 'WEB'] as const;
export type Medium = (typeof MEDIA)[number];

/** Who asks, as the verified token says; never built from anything the caller can write freely. */
export interface Principal {
  readonly client: string;
  readonly role: Role;
  readonly scopes: ReadonlySet<Scope>;
  /** Scopes of the token that are none of ours: only the gateway looks at them, for fields of others. Absent: there are none. */
  readonly otherScopes?: ReadonlySet<string>;
  /** What the token may declare; a request declares exactly one of them. */
  readonly purposes: readonly Purpose[];
  /** The person who logged in; null unless role is `customer`. */
  readonly customer: CustomerId | null;
  /** The stores an associate works for; empty otherwise. */
  readonly stores: readonly LocationId[];
  /** The registered partner id this client acts for; null: ourselves. */
  readonly recipient: string | null;
}

/** The time a call has left and the way to stop it. */
export interface CallScope {
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly deadlineAtMs: number;
  readonly signal: AbortSignal;
  /** Reads of one moment with the same key (role and purpose) may share an upstream call; absent: never shared. */
  readonly shareKey?: string;
  /** Where what happens for the request is told; absent: nobody wants to know. */
  readonly trace?: TraceSink;
}

/** One GraphQL request: the principal, its declared purpose and its remaining time. */
export interface RequestContext extends CallScope {
  readonly principal: Principal;
  /** Null: none declared and none implied; governed fields are then never served. */
  readonly purpose: Purpose | null;
  /** Header `mortar-medium`; null: undeclared. */
  readonly medium: Medium | null;
}
