import { LRUCache } from 'lru-cache';

import type { Sku } from '#schema/model/ids.ts';
import type { ItemStock, StockSnapshots } from './snapshots.ts';

/** What was just read, with the product it stands for. */
export interface NotedStock extends ItemStock {
  readonly sku: Sku;
}

export interface WriteBehindOptions {
  readonly snapshots: Pick<StockSnapshots, 'replaceItems'>;
  /** Told when a write fails; the figures are then written with a later read. */
  readonly onError?: (error: unknown) => void;
  /** Told when a system states other units of a product than at the read before. Must not throw. */
  readonly onChange?: ((sku: Sku) => void) | undefined;
  /** How long changes are collected, in milliseconds. @default 250 */
  readonly delayMs?: number;
  /** Items waiting at most; beyond it the oldest is dropped: a snapshot is a fallback, not a record. @default 5000 */
  readonly maxPending?: number;
  /** An unchanged figure is written again after so long, to keep its age true, in milliseconds. @default 60000 */
  readonly rewriteAfterMs?: number;
}

/** Keeps last-seen stock up to date after answers, never during them. */
export interface WriteBehind {
  readonly note: (item: NotedStock) => void;
  /** Resolves when everything noted before is written. */
  readonly flush: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export function createWriteBehind(options: WriteBehindOptions): WriteBehind {
  const { snapshots, onError, onChange, delayMs = 250, maxPending = 5_000, rewriteAfterMs = 60_000 } = options;
  const pending = new Map<string, ItemStock>();
  const written = new LRUCache<string, Written>({ max: 20_000 });
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
      const units = last?.figures === figures ? last.units : unitsOf(item);
      written.set(key, { figures, units, atMs: item.observedAtMs });
      if (last !== undefined && last.units !== units) onChange?.(item.sku);
      pending.delete(key);
      pending.set(key, item);
      if (pending.size > maxPending) pending.delete(pending.keys().next().value ?? key);
      timer ??= setTimeout(() => void flush(), delayMs).unref();
    },
    flush,
    close: flush,
  };
}

interface Written {
  readonly figures: string;
  readonly units: string;
  readonly atMs: number;
}

const keyOf = ({ system, itemKey }: ItemStock): string => `${system}\n${itemKey}`;

/** The figures alone: a count that confirms them changes nothing. */
function unitsOf({ readings }: ItemStock): string {
  return JSON.stringify(readings.map((r) => [r.locationExternalId, r.onHand, r.committed, r.incoming]));
}

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
