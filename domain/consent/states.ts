import type { SubjectId } from '#schema/model/ids.ts';
import type { Medium } from '#schema/model/request.ts';
import type { Purpose } from '#schema/purposes.ts';

/** A decision for every medium. */
export const EVERY_MEDIUM = '*';
/** The retailer itself. */
export const OURSELVES = 'self';
/** Only ever a refusal: "share with nobody" covers every recipient; no grant does. */
export const EVERY_RECIPIENT = '*';

export type UnitMedium = Medium | typeof EVERY_MEDIUM;

/** What a decision is about, for one subject. `recipient` is `self`, a registered partner id, or `*` (refusals only). */
export interface ConsentUnit {
  readonly purpose: Purpose;
  readonly medium: UnitMedium;
  readonly recipient: string;
}

export const DECISIONS = ['GRANT', 'DENY', 'WITHDRAW', 'OBJECT'] as const;
/** OBJECT is the refusal of processing that rests on another basis than consent (GDPR article 21). */
export type Decision = (typeof DECISIONS)[number];

/** DECISION: of the person. REQUEST: double opt-in asked, not yet confirmed. SUPERSEDE: the notice changed materially. */
export type EventType = 'DECISION' | 'REQUEST' | 'SUPERSEDE';

/** What the ledger can store of a unit; UNKNOWN is the absence of events and EXPIRED is computed when read. */
export type StoredState = 'GRANTED' | 'PENDING' | 'SUPERSEDED' | 'DENIED' | 'WITHDRAWN' | 'OBJECTED';
export type ConsentStateName = StoredState | 'UNKNOWN' | 'EXPIRED';

export type SubjectFlags = 'NORMAL' | 'RESTRICTED' | 'ERASED';

/** How much each state forbids: of several, the highest counts. */
export const RESTRICTIVENESS: Readonly<Record<ConsentStateName, number>> = {
  GRANTED: 0,
  UNKNOWN: 1,
  PENDING: 2,
  SUPERSEDED: 3,
  EXPIRED: 4,
  DENIED: 5,
  WITHDRAWN: 6,
  OBJECTED: 7,
};

/** A no of the person, as opposed to a yes that is missing, lapsed or unconfirmed. */
export function isRefusal(state: ConsentStateName): state is 'DENIED' | 'WITHDRAWN' | 'OBJECTED' {
  return state === 'DENIED' || state === 'WITHDRAWN' || state === 'OBJECTED';
}

/** The newest event of one (subject, unit, via): the current-state projection's row. */
export interface ConsentSlot extends ConsentUnit {
  readonly state: StoredState;
  /** ISO 8601 UTC with milliseconds, so that text order is time order. */
  readonly decidedAt: string;
  /** The member subject the decision was addressed to when it reached this one through a link; null: addressed to this one. */
  readonly via: SubjectId | null;
}

const STATE_OF_DECISION: Readonly<Record<Decision, StoredState>> = {
  GRANT: 'GRANTED',
  DENY: 'DENIED',
  WITHDRAW: 'WITHDRAWN',
  OBJECT: 'OBJECTED',
};

/** The state an event puts its unit into. */
export function stateOfEvent(event: { readonly type: EventType; readonly decision: Decision | null }): StoredState {
  if (event.type === 'REQUEST') return 'PENDING';
  if (event.type === 'SUPERSEDE' || event.decision === null) return 'SUPERSEDED';
  return STATE_OF_DECISION[event.decision];
}

type Dated = Pick<ConsentSlot, 'state' | 'decidedAt'>;

/**
 * Whether `candidate` takes the place of `current`: the later decision does, and of two decisions of one instant the more
 * restrictive one. The order of recording plays no part, so that an import gives the same state in any order.
 */
export function supersedes(candidate: Dated, current: Dated): boolean {
  if (candidate.decidedAt !== current.decidedAt) return candidate.decidedAt > current.decidedAt;
  return RESTRICTIVENESS[candidate.state] >= RESTRICTIVENESS[current.state];
}
