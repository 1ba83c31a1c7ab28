import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type LinkCandidate, areBlocked, areHousehold, connectedSets, linkProfiles } from './link-rules.ts';
import { toSubjectId } from '#schema/model/ids.ts';

const blank: LinkCandidate = {
  subject: toSubjectId('x'),
  emailHash: null,
  emailVerified: false,
  phoneHash: null,
  surnameHash: null,
  givenHash: null,
  givenInitialHash: null,
  birthHash: null,
  loyaltyHash: null,
  isTest: false,
  doNotLink: false,
};
const candidate = (subject: string, over: Partial<LinkCandidate>): LinkCandidate => ({
  ...blank,
  subject: toSubjectId(subject),
  ...over,
});
const verified = { emailHash: 'e', emailVerified: true } as const;
const named = { phoneHash: 'p', surnameHash: 's' } as const;

describe('deterministic links', () => {
  test('join two profiles by a loyalty number, by an e-mail verified on both sides, and by phone with surname', () => {
    const links = linkProfiles([
      candidate('a', { loyaltyHash: 'l' }),
      candidate('b', { loyaltyHash: 'l', ...verified }),
      candidate('c', { ...verified, ...named }),
      candidate('d', { ...named }),
    ]);
    expect(links).toEqual([
      { a: 'a', b: 'b', tier: 'VERIFIED_KEY', evidence: ['loyaltyNumber'] },
      { a: 'b', b: 'c', tier: 'VERIFIED_KEY', evidence: ['verifiedEmail'] },
      { a: 'c', b: 'd', tier: 'PHONE_AND_NAME', evidence: ['phoneAndSurname'] },
    ]);
  });

  test('name every kind of key that joins a pair and the strongest tier', () => {
    const both = { ...verified, ...named };
    expect(linkProfiles([candidate('a', both), candidate('b', both)])).toEqual([
      { a: 'a', b: 'b', tier: 'VERIFIED_KEY', evidence: ['phoneAndSurname', 'verifiedEmail'] },
    ]);
  });

  test.each<[string, Partial<LinkCandidate>, Partial<LinkCandidate>]>([
    ['an e-mail verified on one side only', verified, { emailHash: 'e' }],
    ['a phone alone', { phoneHash: 'p' }, { phoneHash: 'p' }],
    ['a phone with another surname', named, { ...named, surnameHash: 't' }],
    [
      'a verified e-mail with another loyalty number',
      { ...verified, loyaltyHash: 'l' },
      { ...verified, loyaltyHash: 'm' },
    ],
    ['a verified e-mail with another birth date', { ...verified, birthHash: 'b' }, { ...verified, birthHash: 'c' }],
    ['a verified e-mail with do-not-link', verified, { ...verified, doNotLink: true }],
    ['a verified e-mail between test and production', verified, { ...verified, isTest: true }],
    ['a phone and surname with another given name', { ...named, givenHash: 'g' }, { ...named, givenHash: 'h' }],
    [
      'a loyalty number with another given name',
      { loyaltyHash: 'l', givenHash: 'g' },
      { loyaltyHash: 'l', givenHash: 'h' },
    ],
  ])('do not follow from %s', (_, one, two) => {
    expect(linkProfiles([candidate('a', one), candidate('b', two)])).toEqual([]);
  });

  test('of a household e-mail join nobody, not even the two who look alike', () => {
    const links = linkProfiles([
      candidate('a', { ...verified, givenHash: 'ada' }),
      candidate('b', { ...verified, givenHash: 'ada' }),
      candidate('c', { ...verified, givenHash: 'george' }),
    ]);
    expect(links).toEqual([]);
  });

  test('treat an initial as the name it may stand for', () => {
    const full = candidate('a', { givenHash: 'ada', givenInitialHash: 'a' });
    expect(areHousehold(full, candidate('b', { givenInitialHash: 'a' }))).toBe(false);
    expect(areHousehold(full, candidate('b', { givenInitialHash: 'g' }))).toBe(true);
  });

  test('of a weaker kind are dropped where they would bring two blocked profiles together; the stronger stay', () => {
    const links = linkProfiles([
      candidate('a', { loyaltyHash: 'l', birthHash: 'x' }),
      candidate('b', { loyaltyHash: 'l', ...named }),
      candidate('c', { ...named, birthHash: 'y' }),
    ]);
    expect(links.map(({ a, b }) => [a, b])).toEqual([['a', 'b']]);
  });

  test('a key with 11 holders links nobody, one with 10 links all', () => {
    const kiosk = Array.from({ length: 11 }, (_, index) => candidate(`s${index}`, verified));
    expect(linkProfiles(kiosk)).toEqual([]);
    expect(linkProfiles(kiosk.slice(1))).toHaveLength(45);
  });

  test('a key known to be crowded elsewhere links nobody', () => {
    const pair = [candidate('a', verified), candidate('b', verified)];
    expect(linkProfiles(pair, { crowdedKeys: new Set(['e']) })).toEqual([]);
  });

  test('a chain that grows past the cap is cut', () => {
    const chain = Array.from({ length: 6 }, (_, index) =>
      candidate(
        `s${index}`,
        index % 2 === 0
          ? { ...verified, emailHash: `e${index}`, ...named }
          : { ...verified, emailHash: `e${index - 1}` },
      ),
    );
    const links = linkProfiles(chain, { sizeCap: 4 });
    expect(links.map(({ tier }) => tier)).toEqual(['VERIFIED_KEY', 'VERIFIED_KEY', 'VERIFIED_KEY']);
  });
});

const someHash = (...values: string[]): fc.Arbitrary<string | null> => fc.constantFrom(null, null, ...values);
const anyCandidates = fc
  .array(
    fc.record({
      emailHash: someHash('e1', 'e2', 'e3'),
      emailVerified: fc.boolean(),
      phoneHash: someHash('p1', 'p2'),
      surnameHash: someHash('s1', 's2'),
      givenHash: someHash('g1', 'g2'),
      givenInitialHash: fc.constant(null),
      birthHash: someHash('b1', 'b2'),
      loyaltyHash: someHash('l1', 'l2', 'l3'),
      isTest: fc.boolean(),
      doNotLink: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
    { maxLength: 14 },
  )
  .map((rows) => rows.map((row, index): LinkCandidate => ({ ...row, subject: toSubjectId(`s${index}`) })));

describe('links of any population', () => {
  test('do not depend on the order of the profiles', () => {
    fc.assert(
      fc.property(
        anyCandidates.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          expect(linkProfiles(shuffled)).toEqual(linkProfiles(all));
        },
      ),
    );
  });

  test('never put two blocked profiles into one set, and no set is larger than the cap', () => {
    fc.assert(
      fc.property(anyCandidates, (all) => {
        const bySubject = new Map(all.map((row) => [row.subject, row]));
        for (const set of connectedSets([...bySubject.keys()], linkProfiles(all, { sizeCap: 4 })).values()) {
          expect(set.length).toBeLessThanOrEqual(4);
          const blocked = set.flatMap((a) =>
            set.filter((b) => a < b && areBlocked(bySubject.get(a)!, bySubject.get(b)!)),
          );
          expect(blocked).toEqual([]);
        }
      }),
    );
  });

  test('name each pair once, smaller subject first', () => {
    fc.assert(
      fc.property(anyCandidates, (all) => {
        const links = linkProfiles(all);
        expect(new Set(links.map(({ a, b }) => `${a} ${b}`)).size).toBe(links.length);
        expect(links.every(({ a, b }) => a < b)).toBe(true);
      }),
    );
  });
});
