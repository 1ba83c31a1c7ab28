import { randomBytes } from 'node:crypto';

import fc from 'fast-check';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';

import { createRedisDoor } from '#platform/redis.ts';
import { codeOf, connect, echo, scope } from '#test/support/kit-system.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';
import { serviceOrSkip } from '#test/support/services.ts';

import { createAccountBudget } from './budget.ts';
import type { BudgetStore, Claim } from './budget.ts';
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

const windowClaim = (limit: number, windowMs: number, cost = 1): Claim => ({
  name: `w${limit}-${windowMs}`,
  shape: { kind: 'window', limit, windowMs },
  cost,
});
const bucketClaim = (intervalMs: number, burst: number): Claim => ({
  name: `b${intervalMs}-${burst}`,
  shape: { kind: 'bucket', intervalMs, burst },
  cost: 1,
});

/** The moments at which calls go that ask one after the other, each as soon as the last was answered. */
async function momentsOf(store: BudgetStore, claim: Claim, count: number, nowMs: number): Promise<readonly number[]> {
  const moments: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const { waitMs } = await store.take('account', [claim], Number.POSITIVE_INFINITY);
    moments.push(nowMs + waitMs);
  }
  return moments;
}

describe('budgets in memory', () => {
  it('lets no window see more than its limit, and at least nine tenths of it used', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 20, max: 5_000 }),
        async (limit, windowMs) => {
          const store = createMemoryBudgets(() => 10_007);
          const moments = await momentsOf(store, windowClaim(limit, windowMs), limit * 5, 10_007);
          const apart = moments.slice(limit).map((moment, index) => moment - (moments[index] ?? 0));
          expect(Math.min(...apart)).toBeGreaterThanOrEqual(windowMs);
          // Windows of a few milliseconds are rounded up to whole slices.
          const span = (moments.at(-1) ?? 0) - (moments[0] ?? 0);
          expect(span).toBeLessThanOrEqual(4 * (windowMs * 1.1 + 42));
        },
      ),
    );
  });

  it('lets a burst of a bucket through and then its rate', async () => {
    const moments = await momentsOf(
      createMemoryBudgets(() => 0),
      bucketClaim(500, 3),
      6,
      0,
    );
    expect(moments).toEqual([0, 0, 0, 500, 1_000, 1_500]);
  });

  it('takes nothing when the wait is too long', async () => {
    const store = createMemoryBudgets(() => 0);
    const claim = bucketClaim(1_000, 1);
    await store.take('a', [claim], 0);
    expect(await store.take('a', [claim], 999)).toEqual({ granted: false, waitMs: 1_000 });
    expect(await store.take('a', [claim], 1_000)).toEqual({ granted: true, waitMs: 1_000 });
  });

  it('takes from all rates together, or from none', async () => {
    const store = createMemoryBudgets(() => 0);
    const [narrow, wide] = [bucketClaim(60_000, 1), windowClaim(2, 1_000)];
    await store.take('a', [narrow, wide], 0);
    expect((await store.take('a', [narrow, wide], 100)).granted).toBe(false);
    expect(await store.take('a', [wide], 0)).toEqual({ granted: true, waitMs: 0 });
  });

  it('counts credits, and a call that costs more than there ever are as all of them', async () => {
    const store = createMemoryBudgets(() => 0);
    expect((await store.take('a', [windowClaim(10, 1_000, 7)], 0)).granted).toBe(true);
    expect((await store.take('a', [windowClaim(10, 1_000, 4)], 0)).granted).toBe(false);
    expect((await store.take('b', [windowClaim(10, 1_000, 99)], 0)).granted).toBe(true);
  });

  it('pauses one account and no other', async () => {
    const store = createMemoryBudgets(() => 0);
    await store.pause('a', 700);
    expect(await store.take('a', [], 1_000)).toEqual({ granted: true, waitMs: 700 });
    expect(await store.take('b', [], 1_000)).toEqual({ granted: true, waitMs: 0 });
  });

  it('tells what is left of each rate and when all of it is back, and takes nothing by telling', async () => {
    let nowMs = 0;
    const store = createMemoryBudgets(() => nowMs);
    const rates = [windowClaim(4, 1_000), bucketClaim(250, 3)];
    await store.take('a', rates, 0);
    await store.take('a', rates, 0);
    const told = {
      pausedMs: 0,
      rates: [
        { left: 2, resetsMs: 1_050 },
        { left: 1, resetsMs: 500 },
      ],
    };
    expect(await store.peek('a', rates)).toEqual(told);
    expect(await store.peek('a', rates)).toEqual(told);
    nowMs = 1_050;
    const full = [
      { left: 4, resetsMs: 0 },
      { left: 3, resetsMs: 0 },
    ];
    expect(await store.peek('a', rates)).toEqual({ pausedMs: 0, rates: full });
    await store.pause('a', 700);
    expect(await store.peek('a', rates)).toEqual({ pausedMs: 700, rates: full });
  });

  it('believes the vendor that less is left than we think, and not that more is', async () => {
    const store = createMemoryBudgets(() => 0);
    const claim = windowClaim(10, 1_000);
    await store.observe('a', claim, 2);
    const granted = [];
    for (let index = 0; index < 3; index += 1) granted.push((await store.take('a', [claim], 0)).granted);
    await store.observe('a', claim, 9);
    granted.push((await store.take('a', [claim], 0)).granted);
    expect(granted).toEqual([true, true, false, false]);
  });
});

describe('the budget of an account', () => {
  const request = { operation: 'search', method: 'GET', path: '/' } as const;
  const rules: readonly LimitRule[] = [
    { kind: 'window', name: 'app', limit: 4, windowMs: 1_000 },
    { kind: 'bucket', name: 'search', perSecond: 1, burst: 3, operations: ['search'] },
  ];
  const budgetOf = (
    factor: number,
    observed: readonly { rule: string; perSecond?: number; remaining?: number }[] = [],
  ) =>
    createAccountBudget({
      account: 'a',
      rules,
      factor,
      store: createMemoryBudgets(() => 0),
      nowMs: () => 0,
      observe: () => observed,
    });

  it('counts an operation by its own rule and by that of the account; one unit of a burst is kept back', async () => {
    const budget = budgetOf(1);
    const granted = [];
    for (const operation of ['search', 'search', 'search', 'list', 'list', 'list']) {
      granted.push((await budget.take({ ...request, operation }, 0)).granted);
    }
    expect(granted).toEqual([true, true, false, true, true, false]);
  });

  it('uses the share it was told to use', async () => {
    const budget = budgetOf(0.5);
    const granted = [];
    for (let index = 0; index < 3; index += 1)
      granted.push((await budget.take({ ...request, operation: 'list' }, 0)).granted);
    expect(granted).toEqual([true, true, false]);
  });

  it('follows the rate an answer states', async () => {
    const budget = budgetOf(1, [{ rule: 'search', perSecond: 0.1 }]);
    await budget.take(request, 0);
    await budget.take(request, 0);
    budget.answered(request, { status: 200, headers: {}, body: null });
    await budget.take(request, 60_000);
    expect((await budget.take(request, 0)).waitMs).toBe(20_000);
  });
});

describe('a connected system', () => {
  const limited = (windowMs: number, limit: number) => ({
    limits: {
      concurrency: 4,
      pauseMs: 1_000,
      rules: (): readonly LimitRule[] => [{ kind: 'window', name: 'app', limit, windowMs }],
    },
  });

  it('fails a read fast whose turn comes after its deadline, and waits where there is time', async () => {
    await using upstream = await startUpstream(({ body }, response) => sendJson(response, echo(body)));
    await using crm = connect(upstream.url, { definition: limited(200, 1) });
    await crm.read(['1'], scope());
    const [late] = await crm.read(['2'], scope(100));
    expect(codeOf(late)).toBe('UPSTREAM_RATE_LIMITED');
    expect(upstream.seen.length).toBe(1);
    expect((await crm.read(['3'], scope(5_000)))[0]).toMatchObject({ givenName: 'Person 3' });
  });

  it('counts the calls of several pages and of retries', async () => {
    await using upstream = await startUpstream(({ body }, response, count) => {
      if (count === 1) sendJson(response, {}, 503);
      else sendJson(response, echo(body));
    });
    await using crm = connect(upstream.url, { definition: limited(60_000, 2) });
    expect((await crm.read(['1'], scope()))[0]).toMatchObject({ givenName: 'Person 1' });
    expect(codeOf((await crm.read(['2'], scope(300)))[0])).toBe('UPSTREAM_RATE_LIMITED');
  });
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
