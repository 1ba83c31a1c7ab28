import type { Medium } from '#schema/model/request.ts';
import { type Purpose, PURPOSES } from '#schema/purposes.ts';
import type { DecisionFacts, SubjectFacts } from './facts.ts';
import {
  type ConsentSlot,
  type ConsentStateName,
  type ConsentUnit,
  EVERY_MEDIUM,
  EVERY_RECIPIENT,
  isRefusal,
  OURSELVES,
  RESTRICTIVENESS,
  supersedes,
  type UnitMedium,
} from './states.ts';

const DAY_MS = 86_400_000;

/** The state of one unit of one subject, with the decision that made it. */
export interface UnitState {
  readonly state: ConsentStateName;
  /** Null: UNKNOWN. */
  readonly slot: ConsentSlot | null;
}

const UNKNOWN: UnitState = { state: 'UNKNOWN', slot: null };

/** When a grant ends, ISO 8601; null: the state is no grant, or the purpose's grants do not expire. */
export function expiryOf(slot: ConsentSlot): string | null {
  const days = PURPOSES[slot.purpose].grantDays;
  if (slot.state !== 'GRANTED' || days === null) return null;
  return new Date(Date.parse(slot.decidedAt) + days * DAY_MS).toISOString();
}

/**
 * The state of exactly this unit for one member, nothing inherited. What came through a link counts while the link (a
 * proven one) stands; a refusal counts for good.
 */
export function exactState(member: SubjectFacts, unit: ConsentUnit, facts: DecisionFacts): UnitState {
  let newest: ConsentSlot | null = null;
  for (const slot of member.slots) {
    if (slot.purpose !== unit.purpose || slot.medium !== unit.medium || slot.recipient !== unit.recipient) continue;
    if (slot.via !== null && !isRefusal(slot.state) && !isProvenTogether(slot.via, member, facts)) continue;
    if (newest === null || supersedes(slot, newest)) newest = slot;
  }
  if (newest === null) return UNKNOWN;
  const expiresAt = expiryOf(newest);
  const expired = expiresAt !== null && facts.nowMs >= Date.parse(expiresAt);
  return { state: expired ? 'EXPIRED' : newest.state, slot: newest };
}

function isProvenTogether(via: ConsentSlot['via'], member: SubjectFacts, facts: DecisionFacts): boolean {
  const source = facts.members.find((other) => other.subject === via);
  return source !== undefined && source.proofGroup === member.proofGroup;
}

/**
 * What covers the unit for one member: a refusal at any covering level (this medium or every medium), else the most
 * specific decision there is. "Share with nobody" covers every recipient too, until a later grant names one: no grant for
 * every recipient exists that could lift it.
 */
function coveringState(member: SubjectFacts, unit: ConsentUnit, facts: DecisionFacts): UnitState {
  const media: readonly UnitMedium[] = unit.medium === EVERY_MEDIUM ? [EVERY_MEDIUM] : [unit.medium, EVERY_MEDIUM];
  const levels = media.map((medium) => exactState(member, { ...unit, medium }, facts));
  const named = levels.filter((level) => level.state === 'GRANTED').map((level) => level.slot?.decidedAt ?? '');
  const toAll = media
    .map((medium) => exactState(member, { ...unit, medium, recipient: EVERY_RECIPIENT }, facts))
    .filter(({ slot }) => slot !== null && !named.some((grantedAt) => grantedAt > slot.decidedAt));
  const refused = mostRestrictive([...levels, ...toAll].filter((level) => isRefusal(level.state)));
  if (refused !== null) return refused;
  if (unit.recipient === EVERY_RECIPIENT) return UNKNOWN;
  return levels.find((level) => level.state !== 'UNKNOWN') ?? UNKNOWN;
}

function mostRestrictive(states: readonly UnitState[]): UnitState | null {
  let result: UnitState | null = null;
  for (const state of states) {
    if (result === null || RESTRICTIVENESS[state.state] > RESTRICTIVENESS[result.state]) result = state;
  }
  return result;
}

/**
 * What covers the unit for the whole set. Anything but a grant or silence in any member decides against. A grant reaches
 * the members proven to be the same person (its proof group); every group among the row's subjects needs its own, so a
 * link by phone and name may only tighten. GRANTED is the only answer that opens anything.
 */
export function setState(unit: ConsentUnit, facts: DecisionFacts): UnitState {
  const states = facts.members.map((member) => ({ member, ...coveringState(member, unit, facts) }));
  const against = mostRestrictive(states.filter(({ state }) => state !== 'GRANTED' && state !== 'UNKNOWN'));
  if (against !== null) return { state: against.state, slot: against.slot };
  const serving = facts.asked.filter((subject) => !subject.fulfillmentOnly);
  let granted: UnitState = UNKNOWN;
  for (const { proofGroup } of serving) {
    const grant = states.find(
      ({ member, state }) => state === 'GRANTED' && member.proofGroup === proofGroup && !member.fulfillmentOnly,
    );
    if (grant === undefined) return UNKNOWN;
    granted = { state: grant.state, slot: grant.slot };
  }
  return granted;
}

/** Whether a grant covers every medium asked for. */
export function isCovered(
  question: {
    readonly purpose: Purpose;
    readonly media: readonly (Medium | typeof EVERY_MEDIUM)[];
    readonly recipient: string;
  },
  facts: DecisionFacts,
): boolean {
  const { purpose, media, recipient } = question;
  return (
    media.length > 0 && media.every((medium) => setState({ purpose, medium, recipient }, facts).state === 'GRANTED')
  );
}

/**
 * Whether any member refused the purpose at any level: enough to stop what needs no grant (an objection). What somebody
 * objected to towards ourselves, nobody does for us either.
 */
export function isRefusedByAny(purpose: Purpose, recipient: string, facts: DecisionFacts): boolean {
  return facts.members.some((member) =>
    member.slots
      .filter((slot) => slot.purpose === purpose && [recipient, OURSELVES, EVERY_RECIPIENT].includes(slot.recipient))
      .some((slot) => isRefusal(exactState(member, slot, facts).state)),
  );
}
