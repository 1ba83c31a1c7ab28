import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import type { RedisDoor } from '#platform/redis.ts';
import { hubspotRates, observeHubspot } from '#connectors/crm-hubspot/rates.ts';
import { codeOf, connect, definition, echo, scope } from '#test/support/kit-system.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

import { createAccountBudget } from './budget.ts';
import type { BudgetStore } from './budget.ts';
import { createMemoryBudgets } from './budget-memory.ts';
import { createRedisBudgets } from './budget-redis.ts';
import type { FeedDefinition, LimitRule } from './definition.ts';
import type { ProfileDraft } from './draft.ts';

it('answers reads at once while a feed waits for a narrower limit', async () => {
  const rules = (): readonly LimitRule[] => [
    { kind: 'window', name: 'app', limit: 100, windowMs: 60_000 },
    { kind: 'window', name: 'search', operations: ['searchPeople'], limit: 1, windowMs: 10_000 },
  ];
  const profileFeed: FeedDefinition<ProfileDraft, null> = {
    feed: 'people',
    intervalMs: 60_000,
    request: () => ({ operation: 'searchPeople', method: 'POST', path: '/people', json: { ids: [] } }),
    page: z.unknown(),
    decode: () => ({ changes: [], cursor: 'next', done: true, rejected: 0 }),
  };
  await using upstream = await startUpstream(({ body }, response) => sendJson(response, echo(body)));
  const limits = { concurrency: 4, pauseMs: 1_000, rules };
  await using crm = connect(upstream.url, { definition: { limits, ports: { ...definition.ports, profileFeed } } });
  const stop = new AbortController();
  await crm.system.profileFeed?.readPage(null, scope(30_000));
  const waiting = crm.system.profileFeed?.readPage(null, scope(30_000, stop.signal)).catch(codeOf);
  await new Promise(setImmediate);
  expect((await crm.read(['1'], scope(2_000)))[0]).toMatchObject({ givenName: 'Person 1' });
  stop.abort();
  expect(await waiting).toMatch(/^UPSTREAM_/);
  expect(upstream.seen.length).toBe(2);
});

describe('a feed beside steady reads', () => {
  const feedOf = (operation: string): FeedDefinition<ProfileDraft, null> => ({
    feed: 'people',
    intervalMs: 60_000,
    request: () => ({ operation, method: 'POST', path: '/people', json: { ids: [] } }),
    page: z.unknown(),
    decode: () => ({ changes: [], cursor: 'next', done: true, rejected: 0 }),
  });
  const busy: LimitRule = { kind: 'bucket', name: 'app', perSecond: 20, burst: 5 };

  it.each([
    ['has its turn at the rate they share', 'readFeed', []],
    [
      'has its turn also at a rate of its own',
      'search',
      [{ kind: 'window', name: 'search', operations: ['search'], limit: 9, windowMs: 60_000 }],
    ],
  ] as const)('%s', async (_name, operation, own) => {
    await using upstream = await startUpstream(({ body }, response) => sendJson(response, echo(body)));
    const limits = { concurrency: 8, pauseMs: 1_000, rules: (): readonly LimitRule[] => [busy, ...own] };
    await using crm = connect(upstream.url, {
      definition: { limits, ports: { ...definition.ports, profileFeed: feedOf(operation) } },
    });
    const stop = new AbortController();
    const readers = Array.from({ length: 6 }, async (_, reader) => {
      for (let read = 0; !stop.signal.aborted; read += 1) await crm.read([`${reader}-${read}`], scope(2_000));
    });
    await new Promise((resolve) => setTimeout(resolve, 400));
    const page = await crm.system.profileFeed?.readPage(null, scope(3_000));
    stop.abort();
    await Promise.all(readers);
    expect(page).toMatchObject({ done: true });
  });
});

it('may book ahead unless a used-up rate of its own would hold up the calls of a wider one', async () => {
  const budgetOf = (rules: readonly LimitRule[]) =>
    createAccountBudget({ account: 'a', rules, factor: 1, store: createMemoryBudgets(() => 0), nowMs: () => 0 });
  const request = { operation: 'search', method: 'POST', path: '/' } as const;
  const wide: LimitRule = { kind: 'window', name: 'app', limit: 9, windowMs: 10_000 };
  const narrow: LimitRule = { kind: 'window', name: 'search', operations: ['search'], limit: 1, windowMs: 10_000 };
  const answers = await Promise.all(
    [[wide], [narrow], [wide, narrow]].map(async (rules) => {
      const budget = budgetOf(rules);
      const before = await budget.mayBook(request);
      await budget.take(request, 0);
      return [before, await budget.mayBook(request)];
    }),
  );
  expect(answers).toEqual([
    [true, true],
    [true, true],
    [true, false],
  ]);
});

it('is not paused by an answer that asks to wait for no time', async () => {
  const paused: number[] = [];
  const store: BudgetStore = {
    ...createMemoryBudgets(() => 0),
    pause: async (_account, ms) => await Promise.resolve(void paused.push(ms)),
  };
  const budget = createAccountBudget({ account: 'a', rules: [], factor: 1, store, nowMs: () => 0 });
  await budget.pause(0);
  await budget.pause(5);
  expect(paused).toEqual([5]);
});

it.each([
  [1_000, 1_000],
  [1, 190],
  [0.5, 95],
])('measures what the vendor says is left by the same factor as its limit: %d', async (factor, most) => {
  const budget = createAccountBudget({
    account: 'a',
    rules: hubspotRates({ token: 't', callsPer10Seconds: 190, searchesPerSecond: 5, consentExplanation: 'x' }),
    factor,
    store: createMemoryBudgets(() => 0),
    nowMs: () => 0,
    observe: observeHubspot,
  });
  const request = { operation: 'POST contacts/batch/read', method: 'POST', path: '/' } as const;
  const headers = {
    'x-hubspot-ratelimit-interval-milliseconds': '10000',
    'x-hubspot-ratelimit-max': '190',
    'x-hubspot-ratelimit-remaining': '189',
  };
  let granted = 0;
  for (let call = 0; call < 1_000; call += 1) {
    if ((await budget.take(request, 0)).granted) granted += 1;
    budget.answered(request, { status: 200, headers, body: null });
  }
  expect(granted).toBe(most);
});

it('counts nothing alone while the first connection to Redis is being made, but never waits longer than its caller', async () => {
  const first = Promise.withResolvers<void>();
  const asked: string[] = [];
  const door: RedisDoor = {
    getMany: () => Promise.resolve(null),
    setMany: () => Promise.resolve(),
    evaluate: (_script, keys) => {
      asked.push(keys.join(' '));
      return Promise.resolve([1, 0]);
    },
    isOpen: () => true,
    tried: first.promise,
    close: () => Promise.resolve(),
  };
  const budgets = createRedisBudgets(door, () => 0);
  const taking = budgets.take('crm', [], 60_000);
  await new Promise(setImmediate);
  expect(asked).toEqual([]);
  await budgets.take('feed', [], 0);
  expect(asked).toEqual(['mortar:budget:{feed}:pause']);
  first.resolve();
  expect(await taking).toEqual({ granted: true, waitMs: 0 });
});

it('books no moment so late that the call itself would have no time', async () => {
  await using upstream = await startUpstream(({ body }, response) => sendJson(response, echo(body)));
  const rules = (): readonly LimitRule[] => [{ kind: 'window', name: 'app', limit: 1, windowMs: 1_000 }];
  await using crm = connect(upstream.url, { definition: { limits: { concurrency: 4, pauseMs: 1_000, rules } } });
  await crm.read(['1'], scope(5_000));
  // The next moment is 1.05 s away: a caller with 1.1 s left could not use it, and must not take it from the next one.
  expect(codeOf((await crm.read(['2'], scope(1_100)))[0])).toBe('UPSTREAM_RATE_LIMITED');
  expect((await crm.read(['3'], scope(5_000)))[0]).toMatchObject({ givenName: 'Person 3' });
  expect(upstream.seen.length).toBe(2);
});
