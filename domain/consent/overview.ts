import type { SubjectId } from '#schema/model/ids.ts';
import type { Medium } from '#schema/model/request.ts';
import { type Purpose, PURPOSES } from '#schema/purposes.ts';
import type { DecisionFacts } from './facts.ts';
import type { FactsSnapshot } from './facts-reader.ts';
import { expiryOf, setState } from './fold.ts';
import { type ConsentStateName, type ConsentUnit, EVERY_MEDIUM, EVERY_RECIPIENT, OURSELVES } from './states.ts';

/** The state of one unit for a set of subjects. Instants are ISO 8601 UTC. */
export interface ConsentState {
  readonly purpose: Purpose;
  /** Null: every medium. */
  readonly medium: Medium | null;
  /** Null: ourselves; of a purpose that is decided per recipient: every recipient. */
  readonly recipient: string | null;
  /** What holds: a refusal that covers the unit shows here too. */
  readonly state: ConsentStateName;
  /** Null: nobody decided. */
  readonly decidedAt: string | null;
  /** Of a grant, also a lapsed one; null: it does not expire. */
  readonly expiresAt: string | null;
}

/** The facts of these subjects alone: what others linked to them decided is not theirs to see. */
export function viewOf(snapshot: FactsSnapshot, subjects: readonly SubjectId[]): DecisionFacts | null {
  const facts = snapshot.factsOf(subjects);
  return facts === null ? null : { ...facts, members: facts.asked };
}

/** One unit's state over the set. */
export function stateOfUnit(unit: ConsentUnit, facts: DecisionFacts): ConsentState {
  const { state, slot } = setState(unit, facts);
  return {
    purpose: unit.purpose,
    medium: unit.medium === EVERY_MEDIUM ? null : unit.medium,
    recipient: unit.recipient === OURSELVES || unit.recipient === EVERY_RECIPIENT ? null : unit.recipient,
    state,
    decidedAt: slot?.decidedAt ?? null,
    expiresAt: slot === null ? null : expiryOf(slot),
  };
}

const PURPOSE_ORDER = Object.keys(PURPOSES);

/** Every unit somebody of the set decided, in the order of purposes, then medium (every medium first), then recipient. */
export function overviewOf(facts: DecisionFacts): readonly ConsentState[] {
  const units = new Map<string, ConsentUnit>();
  for (const slot of facts.members.flatMap((member) => member.slots)) {
    const unit = { purpose: slot.purpose, medium: slot.medium, recipient: slot.recipient };
    units.set([PURPOSE_ORDER.indexOf(unit.purpose), unit.medium, unit.recipient].join(' '), unit);
  }
  return [...units].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, unit]) => stateOfUnit(unit, facts));
}
