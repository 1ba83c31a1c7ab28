import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { CATEGORIES, type Category } from '#schema/categories.ts';
import { toCustomerId, toLocationId, toSubjectId } from '#schema/model/ids.ts';
import { MEDIA, type Medium, type Role, ROLES } from '#schema/model/request.ts';
import { type Purpose, PURPOSES } from '#schema/purposes.ts';
import { type ConsentQuestion, decide, DEFAULT_POLICY } from './decide.ts';
import type { DecisionFacts, OrderRelation, SubjectFacts } from './facts.ts';
import type { ConsentSlot, ConsentStateName, StoredState, SubjectFlags } from './states.ts';

const NOW = Date.parse('2026-11-23T08:00:00.000Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ALL_PURPOSES = Object.keys(PURPOSES) as Purpose[];
const STATES: readonly ConsentStateName[] = [
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

const ago = (ms: number): string => new Date(NOW - ms).toISOString();

function slot(
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

function relation(change: Partial<OrderRelation> = {}): OrderRelation {
  return {
    store: STORE,
    recipient: null,
    placedAtMs: NOW - DAY,
    openUntilMs: NOW + DAY,
    syncedAtMs: NOW - HOUR,
    ...change,
  };
}

function person(id: string, change: Partial<SubjectFacts> = {}): SubjectFacts {
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

function factsOf(asked: readonly SubjectFacts[], members: readonly SubjectFacts[] = asked): DecisionFacts {
  return { nowMs: NOW, asked, members };
}

interface Ask {
  readonly role: Role;
  readonly purpose: Purpose;
  readonly category?: Category;
  readonly medium?: Medium | null;
  readonly recipient?: string | null;
  readonly self?: readonly string[];
}

function question({
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

const verdict = (ask: Ask, facts: DecisionFacts | null): string => {
  const answer = decide(question(ask), facts);
  return answer.allowed ? 'ALLOWED' : answer.reason;
};

describe('the table of roles, purposes, states and flags', () => {
  /** Written from the design's table alone: letters are its cells, `S`, `B`, `C` and `-`. */
  const TABLE: Readonly<Record<Role, string>> = {
    //                 ORD SVC MKT PER ANA SHR FRD LAW
    customer: '         S   S   S   S   S   S   S   S ',
    'service-job': '    B   B   -   -   -   -   B   B ',
    associate: '        B   B   -   C   -   -   -   - ',
    marketer: '         -   -   C   C   -   -   -   - ',
    partner: '          -   -   -   -   -   -   -   - ',
    analyst: '          -   -   -   -   -   -   -   - ',
    'privacy-officer': '-   -   -   -   -   -   -   B ',
  };
  const COLUMNS = [
    'ORDER_FULFILLMENT',
    'SERVICE_SUPPORT',
    'MARKETING',
    'PERSONALIZATION',
    'ANALYTICS',
    'THIRD_PARTY_SHARING',
    'FRAUD_PREVENTION',
    'LEGAL_OBLIGATION',
  ];

  function oracle(cell: {
    role: Role;
    purpose: Purpose;
    state: ConsentStateName;
    flags: SubjectFlags;
    order: boolean;
  }): string {
    const { role, purpose, state, flags, order } = cell;
    const letter = TABLE[role].trim().split(/\s+/)[COLUMNS.indexOf(purpose)];
    if (letter === '-') return 'PURPOSE_NOT_ALLOWED';
    if (flags === 'ERASED') return 'RESTRICTED';
    if (letter === 'S') return 'ALLOWED';
    if (flags === 'RESTRICTED' && purpose !== 'LEGAL_OBLIGATION') return 'RESTRICTED';
    let open: boolean;
    if (letter === 'C') open = state === 'GRANTED';
    else if (purpose === 'FRAUD_PREVENTION') open = !['OBJECTED', 'DENIED', 'WITHDRAWN'].includes(state);
    else open = order || role === 'privacy-officer';
    return open ? 'ALLOWED' : 'CONSENT_REQUIRED';
  }

  test('decides all 2,688 cells (7 roles, 8 purposes, 8 states, 3 flags, with and without an order) as the table says', () => {
    let cells = 0;
    for (const role of ROLES)
      for (const purpose of ALL_PURPOSES)
        for (const state of STATES)
          for (const flags of ['NORMAL', 'RESTRICTED', 'ERASED'] as const)
            for (const order of [true, false]) {
              const subject = person('sub_a', {
                flags,
                slots: slot(purpose, state),
                relations: order ? [relation()] : [],
              });
              cells += 1;
              const actual = verdict({ role, purpose, self: ['sub_a'] }, factsOf([subject]));
              // Purposes whose grants never expire have no EXPIRED state.
              const effective = state === 'EXPIRED' && PURPOSES[purpose].grantDays === null ? 'GRANTED' : state;
              expect([role, purpose, state, flags, order, actual]).toEqual([
                role,
                purpose,
                state,
                flags,
                order,
                oracle({ role, purpose, state: effective, flags, order }),
              ]);
            }
    expect(cells).toBe(2_688);
  });
});

describe('what is refused before any subject counts', () => {
  test('refuses without a purpose, with one the token lacks, and for a field that does not serve it', () => {
    const facts = factsOf([person('sub_a', { slots: slot('MARKETING', 'GRANTED') })]);
    const base = question({ role: 'marketer', purpose: 'MARKETING' });
    const refusal = { allowed: false, reason: 'PURPOSE_NOT_ALLOWED' };
    expect(decide({ ...base, purpose: null }, facts)).toEqual(refusal);
    expect(decide({ ...base, principal: { ...base.principal, purposes: ['PERSONALIZATION'] } }, facts)).toEqual(
      refusal,
    );
    expect(decide({ ...base, field: { ...base.field, purposes: ['ANALYTICS'] } }, facts)).toEqual(refusal);
    expect(decide({ ...base, field: { ...base.field, category: 'nothing' } }, facts)).toEqual(refusal);
    expect(decide(base, facts)).toEqual({ allowed: true });
  });

  test('refuses an unknown subject and an empty set', () => {
    expect(verdict({ role: 'marketer', purpose: 'MARKETING' }, null)).toBe('CONSENT_REQUIRED');
    expect(verdict({ role: 'privacy-officer', purpose: 'LEGAL_OBLIGATION' }, factsOf([]))).toBe('CONSENT_REQUIRED');
  });
});

describe('self access', () => {
  const ask: Ask = { role: 'customer', purpose: 'SERVICE_SUPPORT', self: ['sub_a', 'sub_b'] };

  test('needs every subject of the row proven', () => {
    expect(verdict(ask, factsOf([person('sub_a'), person('sub_b')]))).toBe('ALLOWED');
    expect(verdict(ask, factsOf([person('sub_a'), person('sub_c')]))).toBe('CONSENT_REQUIRED');
  });

  test('is not lost through somebody linked who is erased or restricted', () => {
    const others = [person('sub_a'), person('sub_x', { flags: 'ERASED' }), person('sub_y', { flags: 'RESTRICTED' })];
    expect(verdict(ask, factsOf([person('sub_a')], others))).toBe('ALLOWED');
  });

  test('needs a logged-in customer', () => {
    const base = question(ask);
    const anonymous = { ...base, principal: { ...base.principal, customer: null } };
    expect(decide(anonymous, factsOf([person('sub_a')]))).toEqual({ allowed: false, reason: 'CONSENT_REQUIRED' });
  });
});

describe('a basis', () => {
  const associate: Ask = { role: 'associate', purpose: 'ORDER_FULFILLMENT' };
  const job: Ask = { role: 'service-job', purpose: 'ORDER_FULFILLMENT' };
  const withRelation = (change: Partial<OrderRelation>): DecisionFacts =>
    factsOf([person('sub_a', { relations: [relation(change)] })]);

  test.each([
    ['an open order at the own store', {}, 'ALLOWED', 'ALLOWED'],
    ['an open order at another store', { store: 'loc_other' }, 'CONSENT_REQUIRED', 'ALLOWED'],
    ['an open order at no store', { store: null }, 'CONSENT_REQUIRED', 'ALLOWED'],
    ['an order that closes now', { openUntilMs: NOW }, 'CONSENT_REQUIRED', 'CONSENT_REQUIRED'],
    ['a relation confirmed 24 hours ago', { syncedAtMs: NOW - DAY }, 'ALLOWED', 'ALLOWED'],
    ['a relation not confirmed for longer', { syncedAtMs: NOW - DAY - 1 }, 'CONSENT_REQUIRED', 'CONSENT_REQUIRED'],
  ])('%s', (_case, change, forAssociate, forJob) => {
    expect(verdict(associate, withRelation(change))).toBe(forAssociate);
    expect(verdict(job, withRelation(change))).toBe(forJob);
  });

  test('is given by an order of any linked member', () => {
    const asked = person('sub_a');
    const member = person('sub_b', { relations: [relation()] });
    expect(verdict(associate, factsOf([asked], [asked, member]))).toBe('ALLOWED');
  });

  test('is kept for service jobs by law for 2,555 days after an order', () => {
    const law: Ask = { role: 'service-job', purpose: 'LEGAL_OBLIGATION' };
    const days = DEFAULT_POLICY.legalRetentionDays * DAY;
    expect(verdict(law, withRelation({ placedAtMs: NOW - days, openUntilMs: 0, syncedAtMs: 0 }))).toBe('ALLOWED');
    expect(verdict(law, withRelation({ placedAtMs: NOW - days - 1 }))).toBe('CONSENT_REQUIRED');
  });

  test('ends for fraud prevention with an objection of any linked member, at any medium', () => {
    const ask: Ask = { role: 'service-job', purpose: 'FRAUD_PREVENTION' };
    const asked = person('sub_a');
    const objector = person('sub_b', { slots: slot('FRAUD_PREVENTION', 'OBJECTED', { medium: 'EMAIL' }) });
    expect(verdict(ask, factsOf([asked]))).toBe('ALLOWED');
    expect(verdict(ask, factsOf([asked], [asked, objector]))).toBe('CONSENT_REQUIRED');
  });
});

describe('the medium', () => {
  const marketing = (category: Category, medium: Medium | null, granted: readonly ConsentSlot['medium'][]): string =>
    verdict(
      { role: 'marketer', purpose: 'MARKETING', category, medium },
      factsOf([person('sub_a', { slots: granted.flatMap((unit) => slot('MARKETING', 'GRANTED', { medium: unit })) })]),
    );

  test.each([
    ['contact.email', null, ['EMAIL'], 'ALLOWED'],
    ['contact.email', null, ['SMS'], 'CONSENT_REQUIRED'],
    ['contact.email', 'SMS', ['SMS'], 'CONSENT_REQUIRED'],
    ['contact.email', null, ['*'], 'ALLOWED'],
    ['contact.phone', null, ['SMS'], 'CONSENT_REQUIRED'],
    ['contact.phone', null, ['SMS', 'PHONE'], 'ALLOWED'],
    ['contact.phone', 'SMS', ['SMS'], 'ALLOWED'],
    ['contact.phone', 'PHONE', ['SMS'], 'CONSENT_REQUIRED'],
    ['contact.phone', 'EMAIL', ['SMS'], 'CONSENT_REQUIRED'],
    ['identity.name', null, ['EMAIL'], 'CONSENT_REQUIRED'],
    ['identity.name', null, [...MEDIA], 'CONSENT_REQUIRED'],
    ['identity.name', null, ['*'], 'ALLOWED'],
    ['identity.name', 'EMAIL', ['EMAIL'], 'ALLOWED'],
    ['identity.name', 'SMS', ['EMAIL'], 'CONSENT_REQUIRED'],
  ] as const)('%s declared by %s under grants for %j is %s', (category, medium, granted, expected) => {
    expect(marketing(category, medium, granted)).toBe(expected);
  });

  test('does not narrow a category without media for other purposes than MARKETING', () => {
    const facts = factsOf([person('sub_a', { slots: slot('PERSONALIZATION', 'GRANTED', { medium: 'EMAIL' }) })]);
    const ask: Ask = { role: 'associate', purpose: 'PERSONALIZATION', category: 'preferences', medium: 'EMAIL' };
    expect(verdict(ask, facts)).toBe('CONSENT_REQUIRED');
  });

  test('is refused by a denial for every medium, and by its own under a grant for every medium', () => {
    const both = (wide: ConsentStateName, narrow: ConsentStateName): string =>
      verdict(
        { role: 'marketer', purpose: 'MARKETING' },
        factsOf([
          person('sub_a', {
            slots: [...slot('MARKETING', wide), ...slot('MARKETING', narrow, { medium: 'EMAIL' })],
          }),
        ]),
      );
    expect(both('WITHDRAWN', 'GRANTED')).toBe('CONSENT_REQUIRED');
    expect(both('GRANTED', 'WITHDRAWN')).toBe('CONSENT_REQUIRED');
    expect(both('GRANTED', 'EXPIRED')).toBe('CONSENT_REQUIRED');
    expect(both('EXPIRED', 'GRANTED')).toBe('ALLOWED');
  });
});

describe('grants', () => {
  const ask: Ask = { role: 'marketer', purpose: 'MARKETING' };

  test('expire exactly 730 days after they were given', () => {
    const grantedAgo = (ms: number): string =>
      verdict(ask, factsOf([person('sub_a', { slots: slot('MARKETING', 'GRANTED', { decidedAt: ago(ms) }) })]));
    expect(grantedAgo(730 * DAY - 1)).toBe('ALLOWED');
    expect(grantedAgo(730 * DAY)).toBe('CONSENT_REQUIRED');
  });

  test('do not count for people known to be minors', () => {
    const subject = person('sub_a', { ageBand: 'MINOR', slots: slot('MARKETING', 'GRANTED') });
    expect(verdict(ask, factsOf([subject]))).toBe('CONSENT_REQUIRED');
  });

  test('are needed where country and age are unknown', () => {
    const unknown = { ageBand: null, jurisdiction: null } as const;
    expect(verdict(ask, factsOf([person('sub_a', unknown)]))).toBe('CONSENT_REQUIRED');
    expect(verdict(ask, factsOf([person('sub_a', { ...unknown, slots: slot('MARKETING', 'GRANTED') })]))).toBe(
      'ALLOWED',
    );
  });

  test('for ourselves do not serve a client that acts for a partner', () => {
    const facts = factsOf([person('sub_a', { slots: slot('MARKETING', 'GRANTED') })]);
    expect(verdict({ ...ask, recipient: 'amazon-marketplace' }, facts)).toBe('CONSENT_REQUIRED');
  });
});

describe('linked subjects', () => {
  const ask: Ask = { role: 'marketer', purpose: 'MARKETING' };
  const together = { proofGroup: toSubjectId('sub_a') };
  const granted = slot('MARKETING', 'GRANTED');

  test('share a grant when they are proven to be one person', () => {
    const pair = [person('sub_a', { slots: granted }), person('sub_b', together)];
    expect(verdict(ask, factsOf(pair))).toBe('ALLOWED');
    expect(verdict(ask, factsOf(pair.slice(1), pair))).toBe('ALLOWED');
  });

  test('do not share a grant over a link by phone and name', () => {
    const pair = [person('sub_a', { slots: granted }), person('sub_b')];
    expect(verdict(ask, factsOf(pair))).toBe('CONSENT_REQUIRED');
    expect(verdict(ask, factsOf(pair.slice(1), pair))).toBe('CONSENT_REQUIRED');
    // A row that holds nothing of the other one needs nothing of it.
    expect(verdict(ask, factsOf(pair.slice(0, 1), pair))).toBe('ALLOWED');
  });

  test.each(['PENDING', 'DENIED', 'WITHDRAWN', 'EXPIRED', 'SUPERSEDED', 'OBJECTED'] as const)(
    'all lose what one of them has as %s, over any link and even where the row has nothing of it',
    (state) => {
      const first = person('sub_a', { slots: granted });
      for (const link of [together, {}]) {
        const second = person('sub_b', { ...link, slots: slot('MARKETING', state) });
        expect(verdict(ask, factsOf([first], [first, second]))).toBe('CONSENT_REQUIRED');
      }
    },
  );

  test('that are marketplace buyers give no grant and need none, but their refusals count', () => {
    const buyer = person('sub_m', { fulfillmentOnly: true, slots: granted });
    expect(verdict(ask, factsOf([buyer]))).toBe('CONSENT_REQUIRED');
    const first = person('sub_a', { slots: granted });
    expect(verdict(ask, factsOf([first, person('sub_m', { fulfillmentOnly: true })]))).toBe('ALLOWED');
    const refusing = person('sub_m', { fulfillmentOnly: true, slots: slot('MARKETING', 'DENIED') });
    expect(verdict(ask, factsOf([first, refusing]))).toBe('CONSENT_REQUIRED');
  });

  test('lose a grant that came over a link that is gone, and keep a refusal', () => {
    const via = { via: toSubjectId('sub_gone') };
    const carried = person('sub_a', { slots: slot('MARKETING', 'GRANTED', via) });
    expect(verdict(ask, factsOf([carried]))).toBe('CONSENT_REQUIRED');
    const stillLinked = person('sub_gone', { proofGroup: carried.proofGroup });
    expect(verdict(ask, factsOf([carried], [carried, stillLinked]))).toBe('ALLOWED');
    const own = slot('MARKETING', 'GRANTED', { decidedAt: ago(2 * DAY) });
    const refused = person('sub_a', { slots: [...own, ...slot('MARKETING', 'WITHDRAWN', via)] });
    expect(verdict(ask, factsOf([refused]))).toBe('CONSENT_REQUIRED');
    const restored = person('sub_a', { slots: [...own, ...slot('MARKETING', 'GRANTED', via)] });
    expect(verdict(ask, factsOf([restored]))).toBe('ALLOWED');
  });
});

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
    fc.assert(
      fc.property(askArb, membersArb, unitArb, fc.nat(), (ask, members, unit, at) => {
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
      }),
      { numRuns: 5_000 },
    );
  });

  test('the order of subjects and of decisions changes nothing', () => {
    fc.assert(
      fc.property(askArb, membersArb, (ask, members) => {
        const turned = members.toReversed().map((member) => ({ ...member, slots: member.slots.toReversed() }));
        return verdict(ask, factsOf(members)) === verdict(ask, factsOf(turned));
      }),
      { numRuns: 3_000 },
    );
  });

  test('one more linked subject opens a consent cell only with a grant of its own that covers it', () => {
    fc.assert(
      fc.property(askArb, membersArb, (ask, members) => {
        const cell = ask.purpose === 'MARKETING' || ask.purpose === 'PERSONALIZATION';
        fc.pre(cell && ask.role !== 'customer' && members.length > 1);
        const last = members.at(-1);
        if (last === undefined || !opens(ask, factsOf(members))) return true;
        const without = members.slice(0, -1);
        // Silent members never open, and over a link without proof even a granting one does not.
        const linkedByProof = without.some(({ proofGroup }) => proofGroup === last.proofGroup);
        return (
          opens(ask, factsOf(without)) ||
          (linkedByProof && last.slots.some(({ state }) => state === 'GRANTED')) ||
          without.every(({ fulfillmentOnly }) => fulfillmentOnly)
        );
      }),
      { numRuns: 5_000 },
    );
  });

  test('somebody restricted or erased in the set opens nothing but the law', () => {
    fc.assert(
      fc.property(askArb, membersArb, (ask, members) => {
        const flagged = members.some(({ flags }) => flags !== 'NORMAL');
        fc.pre(flagged && ask.role !== 'customer');
        return !opens(ask, factsOf(members)) || ask.purpose === 'LEGAL_OBLIGATION';
      }),
      { numRuns: 2_000 },
    );
  });
});
