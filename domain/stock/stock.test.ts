import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type ChannelConfig, channelConfig } from '#schema/model/configuration.ts';
import type { QuantityFigure } from '#schema/model/figures.ts';
import { toSku, toSystemId } from '#schema/model/ids.ts';
import type { StockReading } from '#schema/model/records.ts';
import { aClock, aFeed, aPage, aProvenance, aReading, NOON_MS } from '#test/support/catalog.ts';
import { describeDatabases } from '#test/support/databases.ts';
import { aLocation, idOf, retailMigrations } from '#test/support/retail.ts';
import { availabilityOf, deriveProvenance } from './availability.ts';
import { stockAt, toAuthorities } from './levels.ts';
import { mergePlaces } from './locations.ts';
import { createStockSnapshots, type ItemStock } from './snapshots.ts';
import { parseStockLevelId, stockLevelId } from './stock.ts';
import type { SystemStock } from './stock-reader.ts';
import { createWriteBehind, type NotedStock } from './write-behind.ts';

const channel = (bufferUnits: number): ChannelConfig =>
  channelConfig.parse({
    id: 'web',
    name: 'Web',
    kind: 'WEB',
    priceSystem: 'erp',
    locationKinds: ['STORE'],
    bufferUnits,
  });
const authorities = toAuthorities([{ system: 'pos', locationKinds: ['STORE'] }]);
const places = mergePlaces(
  ['L1', 'L2', 'L3'].map((id) => aLocation(id)),
  ['L1', 'L2', 'L3'].map((externalId) => ({
    system: 'pos',
    externalId,
    aliases: [{ system: 'wms', externalId: `W-${externalId}` }],
  })),
);

interface Numbers {
  readonly onHand: readonly number[];
  readonly witness: readonly number[];
  readonly total: number | null;
  readonly buffer: number;
}
const numbers: fc.Arbitrary<Numbers> = fc.record({
  onHand: fc.array(fc.integer({ min: -5, max: 60 }), { maxLength: 3 }),
  witness: fc.array(fc.nat(1_000), { maxLength: 3 }),
  total: fc.option(fc.nat(10_000)),
  buffer: fc.nat(10),
});

function promised({ onHand, witness, total, buffer }: Numbers): number | null {
  const complete = (readings: readonly StockReading[]): SystemStock => ({
    kind: 'COMPLETE',
    readings,
    observedAt: '2026-11-23T12:00:00.000Z',
  });
  const bySystem = new Map([
    ['pos', complete(onHand.map((units, at) => aReading('pos', `L${at + 1}`, { onHand: units })))],
    ['wms', complete(witness.map((units, at) => aReading('wms', `W-L${at + 1}`, { onHand: units })))],
  ]);
  const companyTotal: QuantityFigure | null =
    total === null ? null : { value: total, bound: null, provenance: aProvenance('erp') };
  const stocks = places.map((place) => stockAt(place, { bySystem, companyTotal, connectors: new Map() }, authorities));
  const answer = availabilityOf({ sku: 'A', channel: channel(buffer), stocks, named: false, incomplete: false });
  return answer.quantity?.value ?? null;
}

describe('what a channel can promise', () => {
  test('is never negative and never more than the authorities state', () => {
    fc.assert(
      fc.property(numbers, (n) => {
        const supply = n.onHand.reduce((sum, units) => sum + Math.max(0, units), 0);
        const value = promised(n);
        expect(value === null || value >= 0).toBe(true);
        expect(value ?? 0).toBeLessThanOrEqual(supply);
      }),
    );
  });

  test('does not change when any witness changes', () => {
    fc.assert(
      fc.property(numbers, fc.array(fc.nat(9_999), { maxLength: 3 }), fc.option(fc.nat()), (n, witness, total) => {
        expect(promised({ ...n, witness, total })).toBe(promised(n));
      }),
    );
  });

  test('never falls when another place holds stock, and never rises with the buffer', () => {
    fc.assert(
      fc.property(numbers, fc.nat(50), (n, units) => {
        const two = { ...n, onHand: n.onHand.slice(0, 2) };
        expect(promised({ ...two, onHand: [...two.onHand, units] })).toBeGreaterThanOrEqual(promised(two) ?? 0);
        expect(promised({ ...n, buffer: n.buffer + 1 }) ?? 0).toBeLessThanOrEqual(promised(n) ?? 0);
      }),
    );
  });
});

test('a derived figure is as old as its oldest input, of unknown age when one is, and in doubt when any is', () => {
  const old = aProvenance('pos', {
    asOf: '2026-11-23T10:00:00.000Z',
    observedAt: '2026-11-23T11:00:00.000Z',
    stale: true,
  });
  const young = aProvenance('wms', { degraded: true });
  expect(deriveProvenance([young, old, young])).toEqual({
    asOf: '2026-11-23T10:00:00.000Z',
    observedAt: '2026-11-23T11:00:00.000Z',
    source: null,
    lane: 'DERIVED',
    stale: true,
    degraded: true,
    inputs: [young.source, old.source],
  });
  expect(deriveProvenance([young, aProvenance('pos', { asOf: null })])?.asOf).toBeNull();
  expect(deriveProvenance([])).toBeNull();
});

test('of two authorities for a kind of place the place’s own counts, and an alias of it stays a witness', () => {
  const two = toAuthorities([
    { system: 'wms', locationKinds: ['STORE' as const] },
    { system: 'pos', locationKinds: ['STORE' as const] },
  ]);
  const complete = (readings: readonly StockReading[]): SystemStock => ({
    kind: 'COMPLETE',
    readings,
    observedAt: '2026-11-23T12:00:00.000Z',
  });
  const bySystem = new Map([
    ['pos', complete([aReading('pos', 'L1', { onHand: 4 })])],
    ['wms', complete([aReading('wms', 'W-L1', { onHand: 9 })])],
  ]);
  const [home] = places;
  if (home === undefined) throw new Error('there is a place');
  const stock = stockAt(home, { bySystem, companyTotal: null, connectors: new Map() }, two);
  expect([stock.stated?.onHand, stock.witnesses.map(({ value }) => value)]).toEqual([4, [9]]);
});

test('an alias is the other place, configuration completes what a system says, and a fragment alone is no place', () => {
  const merged = mergePlaces(
    [aLocation('L1'), aLocation('L9', { system: toSystemId('wms') })],
    [
      { system: 'pos', externalId: 'L1', zone: 'RURAL', aliases: [{ system: 'wms', externalId: 'L9' }] },
      { system: 'pos', externalId: 'unknown', name: 'Fragment' },
    ],
  );
  expect(merged).toMatchObject([{ id: idOf('pos', 'L1'), name: 'Store L1', zone: 'RURAL' }]);
});

test('the id of a stock level gives back any sku and place, and nothing else parses', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 64 }), (sku) => {
      const text = sku.toWellFormed();
      const location = idOf('pos', sku);
      expect(parseStockLevelId(stockLevelId(text, location))).toEqual({ sku: text, location });
    }),
  );
  for (const id of ['', 'stk_', 'stk_!!', 'loc_x', `stk_${'A'.repeat(500)}`, 'stk_fHg'])
    expect(parseStockLevelId(id)).toBeNull();
});

const at = (iso: string) => aProvenance('pos', { asOf: iso, observedAt: iso });
const item = (readings: readonly StockReading[], observedAtMs = NOON_MS): NotedStock => ({
  system: 'pos',
  sku: toSku('A'),
  itemKey: 'pos:A',
  readings,
  observedAtMs,
});
const name = { itemKey: 'pos:A', code: 'A' };

describeDatabases('last-seen stock', (open) => {
  test('only moves forward, and forgets places the source no longer names', async () => {
    await using db = await open(retailMigrations);
    const snapshots = createStockSnapshots({ database: db.database, clock: aClock() });
    const find = async () =>
      (await snapshots.find('pos', [name]))[0]?.map((r) => [r.locationExternalId, r.onHand]).toSorted();
    const first = ['L1', 'L2'].map((place) => aReading('pos', place, { provenance: at('2026-11-23T11:00:00.000Z') }));
    await snapshots.replaceItems([item(first)]);
    expect(await find()).toEqual([
      ['L1', 10],
      ['L2', 10],
    ]);
    await snapshots.replaceItems([
      item([aReading('pos', 'L1', { onHand: 1, provenance: at('2026-11-23T10:00:00.000Z') })]),
    ]);
    expect(await find()).toEqual([['L1', 10]]);
    await snapshots.replaceItems([
      item([aReading('pos', 'L1', { onHand: 4, provenance: at('2026-11-23T11:30:00.000Z') })]),
    ]);
    expect(await find()).toEqual([['L1', 4]]);
    await snapshots.replaceItems([item([])]);
    expect(await find()).toEqual([]);
  });

  test('of two figures of one place in a page the newer counts, wherever it stands', async () => {
    await using db = await open(retailMigrations);
    const snapshots = createStockSnapshots({ database: db.database, clock: aClock() });
    const newer = aReading('pos', 'L1', { onHand: 7, provenance: at('2026-11-23T11:30:00.000Z') });
    const older = aReading('pos', 'L1', { onHand: 3, provenance: at('2026-11-23T11:00:00.000Z') });
    await snapshots.sink.writePage(aFeed<StockReading>('pos', 'stock'), aPage([newer, older]));
    expect((await snapshots.find('pos', [name]))[0]?.map(({ onHand }) => onHand)).toEqual([7]);
  });

  test('a figure dated ahead of our clock is stale, and does not freeze: whatever the source states next replaces it', async () => {
    await using db = await open(retailMigrations);
    const snapshots = createStockSnapshots({ database: db.database, clock: aClock() });
    const feed = aFeed<StockReading>('pos', 'stock');
    const stated = (onHand: number, asOf: string) =>
      aReading('pos', 'L1', { onHand, provenance: aProvenance('pos', { asOf }) });
    const write = async (...readings: StockReading[]) => {
      await snapshots.sink.writePage(feed, aPage(readings));
      const [found] = await snapshots.find('pos', [name]);
      return found?.map(({ onHand, provenance: { asOf, stale } }) => [onHand, asOf, stale]);
    };
    // Clocks differ by a minute.
    expect(await write(stated(60, '2026-11-23T12:01:00.000Z'))).toEqual([[60, '2026-11-23T12:01:00.000Z', false]]);
    expect(await write(stated(50, '2099-01-01T00:00:00.000Z'))).toEqual([[60, '2026-11-23T12:01:00.000Z', false]]);
    await snapshots.sink.writePage(feed, {
      changes: [{ kind: 'delete', system: toSystemId('pos'), externalId: 'pos:A' }],
      cursor: 'c',
      done: true,
    });
    expect(await write(stated(50, '2099-01-01T00:00:00.000Z'))).toEqual([[50, null, true]]);
    // Older than our reading of it, and right all the same.
    expect(await write(stated(1, '2026-11-23T11:58:00.000Z'))).toEqual([[1, '2026-11-23T11:58:00.000Z', false]]);
    // In one page the figure with a date counts, wherever it stands.
    await write(stated(7, '2026-11-23T11:59:00.000Z'), stated(50, '2099-01-01T00:00:00.000Z'));
    expect(await write()).toEqual([[7, '2026-11-23T11:59:00.000Z', false]]);
    // A live read is told the same, and a place it no longer names is forgotten.
    await snapshots.replaceItems([item([stated(50, '2099-01-01T00:00:00.000Z')])]);
    expect(await write()).toEqual([[50, null, true]]);
    await snapshots.replaceItems([item([])]);
    expect(await write()).toEqual([]);
  });

  test('a feed page and its cursor are committed together; a deletion takes all places of the item', async () => {
    await using db = await open(retailMigrations);
    const snapshots = createStockSnapshots({ database: db.database, clock: aClock() });
    const feed = aFeed<StockReading>('pos', 'stock');
    await snapshots.sink.writePage(feed, aPage([aReading('pos', 'L1'), aReading('pos', 'L2')], 'c1'));
    expect(await snapshots.sink.readCursor(feed)).toBe('c1');
    // Found by the code too: feeds may name items by another id than the crosswalk.
    expect((await snapshots.find('pos', [{ itemKey: 'other', code: 'A' }]))[0]).toHaveLength(2);
    const gone = { kind: 'delete' as const, system: toSystemId('pos'), externalId: 'pos:A' };
    await snapshots.sink.writePage(feed, { changes: [gone], cursor: 'c2', done: true });
    expect(await snapshots.find('pos', [name])).toEqual([[]]);
    const broken = { ...aReading('pos', 'L3'), code: null } as unknown as StockReading;
    await expect(snapshots.sink.writePage(feed, aPage([aReading('pos', 'L4'), broken], 'c3'))).rejects.toThrow(/null/i);
    expect(await snapshots.sink.readCursor(feed)).toBe('c2');
    expect(await snapshots.find('pos', [name])).toEqual([[]]);
  });
});

describe('writing behind', () => {
  const collect = (fail = false) => {
    const writes: (readonly ItemStock[])[] = [];
    const errors: unknown[] = [];
    const replaceItems = (items: readonly ItemStock[]) => {
      writes.push(items);
      return fail ? Promise.reject(new Error('disk full')) : Promise.resolve();
    };
    const behind = createWriteBehind({
      snapshots: { replaceItems },
      onError: (error) => errors.push(error),
      maxPending: 2,
    });
    return { writes, errors, behind };
  };

  test('writes an item once for many reads, unchanged figures only after a minute, and the newest of them', async () => {
    const { writes, behind } = collect();
    const older = item([aReading('pos', 'L1', { onHand: 1 })]);
    const newer = item([aReading('pos', 'L1', { onHand: 2 })]);
    behind.note(older);
    behind.note(newer);
    behind.note(newer);
    await behind.flush();
    behind.note(newer);
    await behind.flush();
    expect(writes).toEqual([[newer]]);
    behind.note({ ...newer, observedAtMs: NOON_MS + 60_000 });
    await behind.flush();
    expect(writes).toHaveLength(2);
  });

  test('tells of other units than at the read before, not of a first read, a newer count or another order', () => {
    const changed: string[] = [];
    const replaceItems = () => Promise.resolve();
    const behind = createWriteBehind({ snapshots: { replaceItems }, onChange: (sku) => void changed.push(sku) });
    const countedAt = (asOf: string) => ({ provenance: { ...aReading('pos', 'L1').provenance, asOf } });
    behind.note(item([aReading('pos', 'L1', { onHand: 1, ...countedAt('2026-01-01T00:00:00.000Z') })]));
    behind.note(item([aReading('pos', 'L1', { onHand: 1, ...countedAt('2026-01-02T00:00:00.000Z') })]));
    expect(changed).toEqual([]);
    behind.note(item([aReading('pos', 'L1', { onHand: 0 })]));
    behind.note(item([aReading('pos', 'L1', { onHand: 0 }), aReading('pos', 'L2', { onHand: 0 })]));
    expect(changed).toEqual(['A', 'A']);
  });

  test('holds a bounded number of items, and writes again what failed', async () => {
    const { writes, errors, behind } = collect(true);
    for (const itemKey of ['1', '2', '3']) behind.note({ ...item([]), itemKey });
    await behind.flush();
    expect(writes[0]?.map(({ itemKey }) => itemKey)).toEqual(['2', '3']);
    expect(errors).toHaveLength(1);
    behind.note({ ...item([]), itemKey: '3' });
    await behind.close();
    expect(writes).toHaveLength(2);
  });
});
