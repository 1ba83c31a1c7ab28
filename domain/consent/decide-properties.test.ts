import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { CATEGORIES, type Category } from '#schema/categories.ts';
import { toSubjectId } from '#schema/model/ids.ts';
import { MEDIA, ROLES } from '#schema/model/request.ts';
import { type Purpose } from '#schema/purposes.ts';
import { ago, ALL_PURPOSES, type Ask, DAY, factsOf, person, relation, slot, verdict } from './decision-kit.ts';
import { type DecisionFacts } from './facts.ts';
import { type ConsentSlot, type StoredState, type SubjectFlags } from './states.ts';

describe('properties', () => {
  const unitArb = fc.record({
    medium: fc.constantFrom<ConsentSlot['medium']>('*', ...MEDIA),
    recipient: fc.constantFrom('self', 'amazon-marketplace', '*'),
    via: fc.constantFrom(null, null, toSubjectId('sub_0'), toSubjectId('sub_gone')),
    decidedAt: fc.integer({ min: 0, max: 1_000 }).map((days) => ago(days * DAY)),
  });
  const slotsArb = fc
    .uniqueArray(
      fc.record({
        unit: unitArb,
        purpose: fc.constantFrom<Purpose>('MARKETING', 'PERSONALIZATION', 'FRAUD_PREVENTION'),
        state: fc.constantFrom<StoredState>(
          'GRANTED',
          'GRANTED',
          'GRANTED',
          'DENIED',
          'WITHDRAWN',
          'PENDING',
          'OBJECTED',
        ),
      }),
      // The projection holds one row of a unit and link.
      {
        selector: ({ unit, purpose }) => JSON.stringify([purpose, unit.medium, unit.recipient, unit.via]),
        maxLength: 6,
      },
    )
    .map((list) => list.flatMap(({ purpose, state, unit }) => slot(purpose, state, unit)));
  const membersArb = fc
    .array(
      fc.record({
        slots: slotsArb,
        group: fc.constantFrom('sub_0', 'own'),
        flags: fc.constantFrom<SubjectFlags>('NORMAL', 'NORMAL', 'NORMAL', 'NORMAL', 'RESTRICTED', 'ERASED'),
        fulfillmentOnly: fc.constantFrom(false, false, false, true),
        ordered: fc.boolean(),
      }),
      { minLength: 1, maxLength: 4 },
    )
    .map((list) =>
      list.map(({ slots, group, flags, fulfillmentOnly, ordered }, index) =>
        person(`sub_${index}`, {
          slots,
          flags,
          fulfillmentOnly,
          proofGroup: toSubjectId(group === 'own' ? `sub_${index}` : group),
          relations: ordered ? [relation()] : [],
        }),
      ),
    );
  const askArb = fc.record({
    role: fc.constantFrom(...ROLES),
    purpose: fc.constantFrom(...ALL_PURPOSES),
    category: fc.constantFrom(...(Object.keys(CATEGORIES) as Category[])),
    medium: fc.constantFrom(null, ...MEDIA),
    recipient: fc.constantFrom(null, null, 'amazon-marketplace'),
    self: fc.subarray(['sub_0', 'sub_1', 'sub_2', 'sub_3']),
  });
  const opens = (ask: Ask, facts: DecisionFacts): boolean => verdict(ask, facts) === 'ALLOWED';

  test('one more refusal never opens anything', () => {
    const property = fc.property(askArb, membersArb, unitArb, fc.nat(), (ask, members, unit, at) => {
      const before = opens(ask, factsOf(members));
      const index = at % members.length;
      const key = (entry: ConsentSlot): string =>
        JSON.stringify([entry.purpose, entry.medium, entry.recipient, entry.via]);
      const refusal = slot(ask.purpose, 'WITHDRAWN', { ...unit, decidedAt: ago(0) });
      const kept = (slots: readonly ConsentSlot[]) =>
        slots.filter((entry) => refusal.every((no) => key(no) !== key(entry)));
      const after = members.map((member, position) =>
        position === index ? { ...member, slots: [...kept(member.slots), ...refusal] } : member,
      );
      return before || !opens(ask, factsOf(after));
    });
    expect(() => fc.assert(property, { numRuns: 5_000 })).not.toThrow();
  });

  test('the order of subjects and of decisions changes nothing', () => {
    const property = fc.property(askArb, membersArb, (ask, members) => {
      const turned = members.toReversed().map((member) => ({ ...member, slots: member.slots.toReversed() }));
      return verdict(ask, factsOf(members)) === verdict(ask, factsOf(turned));
    });
    expect(() => fc.assert(property, { numRuns: 3_000 })).not.toThrow();
  });

  test('one more linked subject opens a consent cell only with a grant of its own that covers it', () => {
    const property = fc.property(askArb, membersArb, (ask, members) => {
      const cell = ask.purpose === 'MARKETING' || ask.purpose === 'PERSONALIZATION';
      fc.pre(cell && ask.role !== 'customer' && members.length > 1);
      const last = members.at(-1);
      if (last === undefined || !opens(ask, factsOf(members))) return true;
      const without = members.slice(0, -1);
      // Silent members never open, and over a link without proof even a granting one does not.
      const linkedByProof = without.some(({ proofGroup }) => proofGroup === last.proofGroup);
      return opens(ask, factsOf(without)) || (linkedByProof && last.slots.some(({ state }) => state === 'GRANTED'));
    });
    expect(() => fc.assert(property, { numRuns: 5_000 })).not.toThrow();
  });

  test('somebody restricted or erased in the set opens nothing but the law', () => {
    const property = fc.property(askArb, membersArb, (ask, members) => {
      const flagged = members.some(({ flags }) => flags !== 'NORMAL');
      fc.pre(flagged && ask.role !== 'customer');
      return !opens(ask, factsOf(members)) || ask.purpose === 'LEGAL_OBLIGATION';
    });
    expect(() => fc.assert(property, { numRuns: 2_000 })).not.toThrow();
  });
});
