import { randomUUID } from 'node:crypto';

import type { Clock } from '#platform/clock.ts';
import type { CallScope } from '#schema/model/request.ts';

export interface StockWatchOptions {
  /** Reads figures; what reads differently than before is told elsewhere. */
  readonly look: (skus: readonly string[], scope: CallScope) => Promise<void>;
  readonly clock: Clock;
  /** Time between two looks, in milliseconds. @default 3000 */
  readonly everyMs?: number;
  /** Products of one look; with more, they take turns. @default 1000 */
  readonly maxSkus?: number;
  readonly onError?: (error: unknown) => void;
}

/**
 * Looks at watched products again and again, since most systems do not tell when stock moves: each product once a turn,
 * however many watch it, and nothing at all when nobody does.
 */
export interface StockWatch {
  /** Answers how to stop. */
  readonly add: (skus: readonly string[]) => () => void;
  /** Products watched now. */
  readonly size: () => number;
  /** Resolves when nothing is read any more. */
  readonly close: () => Promise<void>;
}

export function createStockWatch(options: StockWatchOptions): StockWatch {
  const { look, clock, everyMs = 3_000, maxSkus = 1_000, onError } = options;
  /** In the order of their turn. */
  const watchers = new Map<string, number>();
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  const turn = async (): Promise<void> => {
    const skus = [...watchers.keys()].slice(0, maxSkus);
    if (skus.length === 0) return;
    for (const sku of skus) {
      const count = watchers.get(sku) ?? 0;
      watchers.delete(sku);
      watchers.set(sku, count);
    }
    try {
      const deadlineAtMs = clock.nowMs() + everyMs;
      await look(skus, { requestId: `watch-${randomUUID()}`, deadlineAtMs, signal: controller.signal });
    } catch (error) {
      onError?.(error);
    }
  };
  const plan = (): void => {
    if (timer !== undefined || watchers.size === 0 || controller.signal.aborted) return;
    timer = setTimeout(() => {
      running = turnAndPlan();
    }, everyMs).unref();
  };
  const turnAndPlan = async (): Promise<void> => {
    await turn();
    timer = undefined;
    plan();
  };

  return {
    size: () => watchers.size,
    add(skus) {
      const own = [...new Set(skus)];
      for (const sku of own) watchers.set(sku, (watchers.get(sku) ?? 0) + 1);
      plan();
      let left = false;
      return () => {
        if (left) return;
        left = true;
        for (const sku of own) {
          const count = (watchers.get(sku) ?? 1) - 1;
          if (count === 0) watchers.delete(sku);
          else watchers.set(sku, count);
        }
      };
    },
    async close() {
      controller.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
