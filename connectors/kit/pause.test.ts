import { describe, expect, it } from 'vitest';

import { codeOf, connect, echo, scope } from '#test/support/kit-system.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

import { createMemoryBudgets } from './budget-memory.ts';
import type { LimitRule } from './definition.ts';

const minute = { 'retry-after': '60' };
const answer = (status: number, headers: Readonly<Record<string, string>> = {}) => ({ status, headers });

describe('an account that was told to slow down is paused', () => {
  it.each([
    ['at a retry, after a failure', (count: number) => (count === 1 ? answer(500) : answer(429, minute))],
    ['at a retry, after a 429', (count: number) => answer(429, count === 1 ? { 'retry-after': '0.02' } : minute)],
    ['by a 503 that says when to come again', () => answer(503, minute)],
  ])('%s', async (_name, answerTo) => {
    await using upstream = await startUpstream((_request, response, count) => {
      const { status, headers } = answerTo(count);
      sendJson(response, {}, status, headers);
    });
    await using crm = connect(upstream.url);
    const [slot] = await crm.read(['1'], scope(2_000));
    expect(slot).toMatchObject({ retryAfterMs: 60_000 });
    const asked = upstream.seen.length;
    expect((await crm.system.budget()).pausedUntilMs).toBeGreaterThan(Date.now() + 50_000);
    expect(codeOf((await crm.read(['2'], scope(2_000)))[0])).toBe('UPSTREAM_RATE_LIMITED');
    expect(upstream.seen.length).toBe(asked);
  });

  it('by the endpoint that gives tokens', async () => {
    await using upstream = await startUpstream((_request, response) => sendJson(response, {}, 429, minute));
    await using crm = connect(upstream.url, {
      definition: {
        auth: { kind: 'token', endpoint: () => `${upstream.url}/token`, form: () => ({}), headers: () => ({}) },
      },
    });
    const [slot] = await crm.read(['1'], scope(2_000));
    expect(slot).toMatchObject({ code: 'UPSTREAM_RATE_LIMITED', retryAfterMs: 60_000 });
    await crm.read(['2'], scope(2_000));
    expect(upstream.seen.length).toBe(1);
  });

  it('also for calls that wait for their turn in another process', async () => {
    const budgets = createMemoryBudgets(Date.now);
    const rules = (): readonly LimitRule[] => [{ kind: 'bucket', name: 'all', perSecond: 5, burst: 2 }];
    const definition = { limits: { concurrency: 8, pauseMs: 1_000, rules } };
    await using upstream = await startUpstream(({ body }, response) => {
      if (body.includes('told')) sendJson(response, {}, 429, minute);
      else sendJson(response, echo(body));
    });
    await using here = connect(upstream.url, { definition, budgets });
    await using there = connect(upstream.url, { definition, budgets });
    const told = here.read(['told'], scope(900));
    const booked = there.read(['waits'], scope(3_000));
    expect(codeOf((await told)[0])).toBe('UPSTREAM_RATE_LIMITED');
    expect(codeOf((await booked)[0])).toBe('UPSTREAM_RATE_LIMITED');
    expect(upstream.seen.length).toBe(1);
  });

  it('also for calls that stand in line behind the concurrency', async () => {
    await using upstream = await startUpstream((_request, response) => {
      setTimeout(() => sendJson(response, {}, 429, minute), 20);
    });
    await using crm = connect(upstream.url, { options: { concurrency: 2 } });
    const slots = await crm.read(
      Array.from({ length: 30 }, (_, index) => String(index)),
      scope(3_000),
    );
    expect(new Set(slots.map(codeOf))).toEqual(new Set(['UPSTREAM_RATE_LIMITED']));
    expect(upstream.seen.length).toBe(2);
  });
});

describe('a system that answers 429', () => {
  it('is asked a tenth more often at most, and is no failing system', async () => {
    await using upstream = await startUpstream((_request, response) =>
      sendJson(response, {}, 429, { 'retry-after': '0' }),
    );
    await using crm = connect(upstream.url);
    for (let index = 0; index < 100; index += 1) await crm.read([`${index}`], scope());
    expect(upstream.seen.length).toBeGreaterThanOrEqual(100);
    expect(upstream.seen.length).toBeLessThanOrEqual(113);
    expect(crm.system.health().breakers.read).toBe('CLOSED');
  });
});
