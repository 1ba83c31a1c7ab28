import { describe, expect, it } from 'vitest';

import { runDifferential, runDifferentialOverOurs } from '#test/support/federation/differential.ts';

// The whole forms, with thousands of operations, are the proofs `differential-in-process` and `differential-remote`.
describe('against @apollo/gateway and graphql itself', () => {
  it.each([1_000, 9_000, 12_000, 31_000])(
    'answers 30 random operations of random supergraph %i as they do, or better',
    async (seed) => {
      const { operations, withErrors, wrong } = await runDifferential(seed, 30);
      expect(wrong).toEqual([]);
      expect(operations).toBe(30);
      expect(withErrors).toBeGreaterThan(0);
    },
  );

  it('answers 15 random operations as they do, or better, when each subgraph is behind HTTP', async () => {
    const { operations, wrong } = await runDifferential(5_000, 15, 'remote');
    expect(wrong).toEqual([]);
    expect(operations).toBe(15);
  }, 60_000);

  it('answers 30 random operations of the product’s own supergraph as they do, or better', async () => {
    const { wrong, withErrors } = await runDifferentialOverOurs(1, 30);
    expect(wrong).toEqual([]);
    expect(withErrors).toBeGreaterThan(0);
  }, 60_000);
});
