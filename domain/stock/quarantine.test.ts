import { expect, test } from 'vitest';

import { aClock, aFeed, aPage, aReading, NOON_MS } from '#test/support/catalog.ts';
import { describeDatabases } from '#test/support/databases.ts';
import { retailMigrations } from '#test/support/retail.ts';
import { createStockQuarantine } from './quarantine.ts';
import { createStockSnapshots } from './snapshots.ts';

describeDatabases('the quarantine', (open) => {
  test('holds what cannot be true, by live read or feed, until the source states better', async () => {
    await using db = await open(retailMigrations);
    const snapshots = createStockSnapshots({ database: db.database, clock: aClock() });
    const quarantine = createStockQuarantine(db.database);
    expect([...(await quarantine.bySystem())]).toEqual([]);
    await snapshots.replaceItems([
      {
        system: 'pos',
        itemKey: 'A',
        observedAtMs: NOON_MS,
        readings: [
          aReading('pos', 'L1', { onHand: -2 }),
          aReading('pos', 'L2', { onHand: 3 }),
          aReading('pos', 'L3', { onHand: 20_000_000 }),
        ],
      },
    ]);
    await snapshots.sink.writePage(
      aFeed('wms', 'inventory'),
      aPage([aReading('wms', 'W1', { onHand: 5, committed: -1 })]),
    );
    const held = await quarantine.bySystem();
    expect(held.get('pos')?.rows).toBe(2);
    expect(
      held
        .get('pos')
        ?.recent.map(({ locationExternalId, reason }) => [locationExternalId, reason])
        .toSorted(),
    ).toEqual([
      ['L1', 'NEGATIVE'],
      ['L3', 'ABSURD'],
    ]);
    expect(held.get('wms')?.recent).toMatchObject([{ locationExternalId: 'W1', reason: 'NEGATIVE' }]);
    await snapshots.replaceItems([
      { system: 'pos', itemKey: 'A', observedAtMs: NOON_MS + 1_000, readings: [aReading('pos', 'L1', { onHand: 4 })] },
    ]);
    expect((await quarantine.bySystem()).get('pos')).toBeUndefined();
  });

  test('tells the newest twenty of any number', async () => {
    await using db = await open(retailMigrations);
    const snapshots = createStockSnapshots({ database: db.database, clock: aClock() });
    const readings = Array.from({ length: 30 }, (_, at) => aReading('pos', `L${at}`, { onHand: -1 }));
    await snapshots.replaceItems([{ system: 'pos', itemKey: 'A', observedAtMs: NOON_MS, readings }]);
    const held = (await createStockQuarantine(db.database).bySystem()).get('pos');
    expect([held?.rows, held?.recent.length]).toEqual([30, 20]);
  });
});
