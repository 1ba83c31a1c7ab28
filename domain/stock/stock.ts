import type { Catalog } from '#domain/catalog/catalog.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { MortarError } from '#platform/errors.ts';
import type { ValueCache } from '#platform/value-cache.ts';
import type { ChannelConfig, RetailConfig } from '#schema/model/configuration.ts';
import { type LocationId, type Sku, toLocationId, toSku } from '#schema/model/ids.ts';
import type { StockReading } from '#schema/model/records.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { FeedSink } from '#schema/model/sources.ts';
import { availabilityOf, type ItemAvailability } from './availability.ts';
import { type ItemStockFacts, type PlaceStock, stockAt, toAuthorities } from './levels.ts';
import { createLocationRegistry, type LocationRegistry } from './location-registry.ts';
import type { Place } from './locations.ts';
import { memoizeOpenings, type Opening } from './opening-hours.ts';
import { createStockQuarantine, type StockQuarantine } from './quarantine.ts';
import { createStockSnapshots } from './snapshots.ts';
import { createStockReader, type StockSystem } from './stock-reader.ts';
import { createWriteBehind } from './write-behind.ts';

export interface StockOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly cache: ValueCache;
  readonly catalog: Pick<Catalog, 'crosswalk' | 'freshness' | 'companyTotals' | 'products'>;
  readonly retail: Pick<RetailConfig, 'locations' | 'authorities'>;
  readonly systems: readonly StockSystem[];
  /** Told that the stock of products reads differently now. Must not throw. */
  readonly onChange?: (skus: readonly Sku[]) => void;
  /** Told when last-seen figures could not be stored. */
  readonly onWriteError?: (error: unknown) => void;
  /** The most a realtime read may take before the snapshot answers, in milliseconds. @default 1500 */
  readonly maxReadMs?: number;
}

/** Everything the systems say of one item; null: the graph has no such product. */
export type StockFacts = ItemStockFacts | null;

interface AvailabilityRequest {
  readonly sku: string;
  readonly channel: ChannelConfig;
  /** An Error: nobody can say whether the product exists. */
  readonly facts: StockFacts | Error;
  /** Places to consider, in the order to answer in. */
  readonly places: readonly Place[];
  /** The caller named the places. */
  readonly named: boolean;
  /** Places are missing because their system could not be read. */
  readonly incomplete: boolean;
}

export interface Stock {
  readonly registry: LocationRegistry;
  readonly stockSink: FeedSink<StockReading>;
  readonly quarantine: StockQuarantine;
  /** Reads the figures of every system as a query would; what reads differently than before is told to `onChange`. */
  readonly look: (skus: readonly string[], scope: CallScope) => Promise<void>;
  /** Facts by sku, in order; an Error where even the product could not be looked up. One batch read a system. */
  readonly facts: (skus: readonly string[], scope: CallScope) => Promise<readonly (StockFacts | Error)[]>;
  /** Pure: places are those of one directory, facts those of one read. */
  readonly availability: (request: AvailabilityRequest) => ItemAvailability;
  /** The stock of an item at places that its authority names, or cannot be asked about; in the order of the places. */
  readonly levels: (facts: ItemStockFacts, places: readonly Place[]) => readonly PlaceStock[];
  readonly levelAt: (facts: ItemStockFacts, place: Place) => PlaceStock;
  /** Null: hours unknown. */
  readonly openingOf: (place: Place) => Opening | null;
  /** Writes what is pending. */
  readonly close: () => Promise<void>;
}

export function createStock(options: StockOptions): Stock {
  const { database, clock, catalog, retail, systems, onWriteError, onChange } = options;
  const authorities = toAuthorities(retail.authorities);
  const snapshots = createStockSnapshots({ database, clock });
  const writeBehind = createWriteBehind({
    snapshots,
    ...(onWriteError && { onError: onWriteError }),
    onChange: onChange && ((sku) => onChange([sku])),
  });
  const reader = createStockReader({
    clock,
    systems,
    crosswalk: catalog.crosswalk,
    freshness: catalog.freshness,
    snapshots,
    writeBehind,
    maxReadMs: options.maxReadMs,
  });
  const sources = systems.flatMap(({ locations }) => (locations === undefined ? [] : [locations]));
  const connectors = new Map(systems.map(({ system, connector }) => [String(system), connector]));
  const openings = memoizeOpenings();

  return {
    registry: createLocationRegistry({ ...options, sources, configured: retail.locations }),
    stockSink: onChange === undefined ? snapshots.sink : tellingSink(snapshots.sink, catalog.crosswalk, onChange),
    look: async (skus, scope) => void (await reader(skus, scope)),
    quarantine: createStockQuarantine(database),
    async facts(skus, scope) {
      const [known, bySystem, totals] = await Promise.all([
        knownProducts(catalog, skus, scope),
        reader(skus, scope),
        // A witness that cannot be read is missing; nothing depends on it.
        catalog.companyTotals(skus).catch(() => skus.map(() => null)),
      ]);
      return skus.map((_, at) => {
        const product = known[at];
        if (product instanceof Error) return product;
        return product === true ? { bySystem: bySystem[at]!, companyTotal: totals[at] ?? null, connectors } : null;
      });
    },
    availability({ sku, channel, facts, places, named, incomplete }) {
      if (facts === null || facts instanceof Error) return unknownProduct(sku, channel, facts);
      const stocks = places.map((place) => stockAt(place, facts, authorities));
      return availabilityOf({ sku, channel, stocks, named, incomplete });
    },
    levels: (facts, places) =>
      places
        .map((place) => stockAt(place, facts, authorities))
        .filter(({ named, reason }) => named || reason === 'UPSTREAM_UNAVAILABLE'),
    levelAt: (facts, place) => stockAt(place, facts, authorities),
    openingOf: (place) => (place.hours === null ? null : openings(place.id, place.hours, clock.nowMs())),
    close: writeBehind.close,
  };
}

/** A sink that tells, after each page is stored, of which products it was. */
function tellingSink(
  sink: FeedSink<StockReading>,
  crosswalk: Pick<Catalog['crosswalk'], 'skusOf'>,
  onChange: (skus: readonly Sku[]) => void,
): FeedSink<StockReading> {
  return {
    readCursor: sink.readCursor,
    async writePage(feed, page) {
      await sink.writePage(feed, page);
      const codes = page.changes.map((change) => (change.kind === 'upsert' ? change.value.code : change.externalId));
      if (codes.length === 0) return;
      const skus = await crosswalk.skusOf(feed.system, codes);
      onChange(skus.filter((sku) => sku !== null));
    },
  };
}

/** Whether each product exists: by the directory, else by the canonical system (it may be newer than the last feed). */
async function knownProducts(
  catalog: Pick<Catalog, 'crosswalk' | 'products'>,
  skus: readonly string[],
  scope: CallScope,
): Promise<readonly (boolean | Error)[]> {
  const listed = await catalog.crosswalk.areKnown(skus);
  const unlisted = skus.filter((_, at) => listed[at] !== true);
  if (unlisted.length === 0) return listed;
  const slots = await catalog.products(unlisted, scope);
  const bySku = new Map(unlisted.map((sku, at) => [sku, slots[at] ?? null]));
  return skus.map((sku, at) => {
    if (listed[at] === true) return true;
    const slot = bySku.get(sku) ?? null;
    return slot instanceof Error ? slot : slot !== null;
  });
}

function unknownProduct(sku: string, channel: ChannelConfig, failure: Error | null): ItemAvailability {
  const system = failure instanceof MortarError ? failure.system : undefined;
  return {
    sku,
    channel,
    quantity: null,
    reason: failure === null ? 'UNKNOWN_SKU' : 'UPSTREAM_UNAVAILABLE',
    guarantee: 'INDICATIVE',
    places: [],
    terms: null,
    doubts: system === undefined ? [] : [{ system, provenance: null }],
  };
}

const LEVEL_PREFIX = 'stk_';

/** The id of an item's stock at a place: reversible, the same in every process. */
export function stockLevelId(sku: string, location: LocationId): string {
  return `${LEVEL_PREFIX}${Buffer.from(`${sku}|${location}`).toString('base64url')}`;
}

/** What a stock level's id stands for; null when it is none of ours. */
export function parseStockLevelId(id: string): { readonly sku: Sku; readonly location: LocationId } | null {
  if (!id.startsWith(LEVEL_PREFIX) || id.length > 200) return null;
  const text = Buffer.from(id.slice(LEVEL_PREFIX.length), 'base64url').toString();
  // A sku may hold the separator, a location id cannot.
  const at = text.lastIndexOf('|');
  if (at <= 0) return null;
  const level = { sku: toSku(text.slice(0, at)), location: toLocationId(text.slice(at + 1)) };
  return stockLevelId(level.sku, level.location) === id ? level : null;
}
