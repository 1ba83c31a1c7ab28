import { describe, expect, it } from 'vitest';

import { runDifferential, runDifferentialOverOurs } from '#test/support/federation/differential.ts';

// The whole form, with thousands of operations, is the proof `differential-in-process`.
describe('against @apollo/gateway and graphql itself', () => {
  it.each([1_000, 9_000, 31_000])(
    'answers 30 random operations of random supergraph %i as they do, or better',
    async (seed) => {
      const { operations, withErrors, wrong } = await runDifferential(seed, 30);
      expect(wrong).toEqual([]);
      expect(operations).toBe(30);
      expect(withErrors).toBeGreaterThan(0);
    },
  );

  it('answers 30 random operations of the product’s own supergraph as they do, or better', async () => {
    const { wrong, withErrors } = await runDifferentialOverOurs(1, 30);
    expect(wrong).toEqual([]);
    expect(withErrors).toBeGreaterThan(0);
  }, 60_000);
});
