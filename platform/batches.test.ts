import { describe, expect, it } from 'vitest';

import { batchesOf, inBatches } from './batches.ts';

describe('batches', () => {
  it('keep the order and hold at most the given number', () => {
    expect(batchesOf([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
    expect(batchesOf([], 2)).toEqual([]);
  });

  it('run one after the other, 500 items a statement, and none for no items', async () => {
    const sizes: number[] = [];
    const run = (batch: readonly number[]) => {
      sizes.push(batch.length);
      return Promise.resolve(batch.map((item) => item * 2));
    };
    const answers = await inBatches(
      Array.from({ length: 1_001 }, (_, index) => index),
      run,
    );
    expect(sizes).toEqual([500, 500, 1]);
    expect(answers.at(-1)).toBe(2_000);
    expect(await inBatches([], run)).toEqual([]);
    expect(sizes).toHaveLength(3);
  });
});
