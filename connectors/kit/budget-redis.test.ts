import { randomBytes } from 'node:crypto';

import fc from 'fast-check';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';

import { createRedisDoor } from '#platform/redis.ts';
import { bucketClaim, windowClaim } from '#test/support/budget-claims.ts';
import { codeOf, connect, echo, scope } from '#test/support/kit-system.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';
import { serviceOrSkip } from '#test/support/services.ts';

import { createMemoryBudgets } from './budget-memory.ts';
import { createRedisBudgets } from './budget-redis.ts';
import type { LimitRule } from './definition.ts';

const REDIS_URL = process.env['REDIS_URL_TEST'] ?? 'redis://127.0.0.1:6379';
const redisAvailable = await serviceOrSkip('Redis', async () => {
  const client = new Redis(REDIS_URL, { lazyConnect: true, retryStrategy: null, connectTimeout: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } finally {
    client.disconnect();
  }
});

describe.skipIf(!redisAvailable)('budgets over Redis', () => {
  const account = (): string => `test-${randomBytes(6).toString('hex')}`;
  async function openDoor(url = REDIS_URL) {
    const ready = Promise.withResolvers<void>();
    const door = createRedisDoor({ url, onState: () => ready.resolve(), commandTimeoutMs: 1_000 });
    await ready.promise;
    return { door, [Symbol.asyncDispose]: door.close };
  }

  it('decide as those in memory do, whatever is asked of them', async () => {
    await using redis = await openDoor();
    const claims = fc.constantFrom(
      windowClaim(3, 1_000),
      windowClaim(20, 400, 3),
      bucketClaim(250, 2),
      bucketClaim(33.3, 5),
    );
    const step = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          kind: fc.constant('take' as const),
          claims: fc.uniqueArray(claims, { minLength: 1, maxLength: 3, selector: ({ name }) => name }),
          mostMs: fc.integer({ min: 0, max: 3_000 }),
        }),
      },
      fc.record({ kind: fc.constant('pause' as const), ms: fc.integer({ min: 1, max: 500 }) }),
      fc.record({ kind: fc.constant('observe' as const), claim: claims, remaining: fc.integer({ min: 0, max: 4 }) }),
      fc.record({ kind: fc.constant('late' as const), claim: claims, ms: fc.integer({ min: 1, max: 2_000 }) }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 900 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        let nowMs = 1_700_000_000_000;
        const [name, memory] = [account(), createMemoryBudgets(() => nowMs)];
        const shared = createRedisBudgets(
          redis.door,
          () => nowMs,
          () => nowMs,
        );
        for (const action of steps) {
          if (action.kind === 'pass') nowMs += action.ms;
          for (const store of [memory, shared]) {
            if (action.kind === 'pause') await store.pause(name, action.ms);
            if (action.kind === 'observe') await store.observe(name, action.claim, action.remaining);
            if (action.kind === 'late') await store.late(name, [action.claim], action.ms);
          }
          const rates = [windowClaim(3, 1_000), windowClaim(20, 400), bucketClaim(250, 2), bucketClaim(33.3, 5)];
          expect(await shared.peek(name, rates)).toEqual(await memory.peek(name, rates));
          if (action.kind !== 'take') continue;
          const [here, there] = [
            await memory.take(name, action.claims, action.mostMs),
            await shared.take(name, action.claims, action.mostMs),
          ];
          expect(there).toEqual(here);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are one budget for two connected systems of one account', async () => {
    await using redis = await openDoor();
    await using other = await openDoor();
    const limits = {
      concurrency: 8,
      pauseMs: 1_000,
      rules: (): readonly LimitRule[] => [{ kind: 'window' as const, name: 'app', limit: 6, windowMs: 60_000 }],
    };
    await using upstream = await startUpstream(({ body }, response) => sendJson(response, echo(body)));
    const setup = { definition: { limits }, id: account() };
    await using first = connect(upstream.url, { ...setup, budgets: createRedisBudgets(redis.door, Date.now) });
    await using second = connect(upstream.url, { ...setup, budgets: createRedisBudgets(other.door, Date.now) });
    const reads = Array.from({ length: 10 }, (_, index) =>
      (index % 2 === 0 ? first : second).read([`k${index}`], scope(500)),
    );
    const codes = (await Promise.all(reads)).map((slots) => codeOf(slots[0]));
    expect(codes.filter((code) => code === 'UPSTREAM_RATE_LIMITED').length).toBe(4);
    expect(upstream.seen.length).toBe(6);
  });

  it('carry the pause after a 429 to the other process', async () => {
    await using redis = await openDoor();
    await using other = await openDoor();
    await using upstream = await startUpstream((_request, response) =>
      sendJson(response, {}, 429, { 'retry-after': '30' }),
    );
    const id = account();
    await using first = connect(upstream.url, { id, budgets: createRedisBudgets(redis.door, Date.now) });
    await using second = connect(upstream.url, { id, budgets: createRedisBudgets(other.door, Date.now) });
    await first.read(['1'], scope(500));
    expect(codeOf((await second.read(['2'], scope(500)))[0])).toBe('UPSTREAM_RATE_LIMITED');
    expect(upstream.seen.length).toBe(1);
  });

  it('are counted in each process while Redis is away', async () => {
    await using redis = await openDoor('redis://127.0.0.1:1');
    const store = createRedisBudgets(redis.door, () => 0);
    const claim = bucketClaim(1_000, 1);
    expect(await store.take('a', [claim], 0)).toEqual({ granted: true, waitMs: 0 });
    expect((await store.take('a', [claim], 0)).granted).toBe(false);
    await store.pause('b', 500);
    expect(await store.take('b', [claim], 0)).toEqual({ granted: false, waitMs: 500 });
  });
});
