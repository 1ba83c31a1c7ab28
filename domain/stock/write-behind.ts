import { LRUCache } from 'lru-cache';

import type { ItemStock, StockSnapshots } from './snapshots.ts';

export interface WriteBehindOptions {
  readonly snapshots: Pick<StockSnapshots, 'replaceItems'>;
  /** Told when a write fails; the figures are then written with a later read. */
  readonly onError?: (error: unknown) => void;
  /** How long changes are collected, in milliseconds. @default 250 */
  readonly delayMs?: number;
  /** Items waiting at most; beyond it the oldest is dropped: a snapshot is a fallback, not a record. @default 5000 */
  readonly maxPending?: number;
  /** An unchanged figure is written again after so long, to keep its age true, in milliseconds. @default 60000 */
  readonly rewriteAfterMs?: number;
}

/** Keeps last-seen stock up to date after answers, never during them. */
export interface WriteBehind {
  readonly note: (item: ItemStock) => void;
  /** Resolves when everything noted before is written. */
  readonly flush: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export function createWriteBehind(options: WriteBehindOptions): WriteBehind {
  const { snapshots, onError, delayMs = 250, maxPending = 5_000, rewriteAfterMs = 60_000 } = options;
  const pending = new Map<string, ItemStock>();
  const written = new LRUCache<string, { readonly figures: string; readonly atMs: number }>({ max: 20_000 });
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    const items = [...pending.values()];
    pending.clear();
    if (items.length === 0) return;
    try {
      await snapshots.replaceItems(items);
    } catch (error) {
      for (const item of items) written.delete(keyOf(item));
      onError?.(error);
    }
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    // One write at a time: what arrives meanwhile is collected for the next.
    running = running.then(write);
    return running;
  };

  return {
    note(item) {
      const key = keyOf(item);
      const figures = figuresOf(item);
      const last = written.get(key);
      if (last?.figures === figures && item.observedAtMs - last.atMs < rewriteAfterMs) return;
      written.set(key, { figures, atMs: item.observedAtMs });
      pending.delete(key);
      pending.set(key, item);
      if (pending.size > maxPending) pending.delete(pending.keys().next().value ?? key);
      timer ??= setTimeout(() => void flush(), delayMs).unref();
    },
    flush,
    close: flush,
  };
}

const keyOf = ({ system, itemKey }: ItemStock): string => `${system}\n${itemKey}`;

function figuresOf({ readings }: ItemStock): string {
  return JSON.stringify(
    readings.map((r) => [
      r.locationExternalId,
      r.onHand,
      r.committed,
      r.incoming,
      r.provenance.source?.sequence,
      r.provenance.asOf,
    ]),
  );
}
