import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { MortarError } from '#platform/errors.ts';
import { memoizeBatch } from '#platform/memo-batch.ts';
import type { ValueCache } from '#platform/value-cache.ts';
import type { ChannelConfig } from '#schema/model/configuration.ts';
import type { MoneyFigure, QuantityFigure } from '#schema/model/figures.ts';
import type { ItemRecord } from '#schema/model/records.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { ConnectedSystem, FeedSink, Slot } from '#schema/model/sources.ts';
import { createCrosswalk, type Crosswalk, type ItemReference } from './crosswalk.ts';
import { createProductDirectory, type ProductDirectory } from './directory.ts';
import { createFeedFreshness, type FeedFreshness, snapshotProvenance } from './feed-freshness.ts';
import { createItemFeedSink } from './item-feed.ts';
import { createItemReader, type ItemReader } from './item-reader.ts';
import { createPriceCurrencies, type PriceCurrencies } from './price-currencies.ts';
import { type ListingRecord, loadListings, toCompanyTotal, toPrice } from './listings.ts';

/** What catalog needs of a connected system. */
type CatalogSystem = Pick<ConnectedSystem, 'system' | 'connector' | 'items' | 'itemFeed'>;

export interface CatalogOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly cache: ValueCache;
  readonly channels: readonly ChannelConfig[];
  readonly systems: readonly CatalogSystem[];
  /** ISO 4217 code of what channels that state no currency sell in. @default 'GBP' */
  readonly currency?: string;
  /** The system whose items are the products. @default 'erp' */
  readonly canonicalSystem?: string;
  /** Texts a system puts before the retailer's codes, by system. @default none */
  readonly codePrefixes?: Readonly<Record<string, readonly string[]>>;
  /** The most a realtime read may take before a snapshot answers, in milliseconds. @default 1500 */
  readonly maxReadMs?: number;
}

export interface Catalog {
  readonly crosswalk: Crosswalk;
  readonly directory: ProductDirectory;
  readonly freshness: FeedFreshness;
  readonly itemSink: FeedSink<ItemRecord>;
  readonly currencies: PriceCurrencies;
  readonly channels: readonly ChannelConfig[];
  /** @throws {MortarError} BAD_USER_INPUT naming the known channels. */
  readonly channel: (id: string) => ChannelConfig;
  /** Products by sku, in order: read at request time, else the snapshot, flagged. Null: no such product. Never rejects. */
  readonly products: (skus: readonly string[], scope: CallScope) => Promise<readonly Slot<ItemRecord>[]>;
  /**
   * Prices of one channel by sku, in order; null: the channel's price system has no price for it; an Error while that
   * system's items were never read to the end, and where the price is in another currency. Never rejects.
   */
  readonly prices: (
    channel: ChannelConfig,
    skus: readonly string[],
    scope: CallScope,
  ) => Promise<readonly Slot<MoneyFigure>[]>;
  /** The channels' own listings of each sku, in order; an Error where they may be missing for the same reason. Local reads only. */
  readonly listings: (skus: readonly string[]) => Promise<readonly (readonly ListingRecord[] | Error)[]>;
  /** The canonical system while its items were never read to the end: products may be missing; null: none is. */
  readonly loadingSystem: () => Promise<string | null>;
  /** What the canonical system says it has of each sku company-wide: a witness kept by the feed, never asked for live. */
  readonly companyTotals: (skus: readonly string[]) => Promise<readonly (QuantityFigure | null)[]>;
}

export function createCatalog(options: CatalogOptions): Catalog {
  const { database, clock, channels, systems, canonicalSystem = 'erp', currency = 'GBP' } = options;
  const currencies = createPriceCurrencies({ database, channels, currency });
  const { crosswalk, directory, itemSink } = createDirectories(options);
  const freshness = createFeedFreshness({ database, clock });
  const feedOf = new Map(systems.map(({ system, itemFeed }) => [String(system), itemFeed?.feed]));
  const stored = async (system: string, record: ItemRecord, fallback: boolean): Promise<ItemRecord> => {
    const feedName = feedOf.get(system);
    const feed = feedName === undefined ? null : await freshness.stateOf(system, feedName);
    return {
      ...record,
      provenance: snapshotProvenance(record.provenance, { nowMs: clock.nowMs(), feed, fallback }),
    };
  };
  const byCode = async (system: string, codes: readonly string[], fallback: boolean) => {
    const records =
      system === canonicalSystem
        ? await directory.products(codes)
        : await itemsByCode({ directory, crosswalk, system, codes });
    return Promise.all(records.map(async (record) => (record === null ? null : stored(system, record, fallback))));
  };
  const readers = createReaders(options, (system, codes) => byCode(system, codes, true));
  const itemsOf = async (system: string, codes: readonly string[], scope: CallScope) => {
    const reader = readers.get(system);
    return reader === undefined ? settle(codes, () => byCode(system, codes, false)) : reader(codes, scope);
  };

  /** What the system does not seem to have may only not be read yet. */
  const isLoading = async (system: string): Promise<boolean> => {
    const feed = feedOf.get(system);
    return feed !== undefined && (await freshness.stateOf(system, feed).catch(() => null))?.loaded !== true;
  };

  return {
    crosswalk,
    directory,
    freshness,
    itemSink,
    currencies,
    channels,
    loadingSystem: async () => ((await isLoading(canonicalSystem)) ? canonicalSystem : null),
    channel(id) {
      const found = channels.find((channel) => channel.id === id);
      if (found !== undefined) return found;
      const known = channels.map((channel) => channel.id);
      throw new MortarError('BAD_USER_INPUT', {
        message: `There is no such channel. Known channels: ${known.join(', ')}.`,
        facts: { knownChannels: known },
      });
    },
    products: (skus, scope) => itemsOf(canonicalSystem, skus, scope),
    async prices(channel, skus, scope) {
      const system = channel.priceSystem;
      const codes = system === canonicalSystem ? skus : await primaryCodes(crosswalk, system, skus);
      const asked = [...new Set(codes.filter((code) => code !== null))];
      const slots = await itemsOf(system, asked, scope);
      const byItemCode = new Map(asked.map((code, at) => [code, slots[at] ?? null]));
      const isMissing = codes.some((code) => code === null);
      const unread = isMissing && (await isLoading(system)) ? unavailable(system) : null;
      return codes.map((code) =>
        toPrice(code === null ? unread : (byItemCode.get(code) ?? null), currencies.of(channel)),
      );
    },
    async listings(skus) {
      const references = await crosswalk.referencesOf(skus);
      const items = async (system: string, ids: readonly string[]) =>
        Promise.all(
          (await directory.items(system, ids)).map(async (record) => record && stored(system, record, false)),
        );
      const listings = await loadListings(references, { channels, currencyOf: currencies.of, items });
      const sources = [...new Set(channels.flatMap(({ listingSystem }) => listingSystem ?? []))];
      const loading = (await Promise.all(sources.map(isLoading))).flatMap((is, at) => (is ? [sources[at]!] : []));
      return listings.map((own) => {
        const missing = loading.find((system) => !own.some(({ channel }) => channel.listingSystem === system));
        return missing === undefined ? own : unavailable(missing);
      });
    },
    async companyTotals(skus) {
      const records = await byCode(canonicalSystem, skus, false);
      return records.map((record) => (record === null ? null : toCompanyTotal(record)));
    },
  };
}

const unavailable = (system: string): MortarError =>
  new MortarError('UPSTREAM_UNAVAILABLE', { system, message: 'The items of this system are still being read.' });

/** How long what the feeds stored may be repeated without a read: requests of the same moment share it. */
const MEMO_MS = 1_000;

type PageQuestion = Parameters<ProductDirectory['page']>;

function firstPage<Page>([page]: readonly Page[]): Page {
  if (page === undefined) throw new Error('one question, one page');
  return page;
}

/** Crosswalk and directory with a short memory, which forgets whenever this process's feed writes. */
function createDirectories({ database, clock, canonicalSystem = 'erp', codePrefixes = {} }: CatalogOptions) {
  const crosswalk = createCrosswalk({ database, codePrefixes });
  const directory = createProductDirectory(database);
  const sink = createItemFeedSink({ database, clock, canonicalSystem, codePrefixes });
  const references = memoizeBatch({ read: crosswalk.referencesOf, clock, ttlMs: MEMO_MS });
  const known = memoizeBatch({ read: crosswalk.areKnown, clock, ttlMs: MEMO_MS });
  const products = memoizeBatch({ read: directory.products, clock, ttlMs: MEMO_MS });
  const pages = memoizeBatch({
    // The key is the question itself, written below.
    read: (keys) => Promise.all(keys.map((key) => directory.page(...(JSON.parse(key) as PageQuestion)))),
    clock,
    ttlMs: MEMO_MS,
    maxKeys: 1_000,
  });
  const itemSink: FeedSink<ItemRecord> = {
    ...sink,
    async writePage(feed, page) {
      await sink.writePage(feed, page);
      for (const memo of [references, known, products, pages]) memo.clear();
    },
  };
  return {
    itemSink,
    crosswalk: { ...crosswalk, referencesOf: references.read, areKnown: known.read },
    directory: {
      ...directory,
      products: products.read,
      page: async (...question: PageQuestion) => firstPage(await pages.read([JSON.stringify(question)])),
    },
  };
}

function createReaders(
  { systems, cache, clock, maxReadMs }: CatalogOptions,
  snapshots: (system: string, codes: readonly string[]) => Promise<readonly (ItemRecord | null)[]>,
): ReadonlyMap<string, ItemReader> {
  return new Map(
    systems.flatMap(({ system, items }) =>
      items === undefined
        ? []
        : [
            [
              system,
              createItemReader({
                source: items,
                cache,
                clock,
                maxReadMs,
                snapshots: (codes) => snapshots(system, codes),
              }),
            ],
          ],
    ),
  );
}

async function settle<V>(
  keys: readonly string[],
  read: () => Promise<readonly Slot<V>[]>,
): Promise<readonly Slot<V>[]> {
  try {
    return await read();
  } catch (error) {
    const failure = error instanceof Error ? error : new MortarError('INTERNAL_SERVER_ERROR');
    return keys.map(() => failure);
  }
}

async function primaryCodes(crosswalk: Crosswalk, system: string, skus: readonly string[]) {
  const references = await crosswalk.referencesOf(skus);
  return references.map(
    (of) => of.find((reference) => reference.system === system && reference.code !== null)?.code ?? null,
  );
}

interface ItemsByCode {
  readonly directory: ProductDirectory;
  readonly crosswalk: Crosswalk;
  readonly system: string;
  readonly codes: readonly string[];
}

async function itemsByCode({ directory, crosswalk, system, codes }: ItemsByCode) {
  const skus = await crosswalk.skusOf(system, codes);
  const references = await crosswalk.referencesOf(skus.filter((sku) => sku !== null));
  // Reversed, so that of several items with one code the primary one stays.
  const ids = new Map(
    references
      .flat()
      .toReversed()
      .map((reference) => [codeIn(reference, system), reference.externalId]),
  );
  const known = codes.filter((code) => ids.has(code));
  const records = await directory.items(
    system,
    known.map((code) => ids.get(code) ?? ''),
  );
  const byItemCode = new Map(known.map((code, at) => [code, records[at] ?? null]));
  return codes.map((code) => byItemCode.get(code) ?? null);
}

const codeIn = (reference: ItemReference, system: string): string | null =>
  reference.system === system ? reference.code : null;
