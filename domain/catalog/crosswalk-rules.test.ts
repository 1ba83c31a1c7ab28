import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { identifyItem, type MatchCandidate, matchItem, normalizeGtin, toCodeKey } from './crosswalk-rules.ts';

const product = (sku: string, gtin: string | null = null): MatchCandidate => ({
  sku,
  skuKey: toCodeKey(sku),
  gtin: normalizeGtin(gtin),
});
const match = (code: string | null, gtin: string | null, products: readonly MatchCandidate[], prefixes = ['AMZ-']) =>
  matchItem(identifyItem(code, gtin, prefixes), products);

describe('an item of a system', () => {
  const GTIN = '5012345678900';
  test.each([
    ['stands for the product with exactly its code', 'ab-1', null, [product('ab-1'), product('AB-1')], 'ab-1'],
    ['may differ in case and blanks', ' ab-1 ', null, [product('AB-1')], 'AB-1'],
    ['may carry a configured prefix', 'amz-ab-1', null, [product('AB-1')], 'AB-1'],
    ['matches by GTIN when its code is unknown', 'X', GTIN, [product('AB-1', GTIN)], 'AB-1'],
    ['matches a GTIN written with leading zeros', null, `0${GTIN}`, [product('AB-1', GTIN)], 'AB-1'],
    ['takes the exact code over the GTIN', 'AB-1', GTIN, [product('AB-1'), product('AB-2', GTIN)], 'AB-1'],
    ['resolves an ambiguous code by a unique GTIN', 'aB', GTIN, [product('AB'), product('ab', GTIN)], 'ab'],
  ])('%s', (...[, code, gtin, products, sku]) => {
    expect(match(code, gtin, products).sku).toBe(sku);
  });

  test.each([
    ['NO_CODE', null, null, [product('AB-1')]],
    ['NO_CODE', '  ', 'not a gtin', [product('AB-1')]],
    ['UNKNOWN_CODE', 'ZZ', null, [product('AB-1')]],
    ['AMBIGUOUS_CODE', 'aB', null, [product('AB'), product('ab')]],
    ['AMBIGUOUS_CODE', 'AMZ-1', null, [product('1'), product('amz-1')]],
    ['AMBIGUOUS_GTIN', 'ZZ', GTIN, [product('A', GTIN), product('B', GTIN)]],
    ['CONFLICTING_GTIN', 'a', GTIN, [product('A'), product('B', GTIN)]],
  ])('is listed as %s instead of guessed', (reason, code, gtin, products) => {
    expect(match(code, gtin, products)).toEqual({ sku: null, reason });
  });

  test('answers the same whatever the order of the candidates', () => {
    const code = fc.constantFrom('a', 'A', ' a', 'amz-a', 'b', 'B');
    const gtin = fc.constantFrom(null, '12345678', '87654321');
    fc.assert(
      fc.property(
        code,
        gtin,
        fc.uniqueArray(fc.tuple(code, gtin), { selector: ([sku]) => sku }),
        (itemCode, itemGtin, rows) => {
          const products = rows.map(([sku, g]) => product(sku, g));
          const verdict = match(itemCode, itemGtin, products);
          expect(match(itemCode, itemGtin, products.toReversed())).toEqual(verdict);
          expect([null, ...products.map(({ sku }) => sku)]).toContain(verdict.sku);
        },
      ),
    );
  });
});
