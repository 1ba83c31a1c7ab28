import type { Category } from '#schema/categories.ts';
import { toCustomerId, toLocationId, toSubjectId } from '#schema/model/ids.ts';
import type { Medium, Role } from '#schema/model/request.ts';
import { type Purpose, PURPOSES } from '#schema/purposes.ts';
import { type ConsentQuestion, decide } from './decide.ts';
import type { DecisionFacts, OrderRelation, SubjectFacts } from './facts.ts';
import type { ConsentSlot, ConsentStateName, StoredState } from './states.ts';

// Builders for tests of decisions: no database.

export const NOW = Date.parse('2026-11-23T08:00:00.000Z');
const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const ALL_PURPOSES = Object.keys(PURPOSES) as Purpose[];
export const STATES: readonly ConsentStateName[] = [
  'UNKNOWN',
  'PENDING',
  'GRANTED',
  'DENIED',
  'WITHDRAWN',
  'EXPIRED',
  'SUPERSEDED',
  'OBJECTED',
];
const STORE = toLocationId('loc_own');
const ME = toCustomerId('cus_me');

export const ago = (ms: number): string => new Date(NOW - ms).toISOString();

export function slot(
  purpose: Purpose,
  state: ConsentStateName,
  unit: Partial<Pick<ConsentSlot, 'medium' | 'recipient' | 'via' | 'decidedAt'>> = {},
): ConsentSlot[] {
  if (state === 'UNKNOWN') return [];
  const expired = state === 'EXPIRED';
  const stored: StoredState = expired ? 'GRANTED' : state;
  const decidedAt = ago(expired ? 3_000 * DAY : DAY);
  return [{ purpose, medium: '*', recipient: 'self', via: null, state: stored, decidedAt, ...unit }];
}

export function relation(change: Partial<OrderRelation> = {}): OrderRelation {
  return {
    store: STORE,
    recipient: null,
    placedAtMs: NOW - DAY,
    openUntilMs: NOW + DAY,
    syncedAtMs: NOW - HOUR,
    ...change,
  };
}

export function person(id: string, change: Partial<SubjectFacts> = {}): SubjectFacts {
  const subject = toSubjectId(id);
  return {
    subject,
    proofGroup: subject,
    flags: 'NORMAL',
    jurisdiction: 'GB',
    ageBand: 'ADULT',
    fulfillmentOnly: false,
    slots: [],
    relations: [],
    ...change,
  };
}

export function factsOf(asked: readonly SubjectFacts[], members: readonly SubjectFacts[] = asked): DecisionFacts {
  return { nowMs: NOW, asked, members };
}

export interface Ask {
  readonly role: Role;
  readonly purpose: Purpose;
  readonly category?: Category;
  readonly medium?: Medium | null;
  readonly recipient?: string | null;
  readonly self?: readonly string[];
}

export function question({
  role,
  purpose,
  category = 'contact.email',
  medium = null,
  recipient = null,
  self = [],
}: Ask): ConsentQuestion {
  return {
    principal: {
      role,
      purposes: ALL_PURPOSES,
      stores: role === 'associate' ? [STORE] : [],
      recipient,
      customer: role === 'customer' ? ME : null,
    },
    purpose,
    medium,
    field: { coordinate: 'Customer.x', category, purposes: ALL_PURPOSES },
    provenSelf: new Set(self.map(toSubjectId)),
  };
}

export const verdict = (ask: Ask, facts: DecisionFacts | null): string => {
  const answer = decide(question(ask), facts);
  return answer.allowed ? 'ALLOWED' : answer.reason;
};
