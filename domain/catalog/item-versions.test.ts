import fc from 'fast-check';
import { expect, test } from 'vitest';

import { feedCursorMigrations } from '#platform/feed-cursors.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { ItemRecord } from '#schema/model/records.ts';
import type { Change } from '#schema/model/sources.ts';
import { aClock, aFeed, anItem, aPage, aProvenance } from '#test/support/catalog.ts';
import { describeDatabases, openTestSqlite, type TestDatabase } from '#test/support/databases.ts';
import { createItemFeedSink } from './item-feed.ts';
import { catalogMigrations, type CatalogTables } from './migrations.ts';

const migrations = [...feedCursorMigrations, ...catalogMigrations];
const pos = aFeed<ItemRecord>('pos', 'items');
const gone: Change<ItemRecord> = { kind: 'delete', system: toSystemId('pos'), externalId: 'pos:A1' };

/** Version `sequence` of the item A1, told by its title. */
function version(sequence: number, code = 'A1'): ItemRecord {
  const { source, ...provenance } = aProvenance('pos');
  const ofVersion = source === null ? null : { ...source, sequence: String(sequence) };
  return anItem('pos', code, { title: `version ${sequence}`, provenance: { ...provenance, source: ofVersion } });
}

function aSink({ database }: TestDatabase, system = 'erp') {
  const clock = aClock();
  const sink = createItemFeedSink({ database, clock, canonicalSystem: system });
  const titles = async (): Promise<readonly string[]> => {
    const rows = await database.as<CatalogTables>().read.selectFrom('item_reference').select('record').execute();
    return rows
      .map(({ record }) => (JSON.parse(record) as ItemRecord).title ?? '')
      .toSorted((a, b) => a.localeCompare(b));
  };
  const write = async (...changes: readonly Change<ItemRecord>[]): Promise<void> =>
    sink.writePage(pos, { changes, cursor: 'c', done: true });
  return { sink, clock, titles, write };
}

const upsert = (value: ItemRecord): Change<ItemRecord> => ({ kind: 'upsert', value });

describeDatabases('versions of items', (open) => {
  test.each(['erp', 'pos'])('an older copy never replaces a newer item, with %s as the catalog', async (canonical) => {
    await using db = await open(migrations);
    const { write, titles } = aSink(db, canonical);
    await write(upsert(version(3)), upsert(version(2)));
    expect(await titles()).toEqual(['version 3']);
    await write(upsert(version(1)));
    expect(await titles()).toEqual(['version 3']);
    await write(upsert(version(4)));
    expect(await titles()).toEqual(['version 4']);
  });

  test('a late copy does not bring back a deleted item, and a later version does', async () => {
    await using db = await open(migrations);
    const { write, titles } = aSink(db);
    await write(upsert(version(2)));
    await write(gone);
    await write(upsert(version(1)), upsert(version(2)));
    expect(await titles()).toEqual([]);
    await write(upsert(version(3)));
    expect(await titles()).toEqual(['version 3']);
    await write(upsert(version(2)));
    expect(await titles()).toEqual(['version 3']);
  });

  test('tombstones go after thirty days', async () => {
    await using db = await open(migrations);
    const { write, clock } = aSink(db);
    const count = async (): Promise<number> =>
      (await db.database.as<CatalogTables>().read.selectFrom('item_tombstone').selectAll().execute()).length;
    await write(upsert(version(1)), upsert(version(1, 'B2')));
    await write(gone);
    expect(await count()).toBe(1);
    clock.advance(31 * 86_400_000);
    await write({ kind: 'delete', system: toSystemId('pos'), externalId: 'pos:B2' });
    expect(await count()).toBe(1);
  });
});

test('pages in any order, repeated as often as may be, leave the newest version of each item', async () => {
  await using db = await openTestSqlite(migrations);
  const versionsOfItems = fc.array(fc.tuple(fc.constantFrom('A1', 'B2', 'C3'), fc.nat(9)), { maxLength: 40 });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(versionsOfItems, fc.integer({ min: 1, max: 10 }), async (delivered, pageSize) => {
      const { sink, titles } = aSink(db);
      run += 1;
      await db.database.as<CatalogTables>().write.deleteFrom('item_reference').execute();
      const records = delivered.map(([code, sequence]) => version(sequence, code));
      for (let at = 0; at < records.length; at += pageSize) {
        await sink.writePage(pos, aPage(records.slice(at, at + pageSize), `c${run}-${at}`));
      }
      const newest = new Map<string, number>();
      for (const [code, sequence] of delivered) newest.set(code, Math.max(newest.get(code) ?? 0, sequence));
      expect(await titles()).toEqual([...newest.values()].map((sequence) => `version ${sequence}`).toSorted());
    }),
    { numRuns: 40 },
  );
}, 60_000);
