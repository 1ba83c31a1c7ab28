import fc from 'fast-check';
import { expect, test } from 'vitest';

import { feedCursorMigrations } from '#platform/feed-cursors.ts';
import { MortarError } from '#platform/errors.ts';
import { createMemoryCache } from '#platform/value-cache.ts';
import { type ChannelConfig, channelConfig } from '#schema/model/configuration.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { ItemRecord } from '#schema/model/records.ts';
import type { FeedPage, Slot } from '#schema/model/sources.ts';
import { aClock, aFeed, anItem, aPage, aScope, aProvenance } from '#test/support/catalog.ts';
import { describeDatabases, openTestSqlite, type TestDatabase } from '#test/support/databases.ts';
import { snapshotProvenance } from './feed-freshness.ts';
import { createCatalog } from './catalog.ts';
import { catalogMigrations } from './migrations.ts';

const migrations = [...feedCursorMigrations, ...catalogMigrations];
const web: ChannelConfig = channelConfig.parse({
  id: 'web',
  name: 'Web',
  kind: 'WEB',
  priceSystem: 'erp',
  locationKinds: [],
});
const amazon: ChannelConfig = channelConfig.parse({
  id: 'amazon',
  name: 'Amazon',
  kind: 'MARKETPLACE',
  priceSystem: 'marketplace',
  listingSystem: 'marketplace',
  locationKinds: [],
});

type Answer = (codes: readonly string[]) => Promise<readonly Slot<ItemRecord>[]>;

function aCatalog({ database }: TestDatabase, answer?: Answer) {
  const clock = aClock();
  const asked: (readonly string[])[] = [];
  const erp = { system: toSystemId('erp'), connector: 'erp-connector' };
  const catalog = createCatalog({
    database,
    clock,
    cache: createMemoryCache(1_000_000),
    channels: [web, amazon],
    codePrefixes: { marketplace: ['AMZ-'] },
    maxReadMs: 20,
    systems: [
      {
        ...erp,
        itemFeed: aFeed('erp', 'items'),
        ...(answer && { items: { ...erp, itemsByCode: (codes) => (asked.push(codes), answer(codes)) } }),
      },
      { system: toSystemId('marketplace'), connector: 'm', itemFeed: aFeed('marketplace', 'items') },
    ],
  });
  const feed = (system: string, page: FeedPage<ItemRecord>) => catalog.itemSink.writePage(aFeed(system, 'items'), page);
  return { catalog, clock, asked, feed };
}

describeDatabases('the item directory', (open) => {
  test('matches items that arrive before their product, and lists them until then', async () => {
    await using db = await open(migrations);
    const { catalog, feed } = aCatalog(db);
    await feed('marketplace', aPage([anItem('marketplace', 'amz-a1'), anItem('marketplace', 'other')]));
    expect(await catalog.crosswalk.unmatchedCounts()).toEqual(new Map([['marketplace', 2]]));
    await feed('erp', aPage([anItem('erp', 'A1')]));
    expect(await catalog.crosswalk.unmatchedItems('marketplace', 10)).toMatchObject([
      { code: 'other', reason: 'UNKNOWN_CODE' },
    ]);
    const [references] = await catalog.crosswalk.referencesOf(['A1']);
    expect(references?.map(({ system, externalId }) => `${system}/${externalId}`).toSorted()).toEqual([
      'erp/erp:A1',
      'marketplace/marketplace:amz-a1',
    ]);
  });

  test('unlinks what a new product makes ambiguous and what a deleted one carried', async () => {
    await using db = await open(migrations);
    const { catalog, feed } = aCatalog(db);
    await feed('erp', aPage([anItem('erp', 'AB'), anItem('erp', 'C')]));
    await feed('marketplace', aPage([anItem('marketplace', ' ab'), anItem('marketplace', 'C')]));
    expect(await catalog.crosswalk.unmatchedCounts()).toEqual(new Map());
    await feed('erp', {
      changes: [
        { kind: 'upsert', value: anItem('erp', 'ab') },
        { kind: 'delete', system: toSystemId('erp'), externalId: 'erp:C' },
      ],
      cursor: null,
      done: true,
    });
    expect(await catalog.crosswalk.unmatchedItems('marketplace', 10)).toMatchObject([
      { code: ' ab', reason: 'AMBIGUOUS_CODE' },
      { code: 'C', reason: 'UNKNOWN_CODE' },
    ]);
    expect(await catalog.crosswalk.areKnown(['AB', 'C', 'ab'])).toEqual([true, false, true]);
  });

  test('finds skus by code, by id, and by rule for a system without items; never by guess', async () => {
    await using db = await open(migrations);
    const { catalog, feed } = aCatalog(db);
    await feed('erp', aPage([anItem('erp', 'A1'), anItem('erp', 'B'), anItem('erp', 'b')]));
    await feed('marketplace', aPage([anItem('marketplace', 'AMZ-A1')]));
    expect(await catalog.crosswalk.skusOf('marketplace', ['AMZ-A1', 'marketplace:AMZ-A1', 'zz'])).toEqual([
      'A1',
      'A1',
      null,
    ]);
    expect(await catalog.crosswalk.skusOf('wms', [' a1', 'B', 'amz-a1', 'A1'])).toEqual(['A1', 'B', null, 'A1']);
  });

  test('pages in byte order, filters by skus, category and text taken literally', async () => {
    await using db = await open(migrations);
    const { catalog, feed } = aCatalog(db);
    const items = [
      anItem('erp', 'b2'),
      anItem('erp', 'A1', { title: '50% Off' }),
      anItem('erp', 'C', { category: 'X' }),
    ];
    await feed('erp', aPage(items));
    const { directory } = catalog;
    expect(await directory.page(2, null, {})).toEqual({ skus: ['A1', 'C'], hasNextPage: true });
    expect(await directory.page(2, 'C', {})).toEqual({ skus: ['b2'], hasNextPage: false });
    expect(await directory.page(9, null, { skus: ['C', 'none'] })).toEqual({ skus: ['C'], hasNextPage: false });
    expect(await directory.page(9, null, { skus: [] })).toEqual({ skus: [], hasNextPage: false });
    expect((await directory.page(9, null, { category: 'X' })).skus).toEqual(['C']);
    expect((await directory.page(9, null, { text: '0% oFF' })).skus).toEqual(['A1']);
    expect((await directory.page(9, null, { text: '_' })).skus).toEqual([]);
    expect(await directory.count({ text: 'title' })).toBe(2);
  });

  test('commits rows and cursor together', async () => {
    await using db = await open(migrations);
    const { catalog, feed } = aCatalog(db);
    await feed('erp', aPage([anItem('erp', 'A')], 'c7'));
    expect(await catalog.itemSink.readCursor(aFeed('erp', 'items'))).toBe('c7');
    const broken = { ...anItem('erp', 'B'), externalId: null } as unknown as ItemRecord;
    await expect(feed('erp', aPage([anItem('erp', 'D'), broken], 'c8'))).rejects.toThrow(/null/i);
    expect(await catalog.itemSink.readCursor(aFeed('erp', 'items'))).toBe('c7');
    expect(await catalog.crosswalk.areKnown(['D'])).toEqual([false]);
  });
});

test('the crosswalk is the same whatever the order in which pages arrive', async () => {
  const pages: readonly (readonly [string, FeedPage<ItemRecord>])[] = [
    ['erp', aPage([anItem('erp', 'AB'), anItem('erp', 'C', { gtin: '5012345678900' })])],
    ['erp', aPage([anItem('erp', 'ab')])],
    ['marketplace', aPage([anItem('marketplace', 'aB'), anItem('marketplace', 'x', { gtin: '5012345678900' })])],
    ['pos', aPage([anItem('pos', 'c '), anItem('pos', 'AB'), anItem('pos', null)])],
  ];
  const outcome = async (order: readonly number[]) => {
    await using db = await openTestSqlite(migrations);
    const { catalog, feed } = aCatalog(db);
    for (const at of order) await feed(pages[at]![0], pages[at]![1]);
    const systems = ['marketplace', 'pos'];
    return {
      references: await catalog.crosswalk.referencesOf(['AB', 'ab', 'C']),
      unmatched: await Promise.all(systems.map((system) => catalog.crosswalk.unmatchedItems(system, 9))),
    };
  };
  const expected = await outcome([0, 1, 2, 3]);
  const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
  await fc.assert(
    fc.asyncProperty(order, async (o) => {
      expect(await outcome(o)).toEqual(expected);
    }),
    { numRuns: 8 },
  );
});

test('products come from the source in one call, then from the cache for 30 seconds', async () => {
  await using db = await openTestSqlite(migrations);
  const { catalog, clock, asked } = aCatalog(db, async (codes) =>
    codes.map((code) => (code === 'none' ? null : anItem('erp', code))),
  );
  expect(await catalog.products(['A', 'none', 'B'], aScope())).toMatchObject([{ code: 'A' }, null, { code: 'B' }]);
  expect(await catalog.products(['B', 'A'], aScope())).toMatchObject([{ code: 'B' }, { code: 'A' }]);
  expect(asked).toEqual([['A', 'none', 'B']]);
  clock.advance(30_000);
  await catalog.products(['A'], aScope(clock.nowMs()));
  expect(asked).toHaveLength(2);
});

test('another item than the one asked for is no answer', async () => {
  await using db = await openTestSqlite(migrations);
  const { catalog } = aCatalog(db, async (codes) => codes.map(() => anItem('erp', 'AB')));
  expect(await catalog.products(['ab'], aScope())).toEqual([null]);
});

const failures: readonly (readonly [string, Answer])[] = [
  ['fails', async (codes) => codes.map(() => new MortarError('UPSTREAM_UNAVAILABLE', { system: 'erp' }))],
  ['throws', () => Promise.reject(new Error('bug'))],
  ['never answers', () => new Promise(() => undefined)],
];
test.each(failures)(
  'a source that %s is replaced by the snapshot, stale and degraded; without one it is an error',
  async (_, answer) => {
    await using db = await openTestSqlite(migrations);
    const { catalog, feed } = aCatalog(db, answer);
    await feed('erp', aPage([anItem('erp', 'A')]));
    const [known, unknown] = await catalog.products(['A', 'B'], aScope());
    expect(known).toMatchObject({ code: 'A', provenance: { lane: 'NEAR_REALTIME', stale: true, degraded: true } });
    expect(unknown).toBeInstanceOf(Error);
  },
);

test('a price is the one of the channel’s own system, with its own provenance', async () => {
  await using db = await openTestSqlite(migrations);
  const { catalog, clock, feed } = aCatalog(db, async (codes) => codes.map((code) => anItem('erp', code)));
  await feed('erp', aPage([anItem('erp', 'A')]));
  const listing = anItem('marketplace', 'amz-a', { price: { amount: '11.00', currency: 'GBP' }, publishedQuantity: 4 });
  await feed('marketplace', aPage([listing]));
  expect(await catalog.prices(web, ['A'], aScope())).toMatchObject([
    { value: { amount: '9.50' }, provenance: { lane: 'REALTIME' } },
  ]);
  const [price] = await catalog.prices(amazon, ['A'], aScope());
  expect(price).toMatchObject({
    value: { amount: '11.00' },
    provenance: { lane: 'NEAR_REALTIME', stale: false, degraded: false },
  });
  expect(await catalog.prices(amazon, ['nope'], aScope())).toEqual([null]);
  expect(await catalog.listings(['A', 'B'])).toMatchObject([
    [{ channel: { id: 'amazon' }, externalId: 'marketplace:amz-a', publishedQuantity: { value: 4 } }],
    [],
  ]);
  clock.advance(16 * 60_000);
  expect(await catalog.prices(amazon, ['A'], aScope(clock.nowMs()))).toMatchObject([{ provenance: { stale: true } }]);
});

test('a price in another currency than the channel sells in is shown nowhere, and counted', async () => {
  const wrong = expect.objectContaining({ code: 'UPSTREAM_CONTRACT', message: expect.stringMatching(/EUR.*GBP/) });
  const euros = { price: { amount: '9.50', currency: 'EUR' } };
  await using db = await openTestSqlite(migrations);
  const { catalog, feed } = aCatalog(db, async (codes) => codes.map((code) => anItem('erp', code, euros)));
  await feed('erp', aPage([anItem('erp', 'A', euros), anItem('erp', 'B'), anItem('erp', 'C', { price: null })]));
  await feed('marketplace', aPage([anItem('marketplace', 'A', euros), anItem('marketplace', 'B')]));
  expect(await catalog.prices(web, ['A'], aScope())).toEqual([wrong]);
  expect(await catalog.prices(amazon, ['A', 'B'], aScope())).toEqual([
    wrong,
    expect.objectContaining({ value: { amount: '9.50', currency: 'GBP' } }),
  ]);
  expect(await catalog.listings(['A', 'B'])).toMatchObject([[{ price: wrong }], [{ price: { value: {} } }]]);
  // A channel that sells in the currency shows it.
  expect(await catalog.prices({ ...web, currency: 'EUR' }, ['A'], aScope())).toMatchObject([
    { value: { currency: 'EUR' } },
  ]);
  expect(await catalog.currencies.wrongItems()).toEqual(
    new Map([
      ['erp', 1],
      ['marketplace', 1],
    ]),
  );
  // Corrected at its source, it is counted no longer.
  await feed('marketplace', aPage([anItem('marketplace', 'A')]));
  expect(await catalog.currencies.wrongItems()).toEqual(new Map([['erp', 1]]));
});

test('items of a system no channel sells at are in no wrong currency', async () => {
  await using db = await openTestSqlite(migrations);
  const { catalog, feed } = aCatalog(db);
  await feed('pos', aPage([anItem('pos', 'A', { price: { amount: '1.00', currency: 'EUR' } })]));
  expect(await catalog.currencies.wrongItems()).toEqual(new Map());
});

test('a record its source dated ahead of our clock stays stale in the snapshot', () => {
  const age = { nowMs: Date.parse('2026-11-23T12:00:00.000Z'), feed: null, fallback: false };
  const undated = aProvenance('erp', { asOf: null });
  expect(snapshotProvenance({ ...undated, stale: true }, age)).toMatchObject({ stale: true, degraded: false });
  // A source that never says when is no worse for it.
  expect(snapshotProvenance(undated, age)).toMatchObject({ stale: false });
});

test('an unknown channel is an input error that names the known ones', async () => {
  await using db = await openTestSqlite(migrations);
  const { catalog } = aCatalog(db);
  expect(() => catalog.channel('tiktok')).toThrow('Known channels: web, amazon.');
});

test('what a system has is not denied before its items were read to the end', async () => {
  await using db = await openTestSqlite(migrations);
  const { catalog, clock, feed } = aCatalog(db);
  const failed = expect.objectContaining({ code: 'UPSTREAM_UNAVAILABLE', system: 'marketplace' });
  await feed('erp', { ...aPage([anItem('erp', 'A1'), anItem('erp', 'B2')]), done: false });
  await feed('marketplace', { ...aPage([anItem('marketplace', 'A1')]), done: false });
  expect(await catalog.loadingSystem()).toBe('erp');
  expect(await catalog.prices(amazon, ['A1', 'B2'], aScope())).toEqual([expect.objectContaining({}), failed]);
  expect(await catalog.listings(['A1', 'B2'])).toEqual([[expect.objectContaining({ channel: amazon })], failed]);
  await feed('erp', aPage([]));
  await feed('marketplace', aPage([]));
  clock.advance(1_000);
  expect(await catalog.loadingSystem()).toBeNull();
  expect(await catalog.prices(amazon, ['B2'], aScope())).toEqual([null]);
  expect(await catalog.listings(['B2'])).toEqual([[]]);
});
