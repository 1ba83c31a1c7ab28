import { createCatalog } from '#domain/catalog/catalog.ts';
import { catalogMigrations } from '#domain/catalog/migrations.ts';
import { stockMigrations } from '#domain/stock/migrations.ts';
import { createStock } from '#domain/stock/stock.ts';
import { createCursors } from '#platform/cursors.ts';
import { MortarError } from '#platform/errors.ts';
import { feedCursorMigrations } from '#platform/feed-cursors.ts';
import { createMemoryCache } from '#platform/value-cache.ts';
import { type RetailConfig, retailConfig } from '#schema/model/configuration.ts';
import { type LocationId, locationIdOf, toSystemId } from '#schema/model/ids.ts';
import type { LocationRecord, StockReading } from '#schema/model/records.ts';
import type { StockSource } from '#schema/model/sources.ts';
import { aClock, aFeed, anItem, aPage, aProvenance, aReading } from './catalog.ts';
import type { TestDatabase } from './databases.ts';

export const retailMigrations = [...feedCursorMigrations, ...catalogMigrations, ...stockMigrations];

export const idOf = (system: string, externalId: string): LocationId =>
  locationIdOf({ system: toSystemId(system), externalId });

export function aLocation(externalId: string, over: Partial<LocationRecord> = {}): LocationRecord {
  const system = toSystemId('pos');
  return {
    system,
    externalId,
    id: idOf('pos', externalId),
    name: `Store ${externalId}`,
    kind: 'STORE',
    zone: 'URBAN',
    latitude: 51.5,
    longitude: -0.12,
    postalCode: 'SW1A 1AA',
    country: 'GB',
    timeZone: 'Europe/London',
    openingPeriods: [{ weekday: 1, opensAt: '09:00', closesAt: '17:30' }],
    ...over,
  };
}

const retail: RetailConfig = retailConfig.parse({
  channels: [
    { id: 'web', name: 'Web', kind: 'WEB', priceSystem: 'erp', locationKinds: ['STORE', 'WAREHOUSE'], bufferUnits: 1 },
    { id: 'store', name: 'Stores', kind: 'STORE', priceSystem: 'erp', locationKinds: ['STORE'] },
    {
      id: 'amazon',
      name: 'Amazon',
      kind: 'MARKETPLACE',
      priceSystem: 'erp',
      listingSystem: 'marketplace',
      locationKinds: ['MARKETPLACE_WAREHOUSE'],
    },
  ],
  locations: [
    { system: 'wms', externalId: 'W1', name: 'Warehouse', kind: 'WAREHOUSE', country: 'GB' },
    { system: 'pos', externalId: 'L1', aliases: [{ system: 'wms', externalId: 'BACK1' }] },
    { system: 'marketplace', externalId: 'FBA', name: 'FBA', kind: 'MARKETPLACE_WAREHOUSE', onlyChannels: ['amazon'] },
    { system: 'locker', externalId: 'K', name: 'Locker', kind: 'LOCKER' },
  ],
  authorities: [
    { system: 'pos', locationKinds: ['STORE'] },
    { system: 'wms', locationKinds: ['WAREHOUSE'] },
    { system: 'marketplace', locationKinds: ['MARKETPLACE_WAREHOUSE'] },
  ],
});

type Answer = 'down' | 'silent' | readonly StockReading[];

/**
 * A small retailer over in-memory ports: stores L1 and L2 (pos), warehouse W1 (wms), marketplace stock by feed; products
 * A and B, of which pos carries only A. `stock` and `down` may be changed while a test runs.
 */
export async function aRetailer({ database }: TestDatabase) {
  const clock = aClock();
  const calls: { readonly system: string; readonly skus: readonly string[] }[] = [];
  const state: { stock: Record<string, Answer>; locations: readonly LocationRecord[] | 'down' } = {
    stock: {
      pos: [aReading('pos', 'L1', { onHand: 5, committed: 2 }), aReading('pos', 'L2', { onHand: 3 })],
      wms: [
        aReading('wms', 'W1', { externalId: 'A', onHand: 20, committed: 4, nets: ['committed'] }),
        aReading('wms', 'BACK1', { externalId: 'A', onHand: 99 }),
      ],
    },
    locations: [aLocation('L1'), aLocation('L2', { latitude: 53.48, longitude: -2.24, postalCode: 'M1 1AE' })],
  };
  const stockSource = (system: string): StockSource => ({
    system: toSystemId(system),
    connector: `${system}-connector`,
    stockByItem: async (keys) => {
      calls.push({ system, skus: keys.map(({ sku }) => sku) });
      const answer = state.stock[system] ?? 'down';
      if (answer === 'silent') return new Promise(() => undefined);
      if (answer === 'down') return keys.map(() => new MortarError('UPSTREAM_UNAVAILABLE', { system }));
      return keys.map(({ externalId }) => answer.filter((reading) => reading.externalId === externalId));
    },
  });
  const erp = { system: toSystemId('erp'), connector: 'erp-connector' };
  const pos = { system: toSystemId('pos'), connector: 'pos-connector' };
  const systems = [
    {
      ...erp,
      itemFeed: aFeed<never>('erp', 'items'),
      items: {
        ...erp,
        itemsByCode: async (codes: readonly string[]) =>
          codes.map((code) => (['A', 'B'].includes(code) ? anItem('erp', code) : null)),
      },
    },
    {
      ...pos,
      itemFeed: aFeed<never>('pos', 'items'),
      stock: stockSource('pos'),
      locations: {
        ...pos,
        locations: async () => {
          if (state.locations === 'down') throw new MortarError('UPSTREAM_UNAVAILABLE', { system: 'pos' });
          return state.locations;
        },
      },
    },
    { system: toSystemId('wms'), connector: 'wms-connector', stock: stockSource('wms') },
    {
      system: toSystemId('marketplace'),
      connector: 'marketplace-connector',
      itemFeed: aFeed<never>('marketplace', 'items'),
      stockFeed: aFeed<never>('marketplace', 'stock'),
    },
  ];
  const shared = { database, clock, cache: createMemoryCache(1_000_000), systems, maxReadMs: 25 };
  const catalog = createCatalog({ ...shared, channels: retail.channels });
  const stock = createStock({ ...shared, catalog, retail });
  const feedItems = (system: string, items: readonly ReturnType<typeof anItem>[]) =>
    catalog.itemSink.writePage(aFeed(system, 'items'), aPage(items));
  await feedItems('erp', [anItem('erp', 'A', { companyQuantity: 500 }), anItem('erp', 'B')]);
  await feedItems('pos', [anItem('pos', 'A')]);
  await feedItems('marketplace', [anItem('marketplace', 'A')]);
  await stock.stockSink.writePage(
    aFeed('marketplace', 'stock'),
    aPage([
      aReading('marketplace', 'FBA', {
        externalId: 'marketplace:A',
        onHand: 7,
        provenance: aProvenance('marketplace', { lane: 'NEAR_REALTIME' }),
      }),
    ]),
  );
  const cursors = createCursors(new Uint8Array(32));
  return { clock, calls, state, catalog, stock, cursors, retail };
}
