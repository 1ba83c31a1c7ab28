import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { createRedisDoor } from './redis.ts';
import { createMemoryContexts, createSharedContexts } from './used-contexts.ts';
import { startRedis } from '#test/support/redis-server.ts';

describe('used contexts', () => {
  it('are taken once each, and again when no signature of then is valid any more', async () => {
    let nowMs = 0;
    const contexts = createMemoryContexts({ nowMs: () => nowMs });
    expect([await contexts.take('a'), await contexts.take('a'), await contexts.take('b')]).toEqual([true, false, true]);
    nowMs += 44_999;
    expect(await contexts.take('a')).toBe(false);
    nowMs += 1;
    expect(await contexts.take('a')).toBe(true);
  });

  it('are taken once by all processes of one Redis', async (context) => {
    const redis = await startRedis();
    if (redis === null) return context.skip('no redis-server here');
    await using server = redis;
    const clock = { nowMs: () => 0 };
    const doors = [1, 2].map(() => createRedisDoor({ url: server.url }));
    await Promise.all(doors.map(async ({ tried }) => tried));
    const [one, other] = doors.map((door) => createSharedContexts(door, clock));
    const id = randomUUID();
    expect([await one?.take(id), await other?.take(id), await other?.take(randomUUID())]).toEqual([true, false, true]);
    await Promise.all(doors.map(async ({ close }) => close()));
  });

  it('are remembered by each process while Redis is away', async () => {
    const door = createRedisDoor({ url: 'redis://127.0.0.1:1' });
    const contexts = createSharedContexts(door, { nowMs: () => 0 });
    expect([await contexts.take('a'), await contexts.take('a')]).toEqual([true, false]);
    await door.close();
  });
});
