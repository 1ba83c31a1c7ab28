import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { ABSURD_UNITS, availableToPromise, quarantineReason, type StatedStock, sumTerms, toAtpTerms } from './atp.ts';

const units = fc.nat(ABSURD_UNITS);
const stated: fc.Arbitrary<StatedStock> = fc.record({
  onHand: units,
  committed: fc.option(units),
  nets: fc.constantFrom([], ['committed'] as const, ['held'] as const),
});
const promise = (stock: StatedStock, buffer: number) => availableToPromise(toAtpTerms(stock, buffer));

describe('available to promise', () => {
  test.each([
    [{ onHand: 10, committed: 3, nets: [] }, 2, 5],
    [{ onHand: 10, committed: 3, nets: ['committed'] }, 2, 8],
    [{ onHand: 10, committed: null, nets: [] }, 0, 10],
    [{ onHand: 10, committed: 9, nets: [] }, 2, 0],
    [{ onHand: 0, committed: 0, nets: [] }, 0, 0],
  ] as const)('of %j with a buffer of %i is %i', (stock, buffer, expected) => {
    expect(promise(stock, buffer)).toBe(expected);
  });

  test('is never negative and never more than the supply', () => {
    fc.assert(
      fc.property(stated, units, (stock, buffer) => {
        const atp = promise(stock, buffer);
        expect(atp).toBeGreaterThanOrEqual(0);
        expect(atp).toBeLessThanOrEqual(stock.onHand);
      }),
    );
  });

  test('never rises when the buffer, the commitments or any other deduction grow', () => {
    fc.assert(
      fc.property(stated, units, fc.nat(100), (stock, buffer, more) => {
        const terms = toAtpTerms(stock, buffer);
        const before = availableToPromise(terms);
        for (const name of ['committed', 'inFlight', 'held', 'protection', 'ringFenced'] as const) {
          expect(availableToPromise({ ...terms, [name]: terms[name] + more })).toBeLessThanOrEqual(before);
        }
      }),
    );
  });

  test('explains the sum of several locations term by term', () => {
    const terms = [
      toAtpTerms({ onHand: 5, committed: 1, nets: [] }, 2),
      toAtpTerms({ onHand: 7, committed: 1, nets: ['committed'] }, 2),
    ];
    expect(sumTerms(terms)).toEqual({ supply: 12, committed: 1, inFlight: 0, held: 0, protection: 4, ringFenced: 0 });
  });
});

test.each([
  [-1, 0, 'NEGATIVE'],
  [1, -1, 'NEGATIVE'],
  [1.5, 0, 'NOT_WHOLE'],
  [Number.NaN, 0, 'NOT_WHOLE'],
  [Number.POSITIVE_INFINITY, 0, 'NOT_WHOLE'],
  [ABSURD_UNITS + 1, 0, 'ABSURD'],
  [ABSURD_UNITS, null, null],
  [0, 0, null],
])('on hand %d and committed %d is quarantined as %s', (onHand, committed, reason) => {
  expect(quarantineReason({ onHand, committed, nets: [] })).toBe(reason);
});
