import { LRUCache } from 'lru-cache';

import type { Clock } from './clock.ts';

export interface MemoBatchOptions<V> {
  /** Answers in key order. */
  readonly read: (keys: readonly string[]) => Promise<readonly V[]>;
  readonly clock: Clock;
  /** How long an answer may be repeated, in milliseconds. */
  readonly ttlMs: number;
  /** @default 20000 */
  readonly maxKeys?: number;
}

export interface MemoBatch<V> {
  /** Answers in key order; keys answered within the time are not read again, keys being read now are waited for. */
  readonly read: (keys: readonly string[]) => Promise<readonly V[]>;
  /** Forgets every answer: what was written is seen by the next read of this process. */
  readonly clear: () => void;
}

interface Answer<V> {
  readonly value: Promise<V>;
  readonly atMs: number;
}

/**
 * Repeats answers of a batch read for a moment, so that concurrent requests for the same keys share one read. Only for
 * what is neither personal nor promised: other processes see a write up to `ttlMs` late.
 */
export function memoizeBatch<V>({ read, clock, ttlMs, maxKeys = 20_000 }: MemoBatchOptions<V>): MemoBatch<V> {
  const answers = new LRUCache<string, Answer<V>>({ max: maxKeys });

  return {
    async read(keys) {
      const nowMs = clock.nowMs();
      const missing = [...new Set(keys)].filter((key) => {
        const known = answers.get(key);
        return known === undefined || nowMs - known.atMs >= ttlMs || nowMs < known.atMs;
      });
      if (missing.length > 0) remember(missing, nowMs);
      return Promise.all(keys.map(async (key) => answers.get(key)?.value ?? firstOf(await read([key]))));
    },
    clear: () => answers.clear(),
  };

  function remember(keys: readonly string[], atMs: number): void {
    const reading = read(keys);
    keys.forEach((key, at) => {
      const value = reading.then((values) => elementAt(values, at));
      answers.set(key, { value, atMs });
      // A failed read is told to those who wait for it and is not repeated to others.
      value.catch(() => {
        if (answers.peek(key)?.value === value) answers.delete(key);
      });
    });
  }
}

function elementAt<V>(values: readonly V[], at: number): V {
  if (at >= values.length) throw new Error('a batch read answered fewer values than keys');
  // In bounds, as just checked; V itself may include undefined.
  return values[at] as V;
}

const firstOf = <V>(values: readonly V[]): V => elementAt(values, 0);
