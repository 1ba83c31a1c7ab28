import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type MemberValues, mergeProfiles } from './survivorship.ts';
import { aProfile } from '#test/support/people.ts';
import { toProfileId, toSystemId } from '#schema/model/ids.ts';
import type { ProfileRecord } from '#schema/model/records.ts';

const trusted = ['crm', 'pos', 'marketplace'].map(toSystemId);
const member = (profile: string, over: Parameters<typeof aProfile>[0]): MemberValues => ({
  profile: toProfileId(profile),
  record: aProfile(over),
});
const OLD = '2026-01-01T00:00:00.000Z';
const NEW = '2026-01-09T00:00:00.000Z';

describe('the customer record', () => {
  test.each<[string, Parameters<typeof aProfile>[0], Parameters<typeof aProfile>[0], string, string]>([
    [
      'a verified e-mail over a newer one',
      { email: 'a@x.test', emailVerified: true, asOf: OLD },
      { system: 'pos', email: 'b@x.test', asOf: NEW },
      'a@x.test',
      'VERIFIED',
    ],
    [
      'the newer of two unverified',
      { email: 'a@x.test', asOf: OLD },
      { system: 'pos', email: 'b@x.test', asOf: NEW },
      'b@x.test',
      'MOST_RECENT',
    ],
    [
      'a dated one over an undated one',
      { email: 'a@x.test', asOf: null },
      { system: 'pos', email: 'b@x.test', asOf: OLD },
      'b@x.test',
      'MOST_RECENT',
    ],
    [
      'the trusted system at the same instant',
      { email: 'a@x.test', asOf: NEW },
      { system: 'pos', email: 'b@x.test', asOf: NEW },
      'a@x.test',
      'TRUSTED_SOURCE',
    ],
    [
      'a profile over a newer guest order',
      { email: 'a@x.test', asOf: OLD },
      { system: 'erp', kind: 'GUEST', email: 'b@x.test', asOf: NEW },
      'a@x.test',
      'OWN_PROFILE',
    ],
    ['the only one there is', { email: null }, { system: 'pos', email: 'b@x.test' }, 'b@x.test', 'ONLY_SOURCE'],
    ['the smaller id when nothing else differs', { email: 'a@x.test' }, { email: 'b@x.test' }, 'a@x.test', 'EQUAL'],
  ])('takes %s', (...[, one, two, email, reason]) => {
    const merged = mergeProfiles([member('prf_1', one), member('prf_2', two)], trusted);
    expect(merged.email).toBe(email);
    expect(merged.origins.find((origin) => origin.field === 'email')?.reason).toBe(reason);
  });

  test('takes both names of one profile and each field from its own best profile', () => {
    const merged = mergeProfiles(
      [
        member('prf_1', { givenName: 'Ada', familyName: 'Byron', asOf: OLD, birthDate: '1815-12-10' }),
        member('prf_2', {
          system: 'pos',
          givenName: 'A.',
          familyName: null,
          asOf: NEW,
          addresses: [{ lines: ['1 High St'], postalCode: null, city: null, region: null, country: 'GB' }],
        }),
      ],
      trusted,
    );
    expect(merged).toMatchObject({ name: 'A.', birthDate: '1815-12-10', email: null, preferences: null });
    expect(merged.origins).toEqual([
      { field: 'name', profile: 'prf_2', reason: 'MOST_RECENT' },
      { field: 'addresses', profile: 'prf_2', reason: 'ONLY_SOURCE' },
      { field: 'birthDate', profile: 'prf_1', reason: 'ONLY_SOURCE' },
    ]);
  });

  test('of nobody has no values and no origins', () => {
    expect(mergeProfiles([], trusted)).toEqual({
      name: null,
      email: null,
      phone: null,
      addresses: null,
      birthDate: null,
      preferences: null,
      origins: [],
    });
  });

  test('does not depend on the order of the profiles', () => {
    const anyRecord = fc.record({
      system: fc.constantFrom('crm', 'pos', 'marketplace', 'erp'),
      kind: fc.constantFrom<ProfileRecord['kind']>('PROFILE', 'GUEST', 'MARKETPLACE_BUYER'),
      givenName: fc.constantFrom(null, 'Ada', ''),
      email: fc.constantFrom(null, 'a@x.test', 'b@x.test'),
      emailVerified: fc.boolean(),
      asOf: fc.constantFrom(null, OLD, NEW),
    });
    fc.assert(
      fc.property(
        fc
          .array(anyRecord, { maxLength: 6 })
          .map((records) => records.map((record, index) => member(`prf_${index}`, record)))
          .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          expect(mergeProfiles(shuffled, trusted)).toEqual(mergeProfiles(all, trusted));
        },
      ),
    );
  });
});
