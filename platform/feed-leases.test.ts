import { expect, test } from 'vitest';

import { describeDatabases } from '#test/support/databases.ts';
import { commitFeedCursor, feedCursorMigrations, readFeedCursor } from './feed-cursors.ts';
import { claimFeeds, feedLeaseMigrations, nudgeFeeds, releaseFeeds } from './feed-leases.ts';

const migrations = [...feedCursorMigrations, ...feedLeaseMigrations];
const items = { system: 'erp', feed: 'items' };
const orders = { system: 'erp', feed: 'orders' };
const feeds = [orders, items];
const HOUR_MS = 3_600_000;

describeDatabases('rights to read feeds', (open) => {
  test('go to the first who asks and stay there while they last', async () => {
    await using opened = await open(migrations);
    const claim = (holder: string) => claimFeeds(opened.database, { holder, feeds, leaseMs: HOUR_MS });
    const byName = (held: Awaited<ReturnType<typeof claim>>) => held.toSorted((a, b) => (a.feed < b.feed ? -1 : 1));
    const first = byName(await claim('a'));
    expect(first).toEqual([
      { ...items, fence: 1, nudges: 0 },
      { ...orders, fence: 1, nudges: 0 },
    ]);
    expect(await claim('b')).toEqual([]);
    expect(byName(await claim('a'))).toEqual(first);
  });

  test('change hands when they end, with a fence that has grown, and at once when they are given back', async () => {
    await using opened = await open(migrations);
    const claim = (holder: string, leaseMs: number) => claimFeeds(opened.database, { holder, feeds: [items], leaseMs });
    await claim('a', -1);
    expect(await claim('b', HOUR_MS)).toEqual([{ ...items, fence: 2, nudges: 0 }]);
    expect(await claim('a', HOUR_MS)).toEqual([]);
    await releaseFeeds(opened.database, 'b');
    expect(await claim('a', HOUR_MS)).toEqual([{ ...items, fence: 3, nudges: 0 }]);
  });

  test('tell whoever holds a feed how often it was nudged, and nobody else', async () => {
    await using opened = await open(migrations);
    const { database } = opened;
    const claim = () => claimFeeds(database, { holder: 'a', feeds: [items], leaseMs: HOUR_MS });
    await nudgeFeeds(database, 'erp', ['items']);
    expect(await claim()).toEqual([{ ...items, fence: 1, nudges: 0 }]);
    await nudgeFeeds(database, 'erp', ['items', 'none']);
    await nudgeFeeds(database, 'pos', ['items']);
    await nudgeFeeds(database, 'erp', []);
    expect(await claim()).toEqual([{ ...items, fence: 1, nudges: 1 }]);
  });

  test('are needed to move a cursor: a page of whoever lost the feed is not written', async () => {
    await using opened = await open(migrations);
    const { database } = opened;
    const commit = (cursor: string, fence: number) =>
      database.write
        .transaction()
        .execute(async (trx) => commitFeedCursor(trx, { ...items, cursor, done: true, atMs: 1, fence }));
    await claimFeeds(database, { holder: 'a', feeds: [items], leaseMs: -1 });
    await commit('p1', 1);
    await claimFeeds(database, { holder: 'b', feeds: [items], leaseMs: HOUR_MS });
    await expect(commit('p2', 1)).rejects.toThrow('Another process reads the feed items of erp by now');
    await commit('p3', 2);
    expect(await readFeedCursor(database, items)).toBe('p3');
  });

  test('of many processes that ask at once are each given to one', async () => {
    await using opened = await open(migrations);
    const many = Array.from({ length: 20 }, (_, index) => ({ system: 'erp', feed: `feed-${index}` }));
    const shuffled = (by: number) =>
      many.toSorted((a, b) => ((Number(a.feed.slice(5)) * by) % 23) - ((Number(b.feed.slice(5)) * by) % 23));
    const held = await Promise.all(
      [3, 5, 7, 11].map((by) =>
        claimFeeds(opened.database, { holder: `p${by}`, feeds: shuffled(by), leaseMs: HOUR_MS }),
      ),
    );
    expect(
      held
        .flat()
        .map(({ feed }) => feed)
        .toSorted(),
    ).toEqual(many.map(({ feed }) => feed).toSorted());
  });
});
