import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';

import { createRequestTrace } from './request-trace.ts';
import { type TraceRecord, visibleTo } from './trace-record.ts';
import { createMemoryTraces, createSharedTraces, TRACE_TTL_MS } from './trace-store.ts';
import { createRedisDoor } from '#platform/redis.ts';
import { startRedis } from '#test/support/redis-server.ts';
import { aRequestOf } from '#test/support/requests.ts';
import { serviceOrSkip } from '#test/support/services.ts';

const redisAvailable = await serviceOrSkip('redis-server', async () => {
  await using probe = await startRedis();
  return probe.url;
});

const START_MS = Date.parse('2026-11-23T10:00:00Z');

function aRecord(requestId: string, atMs = START_MS, isKnown = true): TraceRecord {
  const trace = createRequestTrace(requestId, atMs);
  if (isKnown) trace.caller(aRequestOf().principal, 'ORDER_FULFILLMENT');
  trace.fetch({
    subgraph: 'catalog',
    wave: 1,
    path: '',
    representations: null,
    rows: 1,
    sentBytes: null,
    receivedBytes: null,
    startedAtMs: atMs + 2,
    elapsedMs: 3,
    outcome: 'ok',
  });
  return trace.record(atMs + 10);
}

describe('a request that is remembered', () => {
  it('is told by its id, with times since it began', async () => {
    const traces = createMemoryTraces();
    traces.keep(aRecord('r-1'));
    expect(await traces.find('r-1')).toMatchObject([
      { requestId: 'r-1', elapsedMs: 10, client: 'test', fetches: [{ subgraph: 'catalog', startMs: 2, elapsedMs: 3 }] },
    ]);
    expect(await traces.find('r-2')).toEqual([]);
  });

  it('stands beside others of the same id, the newest five', async () => {
    const traces = createMemoryTraces();
    for (let at = 0; at < 8; at += 1) traces.keep(aRecord('same', START_MS + at * 1_000));
    const seconds = (await traces.find('same')).map(({ at }) => at.slice(17, 19));
    expect(seconds).toEqual(['07', '06', '05', '04', '03']);
  });

  it('is not pushed out by callers without a token', async () => {
    const traces = createMemoryTraces();
    traces.keep(aRecord('ours'));
    for (let at = 0; at < 2_000; at += 1) traces.keep(aRecord(`stranger-${at}`, START_MS, false));
    expect(await traces.find('ours')).toHaveLength(1);
    expect(await traces.find('stranger-1999')).toHaveLength(1);
    expect(await traces.find('stranger-0')).toEqual([]);
  });

  it('gives way when the memory for all is used up', async () => {
    const traces = createMemoryTraces();
    for (let at = 0; at < 20_500; at += 1) traces.keep(aRecord(`r-${at}`));
    expect(await traces.find('r-0')).toEqual([]);
    expect(await traces.find('r-20499')).toHaveLength(1);
  });

  it('tells its first lines and how many it left out', () => {
    const trace = createRequestTrace('wide', START_MS);
    for (let at = 0; at < 70; at += 1) {
      trace.cache({ cache: 'items', hits: 1, misses: 0, oldestMs: 1 });
      trace.decide(`Type.field${at}`, null);
    }
    const { caches, decisions, omitted } = trace.record(START_MS);
    expect([caches.length, decisions.length, omitted]).toEqual([64, 64, 12]);
  });
});

describe.skipIf(!redisAvailable)('processes of one Redis', () => {
  it('know the requests of one another, bounded in time and number', async () => {
    await using redis = await startRedis();
    const one = createSharedTraces(await openDoor(redis.url));
    const two = createSharedTraces(await openDoor(redis.url));
    one.keep(aRecord('shared'));
    two.keep(aRecord('shared', START_MS + 1_000));
    two.keep(aRecord('stranger', START_MS, false));
    await two.close();
    await expect.poll(async () => (await one.find('shared')).map(({ at }) => at.slice(17, 19))).toEqual(['01', '00']);
    expect(await one.find('stranger')).toEqual([]);
    await one.close();
    const client = new Redis(redis.url);
    const leftMs = await client.pttl('mortar:{trace}:shared');
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(TRACE_TTL_MS);
    client.disconnect();
  });

  it('forget the oldest beyond five thousand', async () => {
    await using redis = await startRedis();
    const client = new Redis(redis.url);
    await client.lpush('mortar:{trace}:old', 'record');
    await client.rpush('mortar:{trace}:*', ...Array.from({ length: 5_000 }, () => 'mortar:{trace}:old'));
    const traces = createSharedTraces(await openDoor(redis.url));
    traces.keep(aRecord('new'));
    await traces.close();
    expect(await client.exists('mortar:{trace}:new')).toBe(1);
    expect(await client.exists('mortar:{trace}:old')).toBe(0);
    expect(await client.llen('mortar:{trace}:*')).toBe(5_000);
    client.disconnect();
  });

  it('answer for themselves while Redis is away', async () => {
    const traces = createSharedTraces(createRedisDoor({ url: 'redis://127.0.0.1:1' }));
    traces.keep(aRecord('alone'));
    expect(await traces.find('alone')).toHaveLength(1);
    await traces.close();
  });
});

async function openDoor(url: string) {
  const door = createRedisDoor({ url });
  await expect.poll(() => door.isOpen()).toBe(true);
  return door;
}

describe('partners and analysts', () => {
  const trace = createRequestTrace('r', START_MS);
  trace.decide('Customer.email', null);
  trace.decide('Customer.email', 'RESTRICTED');
  trace.decide('Customer.email', 'CONSENT_REQUIRED');
  trace.decide('Customer.name', null);
  trace.fetch({
    subgraph: 'customers',
    wave: 1,
    path: 'customer',
    representations: 3,
    rows: 2,
    sentBytes: 1,
    receivedBytes: 2,
    startedAtMs: START_MS,
    elapsedMs: 3,
    outcome: 'ok',
  });
  const record = trace.record(START_MS);

  it.each(['partner', 'analyst'] as const)(
    'learn as %s neither how many rows there are nor that one is restricted',
    (role) => {
      const seen = visibleTo(role, record);
      expect(seen.decisions).toEqual([
        { coordinate: 'Customer.email', allowed: null, refused: { CONSENT_REQUIRED: null } },
      ]);
      expect(seen.fetches[0]).toMatchObject({ representations: null, rows: null, receivedBytes: null, elapsedMs: 3 });
    },
  );

  it('are the only ones who see less', () => {
    expect(visibleTo('associate', record)).toEqual(record);
  });
});
