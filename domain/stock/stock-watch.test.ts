import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { createStockWatch } from './stock-watch.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function aWatch(options: { readonly maxSkus?: number; readonly fail?: boolean } = {}) {
  const looks: (readonly string[])[] = [];
  const errors: unknown[] = [];
  const look = (skus: readonly string[]): Promise<void> => {
    looks.push(skus);
    return options.fail === true ? Promise.reject(new Error('down')) : Promise.resolve();
  };
  const watch = createStockWatch({
    look,
    clock: { nowMs: () => Date.now() },
    everyMs: 100,
    onError: (error) => void errors.push(error),
    ...(options.maxSkus === undefined ? {} : { maxSkus: options.maxSkus }),
  });
  return { watch, looks, errors };
}

test('a product is looked at once a turn however many watch it, and not at all when nobody does', async () => {
  const { watch, looks } = aWatch();
  const leave = watch.add(['a', 'b', 'a']);
  const leaveToo = watch.add(['b']);
  await vi.advanceTimersByTimeAsync(100);
  leave();
  leave();
  await vi.advanceTimersByTimeAsync(100);
  leaveToo();
  expect(watch.size()).toBe(0);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(looks.filter((skus) => skus.length > 0)).toEqual([['a', 'b'], ['b']]);
  expect(vi.getTimerCount()).toBe(0);
});

test('of more products than one look may have, all get their turn', async () => {
  const { watch, looks } = aWatch({ maxSkus: 2 });
  watch.add(['a', 'b', 'c']);
  await vi.advanceTimersByTimeAsync(300);
  expect(looks).toEqual([
    ['a', 'b'],
    ['c', 'a'],
    ['b', 'c'],
  ]);
});

test('a failed look is told and tried again; a closed watch looks no more', async () => {
  const { watch, looks, errors } = aWatch({ fail: true });
  watch.add(['a']);
  await vi.advanceTimersByTimeAsync(200);
  expect([looks.length, errors.length]).toEqual([2, 2]);
  await watch.close();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(looks).toHaveLength(2);
});
