import { createHash } from 'node:crypto';

import { LRUCache } from 'lru-cache';

import type { Clock } from '#platform/clock.ts';
import { luaScript } from '#platform/redis.ts';
import type { RedisDoor } from '#platform/redis.ts';

/** Which deliveries were taken already. */
export interface DeliveryMemory {
  /** Whether the delivery was not seen in the last day; from now on it was. Never rejects. */
  readonly take: (system: string, delivery: string) => Promise<boolean>;
}

/** A day of deliveries, at most so many: vendors repeat what was not answered for hours. */
const REMEMBERED_MS = 24 * 3_600_000;
const MOST_SEEN = 20_000;

/** Remembers in this process. */
export function createMemoryDeliveries(clock: Clock): DeliveryMemory {
  const seen = new LRUCache<string, number>({ max: MOST_SEEN });
  return {
    take: async (system, delivery) => {
      const key = keyOf(system, delivery);
      const nowMs = clock.nowMs();
      const seenAtMs = seen.get(key);
      if (seenAtMs !== undefined && nowMs - seenAtMs < REMEMBERED_MS) return await Promise.resolve(false);
      seen.set(key, nowMs);
      return true;
    },
  };
}

const TAKE = luaScript(`return redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) and 1 or 0`);

/** Remembers in Redis, for all processes together; while it is away each remembers for itself. */
export function createSharedDeliveries(door: RedisDoor, clock: Clock): DeliveryMemory {
  const own = createMemoryDeliveries(clock);
  return {
    take: async (system, delivery) => {
      // Also noted here: a replay after Redis went away is known all the same.
      if (!(await own.take(system, delivery))) return false;
      const taken = await door.evaluate(TAKE, [keyOf(system, delivery)], [String(REMEMBERED_MS)]);
      return taken !== 0;
    },
  };
}

/** Hashed: a delivery's id is the vendor's text. */
function keyOf(system: string, delivery: string): string {
  return `mortar:delivery:${createHash('sha256').update(`${system}\n${delivery}`).digest('base64url')}`;
}
