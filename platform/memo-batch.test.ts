import { describe, expect, test } from 'vitest';

import { memoizeBatch } from './memo-batch.ts';

function createCounted() {
  const calls: (readonly string[])[] = [];
  let nowMs = 0;
  let failing = false;
  const memo = memoizeBatch({
    read: async (keys) => {
      calls.push(keys);
      if (failing) throw new Error('down');
      return keys.map((key) => `${key}${nowMs}`);
    },
    clock: { nowMs: () => nowMs },
    ttlMs: 1_000,
    maxKeys: 3,
  });
  return { memo, calls, advance: (ms: number) => (nowMs += ms), fail: (next: boolean) => (failing = next) };
}

describe('memoized batch read', () => {
  test('reads only what was not read within its time, and answers in key order', async () => {
    const { memo, calls, advance } = createCounted();
    expect(await memo.read(['a', 'b', 'a'])).toEqual(['a0', 'b0', 'a0']);
    advance(999);
    expect(await memo.read(['c', 'a'])).toEqual(['c999', 'a0']);
    advance(1);
    expect(await memo.read(['a'])).toEqual(['a1000']);
    expect(calls).toEqual([['a', 'b'], ['c'], ['a']]);
  });

  test('shares one read between callers of the same moment', async () => {
    const { memo, calls } = createCounted();
    await Promise.all([memo.read(['a']), memo.read(['a', 'b']), memo.read(['b'])]);
    expect(calls).toEqual([['a'], ['b']]);
  });

  test('repeats no failure', async () => {
    const { memo, fail } = createCounted();
    fail(true);
    await expect(memo.read(['a'])).rejects.toThrow('down');
    fail(false);
    expect(await memo.read(['a'])).toEqual(['a0']);
  });

  test('sees what was written after it was cleared', async () => {
    const { memo, calls } = createCounted();
    await memo.read(['a']);
    memo.clear();
    await memo.read(['a']);
    expect(calls).toHaveLength(2);
  });

  test('answers more keys than it keeps', async () => {
    const { memo } = createCounted();
    expect(await memo.read(['a', 'b', 'c', 'd', 'e'])).toEqual(['a0', 'b0', 'c0', 'd0', 'e0']);
  });
});
