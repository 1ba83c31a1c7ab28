import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

import { serviceOrSkip } from '#test/support/services.ts';
import { createRedisDoor, type RedisDoor } from './redis.ts';
import type { TracedCacheRead } from '#schema/model/trace.ts';
import { createMemoryCache, createSharedCache, createTypedCache } from './value-cache.ts';

const REDIS_URL = process.env['REDIS_URL_TEST'] ?? 'redis://127.0.0.1:6379';
const redisAvailable = await serviceOrSkip('Redis', async () => {
  const client = new Redis(REDIS_URL, { lazyConnect: true, retryStrategy: null, connectTimeout: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.disconnect();
  }
});

/** A door whose state changes can be awaited. */
function doorTo(url: string) {
  const states: boolean[] = [];
  let wake: () => void = () => undefined;
  const door = createRedisDoor({
    url,
    probeIntervalMs: 20,
    onState: ({ up }) => {
      states.push(up);
      wake();
    },
  });
  const reached = async (up: boolean): Promise<void> => {
    while (states.at(-1) !== up) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { door, states, reached, [Symbol.asyncDispose]: async () => door.close() };
}

/** Passes bytes to Redis until frozen; from then on it accepts everything and answers nothing. */
async function freezableProxy() {
  let frozen = false;
  const sockets = new Set<Socket>();
  const target = new URL(REDIS_URL);
  const server: Server = createServer((inbound) => {
    sockets.add(inbound);
    inbound.on('error', () => undefined);
    const outbound = connect(Number(target.port), target.hostname);
    sockets.add(outbound);
    outbound.on('error', () => undefined);
    inbound.on('data', (chunk) => void (frozen || outbound.write(chunk)));
    outbound.on('data', (chunk) => void (frozen || inbound.write(chunk)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    freeze: (value: boolean) => void (frozen = value),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const clock = { nowMs: () => 1_000_000 };
const typed = (redis: RedisDoor, prefix: string) => {
  const cache = createSharedCache({ memory: createMemoryCache(100_000), redis, prefix });
  return createTypedCache({ cache, clock, name: 'n', schema: z.object({ a: z.number() }), ttlMs: 60_000 });
};

describe('memory cache', () => {
  test('drops the least recently used value when the bytes are used up', async () => {
    const cache = createMemoryCache(60);
    await cache.setMany([
      { key: 'a', value: 'x'.repeat(10), ttlMs: 1_000 },
      { key: 'b', value: 'y'.repeat(10), ttlMs: 1_000 },
    ]);
    await cache.getMany(['a']);
    await cache.setMany([{ key: 'c', value: 'z'.repeat(10), ttlMs: 1_000 }]);
    expect(await cache.getMany(['a', 'b', 'c'])).toEqual(['x'.repeat(10), null, 'z'.repeat(10)]);
  });
});

describe('typed cache', () => {
  test('ignores what does not parse, is of another kind, is too old or claims to live too long', async () => {
    const cache = createMemoryCache(10_000);
    const values = createTypedCache({ cache, clock, name: 'n', schema: z.object({ a: z.number() }), ttlMs: 100 });
    const hostile = [
      '{',
      '{"until":1000050,"value":{"a":"1"}}',
      '{"until":999999,"value":{"a":1}}',
      '{"until":9e15,"value":{"a":1}}',
      'null',
    ];
    await cache.setMany(hostile.map((value, at) => ({ key: `n:${at}`, value, ttlMs: 1_000 })));
    expect(await values.getMany(['0', '1', '2', '3', '4', 'absent'])).toEqual(Array(6).fill(undefined));
    await values.setMany([{ key: 'good', value: { a: 1 } }]);
    expect(await values.getMany(['good'])).toEqual([{ a: 1 }]);
  });

  test('tells a trace how many keys it answered and how old the oldest value is', async () => {
    let nowMs = 1_000_000;
    const aging = { nowMs: () => nowMs };
    const cache = createMemoryCache(10_000);
    const values = createTypedCache({
      cache,
      clock: aging,
      name: 'n',
      schema: z.object({ a: z.number() }),
      ttlMs: 100,
    });
    await values.setMany([{ key: 'old', value: { a: 1 } }]);
    nowMs += 40;
    await values.setMany([{ key: 'new', value: { a: 2 } }]);
    const reads: TracedCacheRead[] = [];
    const ignore = (): void => {};
    const trace = { fetch: ignore, call: ignore, decide: ignore, deny: ignore, omit: ignore };
    await values.getMany(['old', 'new', 'absent'], { ...trace, cache: (read) => void reads.push(read) });
    await values.getMany(['absent'], { ...trace, cache: (read) => void reads.push(read) });
    expect(reads).toEqual([
      { cache: 'n', hits: 2, misses: 1, oldestMs: 40 },
      { cache: 'n', hits: 0, misses: 1, oldestMs: null },
    ]);
  });
});

describe.skipIf(!redisAvailable)('shared cache on a real Redis', () => {
  test('a process that was busy for longer than the timeout still gets the answer that lies there', async () => {
    await using redis = doorTo(REDIS_URL);
    await redis.reached(true);
    const asked = redis.door.getMany([randomUUID()]);
    await new Promise(setImmediate);
    const untilMs = performance.now() + 150;
    while (performance.now() < untilMs);
    expect(await asked).toEqual([null]);
    expect(redis.states).toEqual([true]);
  });

  test('hands a value written by one process to another', async () => {
    const prefix = `mortar-test-${randomUUID()}:`;
    await using one = doorTo(REDIS_URL);
    await using two = doorTo(REDIS_URL);
    await Promise.all([one.reached(true), two.reached(true)]);
    await one.door.setMany([{ key: `${prefix}n:k`, value: '{"until":1000500,"value":{"a":7}}', ttlMs: 5_000 }]);
    expect(await typed(two.door, prefix).getMany(['k', 'other'])).toEqual([{ a: 7 }, undefined]);
  });

  test('ignores hostile content of Redis', async () => {
    const prefix = `mortar-test-${randomUUID()}:`;
    await using one = doorTo(REDIS_URL);
    await one.reached(true);
    await one.door.setMany([{ key: `${prefix}n:k`, value: '{"__proto__":1}', ttlMs: 5_000 }]);
    expect(await typed(one.door, prefix).getMany(['k'])).toEqual([undefined]);
  });

  test('a Redis that freezes costs one call its timeout, then nothing, and serves again when it recovers', async () => {
    const prefix = `mortar-test-${randomUUID()}:`;
    await using proxy = await freezableProxy();
    await using frozen = doorTo(proxy.url);
    await frozen.reached(true);
    const cache = typed(frozen.door, prefix);
    proxy.freeze(true);
    expect(await cache.getMany(['k'])).toEqual([undefined]);
    expect(frozen.states).toEqual([true, false]);
    expect(frozen.door.isOpen()).toBe(false);
    const ticked = Promise.race([cache.getMany(['k']), new Promise((resolve) => setImmediate(resolve, 'waited'))]);
    expect(await ticked).toEqual([undefined]);
    await cache.setMany([{ key: 'k', value: { a: 2 } }]);
    expect(await cache.getMany(['k'])).toEqual([{ a: 2 }]);
    proxy.freeze(false);
    await frozen.reached(true);
    expect(frozen.door.isOpen()).toBe(true);
  });
});

test('a server that accepts and never answers is never waited for', async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using mute = doorTo(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const cache = typed(mute.door, 'p:');
  const ticked = Promise.race([cache.getMany(['k']), new Promise((resolve) => setImmediate(resolve, 'waited'))]);
  expect(await ticked).toEqual([undefined]);
  await cache.setMany([{ key: 'k', value: { a: 1 } }]);
  expect(await cache.getMany(['k'])).toEqual([{ a: 1 }]);
  for (const socket of sockets) socket.destroy();
  server.close();
});

test('a Redis that is down is reported once and breaks nothing', async () => {
  await using down = doorTo('redis://127.0.0.1:1');
  await down.reached(false);
  const cache = typed(down.door, 'p:');
  await cache.setMany([{ key: 'k', value: { a: 1 } }]);
  expect(await cache.getMany(['k', 'other'])).toEqual([{ a: 1 }, undefined]);
  expect(down.states).toEqual([false]);
});
