import { type Kysely, sql, type Transaction } from 'kysely';

import { batchesOf } from '#platform/batches.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { commitFeedCursor, cursorOf, readFeedCursor } from '#platform/feed-cursors.ts';
import type { StockReading } from '#schema/model/records.ts';
import { isAheadOf } from '#schema/model/source-clock.ts';
import type { FeedSink } from '#schema/model/sources.ts';
import { quarantineReason } from './atp.ts';
import type { StockTables } from './migrations.ts';
import { parseStored, stockReadingSchema } from './stock-codec.ts';

/** All that a system just stated of one item. Places it did not name hold none of it. */
export interface ItemStock {
  readonly system: string;
  /** The system's own id of the item. */
  readonly itemKey: string;
  readonly readings: readonly StockReading[];
  /** Epoch milliseconds of the read. */
  readonly observedAtMs: number;
}

/** An item as one system may name it. */
export interface ItemName {
  readonly itemKey: string;
  readonly code: string;
}

/** Last-seen stock, by system and item. Rows only move forward: what is older than the stored figure is not written. */
export interface StockSnapshots {
  /** Readings of each item, in order, found by the system's id or by the code it carries. Cost: one read a 200 items. */
  readonly find: (system: string, items: readonly ItemName[]) => Promise<readonly (readonly StockReading[])[]>;
  /** Replaces what is known of these items, in one transaction. */
  readonly replaceItems: (items: readonly ItemStock[]) => Promise<void>;
  readonly sink: FeedSink<StockReading>;
}

const CHUNK = 200;
const SEPARATOR = '\u001F';

export function createStockSnapshots({
  database,
  clock,
}: {
  readonly database: Database;
  readonly clock: Clock;
}): StockSnapshots {
  const db = database.as<StockTables>();
  return {
    async find(system, items) {
      const rows: StoredReading[] = [];
      for (const chunk of batchesOf(items, CHUNK)) rows.push(...(await findChunk(db.read, system, chunk)));
      const byKey = Map.groupBy(rows, ({ itemKey }) => itemKey);
      const byCode = Map.groupBy(rows, ({ reading }) => reading.code);
      return items.map(({ itemKey, code }) => newestPerPlace(byKey.get(itemKey) ?? byCode.get(code) ?? []));
    },
    replaceItems: (items) =>
      db.write.transaction().execute(async (trx) => {
        for (const [system, all] of Map.groupBy(items, (item) => item.system)) {
          for (const chunk of batchesOf(all, CHUNK))
            await replaceChunk(trx, { system, items: chunk, nowMs: clock.nowMs() });
        }
      }),
    sink: {
      readCursor: (feed) => readFeedCursor(database, feed),
      writePage: (feed, page) =>
        db.write.transaction().execute(async (trx) => {
          for (const change of page.changes) {
            if (change.kind === 'upsert') continue;
            await trx
              .deleteFrom('stock_snapshot')
              .where('system', '=', feed.system)
              .where('item_key', '=', change.externalId)
              .execute();
          }
          const upserts = page.changes.flatMap((change) => (change.kind === 'upsert' ? [change.value] : []));
          await upsertForward(
            trx,
            upserts.map((reading) =>
              toRow(reading, { system: feed.system, itemKey: reading.externalId, nowMs: clock.nowMs() }),
            ),
          );
          await commitFeedCursor(trx, cursorOf(feed, page, clock));
        }),
    },
  };
}

interface StoredReading {
  readonly itemKey: string;
  readonly asOfMs: number;
  readonly reading: StockReading;
}

async function findChunk(db: Kysely<StockTables>, system: string, items: readonly ItemName[]) {
  const rows = await db
    .selectFrom('stock_snapshot')
    .select(['item_key', 'reading', 'as_of_ms'])
    .where('system', '=', system)
    .where((eb) =>
      eb.or([
        eb('item_key', 'in', [...new Set(items.map(({ itemKey }) => itemKey))]),
        eb('code', 'in', [...new Set(items.map(({ code }) => code))]),
      ]),
    )
    .execute();
  return rows.flatMap((row) => {
    const reading = parseStored(stockReadingSchema, row.reading);
    return reading === null ? [] : [{ itemKey: row.item_key, asOfMs: row.as_of_ms, reading }];
  });
}

interface Replacement {
  readonly system: string;
  readonly items: readonly ItemStock[];
  readonly nowMs: number;
}

async function replaceChunk(trx: Transaction<StockTables>, { system, items, nowMs }: Replacement): Promise<void> {
  const rows = items.flatMap(({ itemKey, readings }) =>
    readings.map((reading) => toRow(reading, { system, itemKey, nowMs })),
  );
  const before = Math.min(...items.map(({ observedAtMs }) => observedAtMs));
  const named = rows.map((row) => `${row.item_key}${SEPARATOR}${row.location_external_id}`);
  // Places the source no longer names hold nothing; unless a figure newer than this read says otherwise.
  let gone = trx
    .deleteFrom('stock_snapshot')
    .where('system', '=', system)
    .where(
      'item_key',
      'in',
      items.map(({ itemKey }) => itemKey),
    )
    .where((eb) => eb.or([eb('as_of_ms', '<', before), eb('dated', '=', 0)]));
  if (named.length > 0)
    gone = gone.where(sql<string>`item_key || ${SEPARATOR} || location_external_id`, 'not in', named);
  await gone.execute();
  await upsertForward(trx, rows);
}

async function upsertForward(trx: Transaction<StockTables>, rows: readonly StockTables['stock_snapshot'][]) {
  // Feeds deliver in any order: of two figures of one place in a page the newer counts, wherever it stands.
  // One without a date counts only where there is no other.
  const ordered = rows.toSorted((a, b) => a.dated - b.dated || a.as_of_ms - b.as_of_ms);
  const last = new Map(ordered.map((row) => [`${row.item_key}\n${row.location_external_id}`, row]));
  for (const chunk of batchesOf([...last.values()], CHUNK)) {
    await trx
      .insertInto('stock_snapshot')
      .values(chunk)
      .onConflict((conflict) =>
        conflict
          .columns(['system', 'item_key', 'location_external_id'])
          .doUpdateSet((eb) => ({
            code: eb.ref('excluded.code'),
            reading: eb.ref('excluded.reading'),
            as_of_ms: eb.ref('excluded.as_of_ms'),
            dated: eb.ref('excluded.dated'),
            quarantine: eb.ref('excluded.quarantine'),
          }))
          .where((eb) =>
            eb.or([
              eb('excluded.as_of_ms', '>=', eb.ref('stock_snapshot.as_of_ms')),
              eb('stock_snapshot.dated', '=', 0),
            ]),
          ),
      )
      .execute();
  }
}

interface RowKey {
  readonly system: string;
  readonly itemKey: string;
  readonly nowMs: number;
}

/** A reading dated ahead of our clock would never be replaced: it is stored without a date, as stale. */
function toRow(stated: StockReading, { system, itemKey, nowMs }: RowKey): StockTables['stock_snapshot'] {
  const reading = isAheadOf(nowMs, stated.provenance.asOf)
    ? { ...stated, provenance: { ...stated.provenance, asOf: null, stale: true } }
    : stated;
  return {
    system,
    item_key: itemKey,
    location_external_id: reading.locationExternalId,
    code: reading.code,
    reading: JSON.stringify(reading),
    as_of_ms: Date.parse(reading.provenance.asOf ?? reading.provenance.observedAt),
    dated: reading.provenance.asOf === null ? 0 : 1,
    quarantine: reading.onHand === null ? null : quarantineReason({ ...reading, onHand: reading.onHand }),
  };
}

/** Two rows for one place can only be two ids of one code: the newer statement counts, they are never added. */
function newestPerPlace(rows: readonly StoredReading[]): readonly StockReading[] {
  const ordered = rows.toSorted((a, b) => a.asOfMs - b.asOfMs);
  return [...new Map(ordered.map(({ reading }) => [reading.locationExternalId, reading])).values()];
}

/** The places every system was last seen to state stock for, by its own ids. @param limit at most so many rows in all */
export async function seenStockPlaces(
  database: Database,
  limit: number,
): Promise<readonly { readonly system: string; readonly place: string }[]> {
  const rows = await database
    .as<StockTables>()
    .read.selectFrom('stock_snapshot')
    .select(['system', 'location_external_id'])
    .distinct()
    .limit(limit)
    .execute();
  return rows.map((row) => ({ system: row.system, place: row.location_external_id }));
}
