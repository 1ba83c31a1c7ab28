import { LRUCache } from 'lru-cache';

import type { Clock } from './clock.ts';
import { luaScript, type RedisDoor } from './redis.ts';

/** Which signed contexts changed something already: each may do so once. */
export interface UsedContexts {
  /** Whether the context was not used before; from now on it was. Never rejects. */
  readonly take: (id: string) => Promise<boolean>;
}

/** Longer than a context is valid: 30 s, and 5 s either way that clocks may differ. */
const REMEMBERED_MS = 45_000;
const MOST_USED = 100_000;

/** Remembers in this process. */
export function createMemoryContexts(clock: Clock): UsedContexts {
  const used = new LRUCache<string, number>({ max: MOST_USED });
  return {
    take: (id) => {
      const nowMs = clock.nowMs();
      const usedAtMs = used.get(id);
      if (usedAtMs !== undefined && nowMs - usedAtMs < REMEMBERED_MS) return Promise.resolve(false);
      used.set(id, nowMs);
      return Promise.resolve(true);
    },
  };
}

const TAKE = luaScript(`return redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) and 1 or 0`);

/** Remembers in Redis, for all processes of a subgraph together; while it is away each remembers for itself. */
export function createSharedContexts(door: RedisDoor, clock: Clock): UsedContexts {
  const own = createMemoryContexts(clock);
  return {
    take: async (id) => {
      if (!(await own.take(id))) return false;
      return (await door.evaluate(TAKE, [`mortar:context:${id}`], [String(REMEMBERED_MS)])) !== 0;
    },
  };
}
