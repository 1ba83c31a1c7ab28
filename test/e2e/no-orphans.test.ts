import { expect, it } from 'vitest';

import { skipsInSplitMode } from '#test/support/e2e-mode.ts';
import { startProduct } from '#test/support/product.ts';
import { descendantsOf, isAlive, waitForEnd } from '#test/support/process-tree.ts';

const WITHIN_MS = 10_000;

const isInParts = skipsInSplitMode('one process and the sandbox it starts');

it.skipIf(isInParts).each(['SIGINT', 'SIGTERM'] as const)(
  'ends cleanly with everything it started on %s',
  async (signal) => {
    await using product = await startProduct();
    const children = descendantsOf(product.process.pid);
    expect(children.length).toBeGreaterThan(0);
    expect(await product.stop(signal)).toBe(0);
    expect(await waitForEnd(children, WITHIN_MS)).toEqual([]);
    expect(product.process.stdout()).toContain('Stopping');
    await expect(fetch(`${product.urls.base}/livez`)).rejects.toThrow('fetch failed');
  },
  60_000,
);

it.skipIf(isInParts)(
  'leaves no sandbox behind when it is killed',
  async () => {
    await using product = await startProduct();
    const children = descendantsOf(product.process.pid);
    process.kill(product.process.pid, 'SIGKILL');
    expect(await waitForEnd(children, WITHIN_MS)).toEqual([]);
  },
  60_000,
);

it.skipIf(isInParts)(
  'says so and ends with 1 when its sandbox dies',
  async () => {
    await using product = await startProduct();
    const [sandbox] = descendantsOf(product.process.pid);
    process.kill(sandbox ?? -1, 'SIGKILL');
    expect(await product.process.ended).toBe(1);
    expect(product.process.output()).toContain('The sandbox stopped unexpectedly');
    expect(isAlive(product.process.pid)).toBe(false);
  },
  60_000,
);
