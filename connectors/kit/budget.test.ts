import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bucketClaim, windowClaim } from '#test/support/budget-claims.ts';
import { codeOf, connect, echo, scope } from '#test/support/kit-system.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

import { createAccountBudget } from './budget.ts';
import type { BudgetStore, Claim } from './budget.ts';
import { createMemoryBudgets } from './budget-memory.ts';
import type { LimitRule } from './definition.ts';

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

  it('counts a call that reached the vendor late from then on', async () => {
    let nowMs = 0;
    const store = createMemoryBudgets(() => nowMs);
    const claim = windowClaim(1, 1_000);
    await store.take('a', [claim], 0);
    nowMs = 700;
    await store.late('a', [claim], 700);
    nowMs = 1_100;
    expect(await store.take('a', [claim], 0)).toEqual({ granted: false, waitMs: 650 });
    nowMs = 1_750;
    expect(await store.take('a', [claim], 0)).toEqual({ granted: true, waitMs: 0 });
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

  it('counts a call the vendor took its time over from its answer on', async () => {
    const seenAtMs: number[] = [];
    await using upstream = await startUpstream(({ body }, response) => {
      seenAtMs.push(performance.now());
      setTimeout(() => sendJson(response, echo(body)), 150);
    });
    await using crm = connect(upstream.url, { definition: limited(200, 1) });
    await crm.read(['1'], scope());
    await crm.read(['2'], scope(5_000));
    const [first = 0, second = 0] = seenAtMs;
    // Timers may be a millisecond early.
    expect(second - first).toBeGreaterThanOrEqual(345);
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
