import { describe, expect, test } from 'vitest';

import { type Category } from '#schema/categories.ts';
import { toSubjectId } from '#schema/model/ids.ts';
import { MEDIA, type Medium } from '#schema/model/request.ts';
import { decide, DEFAULT_POLICY } from './decide.ts';
import { ago, type Ask, DAY, factsOf, NOW, person, question, relation, slot, verdict } from './decision-kit.ts';
import { type DecisionFacts, type OrderRelation } from './facts.ts';
import { type ConsentSlot, type ConsentStateName } from './states.ts';

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

  test('ends for a partner’s job too, when the person objected towards ourselves or towards everybody', () => {
    const ask: Ask = { role: 'service-job', purpose: 'FRAUD_PREVENTION', recipient: 'ads' };
    const objected = (recipient: string) =>
      factsOf([person('sub_a', { slots: slot('FRAUD_PREVENTION', 'OBJECTED', { recipient }) })]);
    expect(['self', '*', 'ads', 'other'].map((recipient) => verdict(ask, objected(recipient)))).toEqual([
      'CONSENT_REQUIRED',
      'CONSENT_REQUIRED',
      'CONSENT_REQUIRED',
      'ALLOWED',
    ]);
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

  test('that are marketplace buyers open no row they are part of, give no grant, and their refusals count', () => {
    const first = person('sub_a', { slots: granted });
    const silent = person('sub_b', together);
    const buyer = person('sub_m', { ...together, fulfillmentOnly: true, slots: granted });
    expect(verdict(ask, factsOf([buyer]))).toBe('CONSENT_REQUIRED');
    expect(verdict(ask, factsOf([first, buyer]))).toBe('CONSENT_REQUIRED');
    expect(verdict(ask, factsOf([silent], [silent, buyer]))).toBe('CONSENT_REQUIRED');
    expect(verdict(ask, factsOf([first], [first, buyer]))).toBe('ALLOWED');
    const refusing = person('sub_m', { fulfillmentOnly: true, slots: slot('MARKETING', 'DENIED') });
    expect(verdict(ask, factsOf([first], [first, refusing]))).toBe('CONSENT_REQUIRED');
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
