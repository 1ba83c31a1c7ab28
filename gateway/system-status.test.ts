import { expect, it } from 'vitest';

import { createSystemStatus } from './system-status.ts';
import { commitFeedCursor, feedCursorMigrations } from '#platform/feed-cursors.ts';
import type { SystemQuarantine } from '#domain/stock/quarantine.ts';
import type { BreakerState } from '#schema/model/sources.ts';
import { openTestSqlite, type TestDatabase } from '#test/support/databases.ts';
import { connect } from '#test/support/kit-system.ts';

const NOW_MS = Date.parse('2026-11-23T12:00:00.000Z');

interface Setup {
  readonly read?: BreakerState;
  readonly readsFail?: boolean;
  readonly quarantine?: SystemQuarantine;
}

/** The status of one till system with a live stock read, and items and orders that only a feed keeps. */
async function statusOf(db: TestDatabase, { read = 'CLOSED', readsFail = false, quarantine }: Setup = {}) {
  await using crm = connect('http://127.0.0.1:1', { id: 'pos' });
  const status = createSystemStatus({
    systems: [
      {
        ...crm.system,
        capabilities: ['stock:read', 'items:feed', 'stock:witness', 'consent:write', 'stock:adjust'],
        ports: [
          { port: 'items', live: false, feed: 'items', freshnessMs: null, nets: [] },
          { port: 'stock', live: true, feed: null, freshnessMs: 60_000, nets: ['committed'] },
          { port: 'orders', live: true, feed: 'orders', freshnessMs: null, nets: [] },
          { port: 'signals', live: false, feed: 'pins', freshnessMs: null, nets: [] },
        ],
        health: () => ({
          state: 'UP',
          lastErrorCode: null,
          readsFail,
          clockAheadMs: null,
          breakers: { read, feed: 'CLOSED', write: 'CLOSED' },
        }),
        budget: async () => ({
          pausedUntilMs: NOW_MS + 5_000,
          rates: [{ name: 'app', operations: [], limit: 10, periodMs: 1_500, left: 4, resetsAtMs: NOW_MS + 900 }],
        }),
      },
    ],
    database: db.database,
    clock: { nowMs: () => NOW_MS },
    currencies: { wrongItems: async () => new Map([['pos', 2]]) },
    crosswalk: { unmatchedCounts: async () => new Map([['pos', 3]]) },
    quarantine: { bySystem: async () => new Map(quarantine === undefined ? [] : [['pos', quarantine]]) },
  });
  const [first] = await status.systems();
  if (first === undefined) throw new Error('one system is connected');
  return first;
}

async function completeFeed(db: TestDatabase, feed: string, agoMs: number, leftOut = 0): Promise<void> {
  const entry = { system: 'pos', feed, cursor: 'c', done: true, atMs: NOW_MS - agoMs, leftOut };
  await db.database.write.transaction().execute(async (trx) => commitFeedCursor(trx, entry));
}

it('tells each feed’s lag from the database, and the slowest of them as the system’s', async () => {
  await using db = await openTestSqlite(feedCursorMigrations);
  await completeFeed(db, 'items', 7_000, 2);
  await completeFeed(db, 'items', 3_000, 1);
  expect(await statusOf(db)).toMatchObject({ lagSeconds: null, feeds: [{ lagSeconds: 3 }, { lagSeconds: null }] });
  await completeFeed(db, 'orders', 90_000);
  expect(await statusOf(db)).toMatchObject({
    lagSeconds: 90,
    feeds: [
      { name: 'items', loaded: true, lagSeconds: 3, leftOutRows: 3 },
      { name: 'orders', loaded: true, lagSeconds: 90, leftOutRows: 0 },
    ],
  });
});

it('does not call a feed complete whose later page is only one of several', async () => {
  await using db = await openTestSqlite(feedCursorMigrations);
  await completeFeed(db, 'items', 60_000);
  const page = { system: 'pos', feed: 'items', cursor: 'd', done: false, atMs: NOW_MS };
  await db.database.write.transaction().execute(async (trx) => commitFeedCursor(trx, page));
  expect((await statusOf(db)).feeds[0]).toMatchObject({ loaded: true, lagSeconds: 60 });
});

it('covers a port live, by what a feed kept, or not at all', async () => {
  await using db = await openTestSqlite(feedCursorMigrations);
  const coverage = async (read: BreakerState) =>
    (await statusOf(db, { read })).coverage.map((entry) => [entry.port, entry.coverage]);
  expect(await coverage('CLOSED')).toEqual([
    ['items', 'MISSING'],
    ['stock', 'LIVE'],
    ['orders', 'LIVE'],
    ['signals', 'MISSING'],
  ]);
  await completeFeed(db, 'items', 0);
  await completeFeed(db, 'orders', 0);
  expect(await coverage('OPEN')).toEqual([
    ['items', 'SNAPSHOT'],
    ['stock', 'MISSING'],
    ['orders', 'SNAPSHOT'],
    ['signals', 'MISSING'],
  ]);
});

it('covers nothing live while every read fails, though none rests', async () => {
  await using db = await openTestSqlite(feedCursorMigrations);
  await completeFeed(db, 'orders', 0);
  const { coverage } = await statusOf(db, { readsFail: true });
  expect(coverage.map((entry) => [entry.port, entry.coverage])).toEqual([
    ['items', 'MISSING'],
    ['stock', 'MISSING'],
    ['orders', 'SNAPSHOT'],
    ['signals', 'MISSING'],
  ]);
});

it('tells reads and writes apart, budgets, pauses, freshness, nets and what is quarantined', async () => {
  await using db = await openTestSqlite(feedCursorMigrations);
  const recent = [{ code: 'A', locationExternalId: 'L1', reason: 'NEGATIVE', asOfMs: NOW_MS }];
  expect(await statusOf(db, { quarantine: { rows: 7, recent } })).toMatchObject({
    reads: ['stock:read', 'items:feed', 'stock:witness'],
    writes: ['consent:write', 'stock:adjust'],
    unmatchedItems: 3,
    wrongCurrencyItems: 2,
    pausedUntil: '2026-11-23T12:00:05.000Z',
    budgets: [
      { name: 'app', operations: [], limit: 10, periodSeconds: 1.5, left: 4, resetsAt: '2026-11-23T12:00:00.900Z' },
    ],
    coverage: [{}, { port: 'stock', freshnessSeconds: 60, nets: ['committed'] }, {}, {}],
    quarantinedRows: 7,
    quarantine: [{ code: 'A', location: 'L1', reason: 'NEGATIVE', asOf: '2026-11-23T12:00:00.000Z' }],
  });
});
