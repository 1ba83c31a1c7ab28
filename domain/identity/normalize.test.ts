import { describe, expect, test } from 'vitest';

import { createMatchKeys } from './match-keys.ts';
import {
  ageBandOf,
  foldGivenName,
  foldName,
  normalizeBirthDate,
  normalizeEmail,
  normalizeLoyaltyNumber,
  normalizePhone,
} from './normalize.ts';
import { aProfile } from '#test/support/people.ts';

describe('natural keys', () => {
  test.each([
    [' Ada@Example.COM ', 'ada@example.com'],
    ['ada.b+shop@example.com', 'ada.b+shop@example.com'],
    ['not an address', null],
    ['', null],
    [null, null],
    [`${'a'.repeat(250)}@example.com`, null],
  ])('e-mail %j becomes %j', (text, expected) => {
    expect(normalizeEmail(text)).toBe(expected);
  });

  test.each([
    ['020 7946 0018', 'GB', '+442079460018'],
    ['+44 (0)20 7946 0018', 'US', '+442079460018'],
    ['0044 20 7946 0018', 'GB', '+442079460018'],
    ['(212) 555-2368', 'us', '+12125552368'],
    ['020 7946 0018', null, null],
    ['+1 212-555-2368 ext. 12345', 'US', null],
    ['07700 900123', 'GB', '+447700900123'],
    ['12', 'GB', null],
    [null, 'GB', null],
  ])('phone %j in %j becomes %j', (text, country, expected) => {
    expect(normalizePhone(text, country)).toBe(expected);
  });

  test.each([
    ["O'Néill-Løw", 'oneilllow'],
    ['STRASSER', 'strasser'],
    ['Straßer', 'strasser'],
    ['  van der Berg ', 'vanderberg'],
    ['李', '李'],
    ['--', null],
    [null, null],
  ])('surname %j folds to %j', (text, expected) => {
    expect(foldName(text)).toBe(expected);
  });

  test('a given name is its first name, with or without a second', () => {
    expect([foldGivenName('Zoë Marie'), foldGivenName('zoe'), foldGivenName('Z. M.')]).toEqual(['zoe', 'zoe', 'z']);
  });

  test.each([
    ['l-1234 567', 'L1234567'],
    ['L1234567', 'L1234567'],
    ['+447700900123', null],
    ['12', null],
    [null, null],
  ])('loyalty number %j becomes %j', (text, expected) => {
    expect(normalizeLoyaltyNumber(text)).toBe(expected);
  });

  test('a birth date that no calendar has is none', () => {
    expect([
      normalizeBirthDate('1990-02-28'),
      normalizeBirthDate('1990-02-30'),
      normalizeBirthDate('28/02/1990'),
    ]).toEqual(['1990-02-28', null, null]);
  });

  test('a person comes of age on the eighteenth birthday', () => {
    const at = Date.parse('2026-06-15T00:00:00Z');
    expect([ageBandOf('2008-06-15', at), ageBandOf('2008-06-16', at), ageBandOf(null, at)]).toEqual([
      'ADULT',
      'MINOR',
      null,
    ]);
  });
});

describe('keyed hashes', () => {
  const keys = createMatchKeys(new Uint8Array(32).fill(7));

  test('equal for equal people however their systems write them, and bound to the key', () => {
    const one = keys.profile(aProfile({ email: 'ADA@example.com', phone: '020 7946 0018', familyName: 'Bÿron' }), 'GB');
    const two = keys.profile(
      aProfile({ email: 'ada@example.com ', phone: '+442079460018', familyName: 'BYRON' }),
      'GB',
    );
    expect(one).toEqual(two);
    const other = createMatchKeys(new Uint8Array(32).fill(8)).profile(aProfile({ email: 'ada@example.com' }), 'GB');
    expect(other.email_hash).not.toBe(one.email_hash);
  });

  test('hold no e-mail of a marketplace buyer and no full name of an initial', () => {
    const hashes = keys.profile(
      aProfile({ kind: 'MARKETPLACE_BUYER', email: 'x1@marketplace.example', givenName: 'A.' }),
      'GB',
    );
    expect(hashes.email_hash).toBeNull();
    expect(hashes.given_hash).toBeNull();
    expect(hashes.given_initial_hash).not.toBeNull();
  });
});
