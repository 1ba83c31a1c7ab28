import { describe, expect, it } from 'vitest';

import { createRedisDoor } from '#platform/redis.ts';
import { startRedis } from '#test/support/redis-server.ts';

import { createMemoryDeliveries, createSharedDeliveries } from './delivery-memory.ts';

const DAY_MS = 24 * 3_600_000;

describe('deliveries', () => {
  it('are new once a day, for each system', async () => {
    let nowMs = 0;
    const memory = createMemoryDeliveries({ nowMs: () => nowMs });
    const take = async (system = 'pos', id = 'e-1') => await memory.take(system, id);
    expect([await take(), await take(), await take('crm'), await take('pos', 'e-2')]).toEqual([
      true,
      false,
      true,
      true,
    ]);
    nowMs = DAY_MS;
    expect(await take()).toBe(true);
  });

  it('are new once for all processes of one Redis, and once for each while it is away', async (context) => {
    const redis = await startRedis();
    if (redis === null) return context.skip('no redis-server here');
    await using server = redis;
    const clock = { nowMs: () => 0 };
    const doors = [createRedisDoor({ url: server.url }), createRedisDoor({ url: server.url })];
    await Promise.all(doors.map(async ({ tried }) => tried));
    const memories = doors.map((door) => createSharedDeliveries(door, clock));
    const take = async (id: string) =>
      (await Promise.all(memories.map((memory) => memory.take('pos', id)))).filter(Boolean).length;
    expect(await take('e-1')).toBe(1);
    await Promise.all(doors.map((door) => door.close()));
    expect([await take('e-2'), await take('e-1')]).toEqual([2, 0]);
  });
});
