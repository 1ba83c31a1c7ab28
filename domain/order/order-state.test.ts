import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { OPEN_END_MS, type StateFacet, joinStates, openUntilMs } from './order-state.ts';
import type { OrderState } from '#schema/model/records.ts';

const facet = (state: OrderState, atMs: number | null = 100): StateFacet => ({ state, atMs });

describe('the state of an order', () => {
  test.each<[string, readonly StateFacet[], OrderState]>([
    ['of no facet is unknown', [], 'UNKNOWN'],
    [
      'is the furthest progress, even when an earlier stage was reported later',
      [facet('PACKED', 100), facet('RELEASED', 200)],
      'PACKED',
    ],
    ['ignores a system that does not know', [facet('UNKNOWN', 300), facet('RECEIVED', 100)], 'RECEIVED'],
    ['is canceled before anything was handed over', [facet('PACKED', 300), facet('CANCELED', 100)], 'CANCELED'],
    [
      'is not canceled by a cancellation older than the delivery',
      [facet('DELIVERED', 300), facet('CANCELED', 100)],
      'DELIVERED',
    ],
    [
      'is canceled by a cancellation after the hand-over',
      [facet('IN_TRANSIT', 100), facet('CANCELED', 300)],
      'CANCELED',
    ],
    ['is refunded even when canceled later', [facet('REFUNDED', 100), facet('CANCELED', 300)], 'REFUNDED'],
    ['is held by the latest word before picking', [facet('HELD', 200), facet('RELEASED', 100)], 'HELD'],
    ['is no longer held when a system released it later', [facet('HELD', 100), facet('RELEASED', 200)], 'RELEASED'],
    ['is not held once picking began', [facet('HELD', 300), facet('PICKING', 100)], 'PICKING'],
    ['is returned after delivery', [facet('DELIVERED', 300), facet('RETURN_REQUESTED', 200)], 'RETURN_REQUESTED'],
  ])('%s', (_, facets, state) => {
    expect(joinStates(facets).state).toBe(state);
    expect(joinStates(facets.toReversed()).state).toBe(state);
  });

  test('keeps the earliest time of equal progress', () => {
    expect(joinStates([facet('DELIVERED', 300), facet('DELIVERED', 100), facet('DELIVERED', null)])).toEqual(
      facet('DELIVERED', 100),
    );
  });

  test('does not depend on the order of the facets, and saying it twice changes nothing', () => {
    const anyFacet = fc.record({
      state: fc.constantFrom<OrderState>(
        'UNKNOWN',
        'RECEIVED',
        'HELD',
        'RELEASED',
        'PICKING',
        'HANDED_OVER',
        'DELIVERED',
        'REFUNDED',
        'CANCELED',
      ),
      atMs: fc.constantFrom(null, 100, 200, 300),
    });
    fc.assert(
      fc.property(
        fc
          .array(anyFacet, { maxLength: 5 })
          .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          expect(joinStates(shuffled)).toEqual(joinStates(all));
          expect(joinStates([...all, ...all])).toEqual(joinStates(all));
        },
      ),
    );
  });
});

describe('an order is a basis', () => {
  const day = 86_400_000;
  test.each<[string, OrderState, number | null, number]>([
    ['without end while it is worked on', 'PICKING', 100, OPEN_END_MS],
    ['without end while it is returned', 'RETURN_REQUESTED', 100, OPEN_END_MS],
    ['30 days after its delivery', 'DELIVERED', 100, 100 + 30 * day],
    ['30 days after its collection', 'COLLECTED', 100, 100 + 30 * day],
    ['not when its delivery has no time', 'DELIVERED', null, 0],
    ['until it was canceled', 'CANCELED', 100, 100],
    ['until it was refunded', 'REFUNDED', 100, 100],
    ['not when no system knows its state', 'UNKNOWN', null, 0],
  ])('%s', (_, state, atMs, until) => {
    expect(openUntilMs({ state, atMs }, 30)).toBe(until);
  });
});
