import { type FeedFreshness, snapshotProvenance } from '#domain/catalog/feed-freshness.ts';
import type { Crosswalk, ItemReference } from '#domain/catalog/crosswalk.ts';
import type { Clock } from '#platform/clock.ts';
import { MortarError } from '#platform/errors.ts';
import { readWithin } from '#platform/read-within.ts';
import { toSku } from '#schema/model/ids.ts';
import type { StockReading } from '#schema/model/records.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { ConnectedSystem, Slot, StockSource } from '#schema/model/sources.ts';
import type { ItemName, StockSnapshots } from './snapshots.ts';
import type { WriteBehind } from './write-behind.ts';

/** What stock needs of a connected system. */
export type StockSystem = Pick<
  ConnectedSystem,
  'system' | 'connector' | 'stock' | 'stockFeed' | 'itemFeed' | 'locations'
>;

/**
 * What one system says of one item. COMPLETE: a place it does not name holds none. PARTIAL: only what was last seen, and
 * why; a place it does not name is unknown. NOT_CARRIED: the system has no such item.
 */
export type SystemStock =
  | { readonly kind: 'COMPLETE'; readonly readings: readonly StockReading[]; readonly observedAt: string }
  | { readonly kind: 'PARTIAL'; readonly readings: readonly StockReading[]; readonly failure: Error }
  | { readonly kind: 'NOT_CARRIED' };

/** By system: every system that knows stock has an entry. */
export type ItemStockBySystem = ReadonlyMap<string, SystemStock>;

export interface StockReaderOptions {
  readonly clock: Clock;
  readonly systems: readonly StockSystem[];
  readonly crosswalk: Pick<Crosswalk, 'referencesOf'>;
  readonly freshness: FeedFreshness;
  readonly snapshots: Pick<StockSnapshots, 'find'>;
  readonly writeBehind: Pick<WriteBehind, 'note'>;
  /** The most a realtime read may take before the snapshot answers, in milliseconds. @default 1500 */
  readonly maxReadMs?: number | undefined;
}

/**
 * Stock of items in all systems, in order; never rejects for a failed system. Cost: one directory read, then one batch
 * read a system for all items, in parallel; one more local read for what failed.
 */
export type StockReader = (skus: readonly string[], scope: CallScope) => Promise<readonly ItemStockBySystem[]>;

export function createStockReader(options: StockReaderOptions): StockReader {
  const systems = options.systems.filter(({ stock, stockFeed }) => stock !== undefined || stockFeed !== undefined);
  return async (skus, scope) => {
    const references = await options.crosswalk.referencesOf(skus);
    const perSystem = await Promise.all(
      systems.map(async (system) => {
        const names = skus.map((sku, at) => nameOf(system, sku, references[at] ?? []));
        return readSystem({ ...options, system, skus, names, scope });
      }),
    );
    return skus.map((_, at) => new Map(systems.map(({ system }, s) => [system, perSystem[s]![at]!])));
  };
}

/** The item's name in a system: its primary reference; a system without items of its own speaks the retailer's codes. */
function nameOf(system: StockSystem, sku: string, references: readonly ItemReference[]): ItemName | null {
  const own = references.find((reference) => reference.system === system.system);
  if (own !== undefined) return { itemKey: own.externalId, code: own.code ?? sku };
  return system.itemFeed === undefined ? { itemKey: sku, code: sku } : null;
}

interface SystemRead extends StockReaderOptions {
  readonly system: StockSystem;
  readonly skus: readonly string[];
  readonly names: readonly (ItemName | null)[];
  readonly scope: CallScope;
}

interface Asked {
  readonly sku: string;
  readonly name: ItemName;
}

async function readSystem(read: SystemRead): Promise<readonly SystemStock[]> {
  const { system, skus, names } = read;
  const asked = names.flatMap((name, at) => (name === null ? [] : [{ sku: skus[at]!, name }]));
  const [answers, unknown] = await Promise.all([
    asked.length === 0 ? [] : readAsked(read, system.stock, asked),
    names.includes(null) ? unknownItem(read) : null,
  ]);
  let next = 0;
  return names.map((name) => (name === null ? unknown! : answers[next++]!));
}

async function readAsked(read: SystemRead, stock: StockSource | undefined, asked: readonly Asked[]) {
  return stock === undefined ? readFeed(read, asked) : readLive(read, stock, asked);
}

/** An item the crosswalk has no name for: not carried, unless the system's items are still being loaded. */
async function unknownItem({ system, freshness }: SystemRead): Promise<SystemStock> {
  const { itemFeed } = system;
  const feed = itemFeed === undefined ? null : await settled(freshness.stateOf(system.system, itemFeed.feed));
  if (feed?.loaded === true) return { kind: 'NOT_CARRIED' };
  return { kind: 'PARTIAL', readings: [], failure: unavailable(system) };
}

async function readLive(
  read: SystemRead,
  stock: StockSource,
  asked: readonly Asked[],
): Promise<readonly SystemStock[]> {
  const { clock, system, scope, maxReadMs = 1_500, writeBehind } = read;
  const slots = await readSlots(asked, () =>
    readWithin({ scope, clock, maxMs: maxReadMs, system: system.system }, (inner) =>
      stock.stockByItem(
        asked.map(({ sku, name }) => ({ sku: toSku(sku), externalId: name.itemKey })),
        inner,
      ),
    ),
  );
  const observedAtMs = clock.nowMs();
  const observedAt = new Date(observedAtMs).toISOString();
  const failed = asked.filter((_, at) => slots[at] instanceof Error);
  const lastSeen = new Map((await findSnapshots(read, failed)).map((readings, at) => [failed[at]!, readings]));
  return asked.map((one, at): SystemStock => {
    const slot = slots[at] ?? null;
    if (slot instanceof Error) return { kind: 'PARTIAL', readings: lastSeen.get(one) ?? [], failure: slot };
    // Null: the system has no such item, so none of it is anywhere.
    const readings = slot ?? [];
    writeBehind.note({ system: system.system, sku: toSku(one.sku), itemKey: one.name.itemKey, readings, observedAtMs });
    return slot === null ? { kind: 'NOT_CARRIED' } : { kind: 'COMPLETE', readings, observedAt };
  });
}

async function readSlots(
  asked: readonly Asked[],
  call: () => Promise<readonly Slot<readonly StockReading[]>[]>,
): Promise<readonly Slot<readonly StockReading[]>[]> {
  try {
    return await call();
  } catch (error) {
    const failure = error instanceof Error ? error : new MortarError('UPSTREAM_UNAVAILABLE');
    return asked.map(() => failure);
  }
}

/** Last-seen figures that stand in for a failed read: stale and degraded, whatever their age. */
async function findSnapshots({ snapshots, system, clock }: SystemRead, asked: readonly Asked[]) {
  if (asked.length === 0) return [];
  const found = await settled(
    snapshots.find(
      system.system,
      asked.map(({ name }) => name),
    ),
  );
  const age = { nowMs: clock.nowMs(), feed: null, fallback: true };
  return asked.map((_, at) =>
    (found?.[at] ?? []).map((reading) => ({ ...reading, provenance: snapshotProvenance(reading.provenance, age) })),
  );
}

async function readFeed(read: SystemRead, asked: readonly Asked[]): Promise<readonly SystemStock[]> {
  const { system, snapshots, freshness, clock } = read;
  const names = asked.map(({ name }) => name);
  const [found, feed] = await Promise.all([
    settled(snapshots.find(system.system, names)),
    settled(freshness.stateOf(system.system, system.stockFeed?.feed ?? '')),
  ]);
  const age = { nowMs: clock.nowMs(), feed, fallback: false };
  return asked.map((_, at): SystemStock => {
    const readings = (found?.[at] ?? []).map((reading) => ({
      ...reading,
      provenance: snapshotProvenance(reading.provenance, age),
    }));
    return feed?.loaded === true && found !== null
      ? { kind: 'COMPLETE', readings, observedAt: new Date(feed.updatedAtMs).toISOString() }
      : { kind: 'PARTIAL', readings, failure: unavailable(system) };
  });
}

const unavailable = ({ system }: StockSystem): MortarError => new MortarError('UPSTREAM_UNAVAILABLE', { system });

/** The value; null when the local read failed: the answer then says what it does not know. */
async function settled<V>(promise: Promise<V>): Promise<V | null> {
  try {
    return await promise;
  } catch {
    return null;
  }
}
