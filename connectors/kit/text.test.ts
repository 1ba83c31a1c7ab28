import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { countryOf, dateOf, instantOf, moneyOf, moneyOfMinor, slugOf, splitName, unitsOf } from './text.ts';

describe('amounts', () => {
  it.each([
    [12.5, 'GBP', '12.50'],
    ['12', 'GBP', '12.00'],
    ['0.1', 'EUR', '0.10'],
    [1.005, 'GBP', '1.005'],
    ['5980', 'JPY', '5980'],
    [-3.1, 'GBP', '-3.10'],
    [1e-7, 'GBP', '0.0000001'],
  ])('writes %s %s as %s', (amount, currency, text) => {
    expect(moneyOf(amount, currency)).toEqual({ amount: text, currency });
  });

  it.each([[null], [undefined], ['abc'], ['1,50'], [Number.NaN], [Infinity], ['']])('answers null to %s', (amount) => {
    expect(moneyOf(amount, 'GBP')).toBeNull();
  });

  it('answers null without a currency', () => {
    expect(moneyOf('1', null)).toBeNull();
    expect(moneyOf('1', 'pounds')).toBeNull();
  });

  it('writes minor units exactly', () => {
    expect(moneyOfMinor(5, 'GBP')).toEqual({ amount: '0.05', currency: 'GBP' });
    expect(moneyOfMinor(-123456, 'GBP')).toEqual({ amount: '-1234.56', currency: 'GBP' });
    expect(moneyOfMinor(500, 'JPY')).toEqual({ amount: '500', currency: 'JPY' });
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), (minor) => {
        const amount = moneyOfMinor(minor, 'GBP')?.amount ?? '';
        return BigInt(amount.replace('.', '')) === BigInt(minor) && /\.\d{2}$/.test(amount);
      }),
    );
  });
});

describe('counts', () => {
  it('never gives a part of a unit away: supply is rounded down, demand up', () => {
    expect(unitsOf('17.00000')).toBe(17);
    expect(unitsOf('2.5')).toBe(2);
    expect(unitsOf('2.5', 'demand')).toBe(3);
    expect(unitsOf('-0.5')).toBe(-1);
    expect(Object.is(unitsOf('-0'), 0)).toBe(true);
    expect(unitsOf('many')).toBeNull();
  });

  it.each(['99999999999999999999', 1e300, 2 ** 53, '1000000001'])('reads the absurd %s as a billion', (value) => {
    expect(unitsOf(value)).toBe(1_000_000_000);
    expect(unitsOf(typeof value === 'number' ? -value : `-${value}`)).toBe(-1_000_000_000);
    expect([unitsOf('1e400'), unitsOf(Infinity), unitsOf(Number.NaN)]).toEqual([null, null, null]);
  });
});

describe('other texts', () => {
  it('reads instants and dates, and refuses what stands for none', () => {
    expect(instantOf('2026-01-01T01:00:00+01:00')).toBe('2026-01-01T00:00:00.000Z');
    expect(instantOf('0001-01-01T00:00:00Z')).toBeNull();
    expect(instantOf('yesterday')).toBeNull();
    expect(dateOf('1990-05-07T00:00:00Z')).toBe('1990-05-07');
    expect(dateOf('0000-05-07')).toBeNull();
    expect(dateOf('1990-13-40')).toBeNull();
  });

  it('reads countries by code and by English name', () => {
    expect(['gb', 'United Kingdom', 'UK', 'Germany', 'ZZ', 'Atlantis', null].map(countryOf)).toEqual([
      'GB',
      'GB',
      'GB',
      'DE',
      null,
      null,
      null,
    ]);
  });

  it('splits names at the last word', () => {
    expect(splitName(' Ada  King Lovelace ')).toEqual({ givenName: 'Ada King', familyName: 'Lovelace' });
    expect(splitName('Ada')).toEqual({ givenName: 'Ada', familyName: null });
    expect(splitName('')).toEqual({ givenName: null, familyName: null });
  });

  it('reads channel slugs only', () => {
    expect(['WEB', 'app', 'Square Point of Sale', '', null].map(slugOf)).toEqual(['web', 'app', null, null, null]);
  });
});
