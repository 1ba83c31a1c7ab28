import { type Transaction, sql } from 'kysely';

import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { commitFeedCursor, cursorOf, readFeedCursor } from '#platform/feed-cursors.ts';
import type { ItemRecord } from '#schema/model/records.ts';
import type { Change, FeedSink } from '#schema/model/sources.ts';
import { identifyItem, normalizeGtin, toCodeKey } from './crosswalk-rules.ts';
import { newestChanges } from './item-versions.ts';
import type { CatalogTables } from './migrations.ts';
import { type Affected, emptyAffected, rematch } from './rematch.ts';
import { inBatches } from '#platform/batches.ts';

export interface ItemFeedOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** The system whose items are the products (the ERP). */
  readonly canonicalSystem: string;
  /** Texts a system puts before the retailer's codes, by system. @default none */
  readonly codePrefixes?: Readonly<Record<string, readonly string[]>>;
}

type Trx = Transaction<CatalogTables>;

// The Sku scalar of schema/shared.graphql: an item whose code cannot be written there cannot be a product.
const SKU = /^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/;
const LOCK_KEY = 7_163_551_301;

/**
 * Where item feeds of all systems go: the canonical system's items become products, the others' become item references
 * or unmatched items. The result does not depend on the order in which systems and pages arrive.
 */
export function createItemFeedSink({
  database,
  clock,
  canonicalSystem,
  codePrefixes = {},
}: ItemFeedOptions): FeedSink<ItemRecord> {
  const db = database.as<CatalogTables>();
  return {
    readCursor: (feed) => readFeedCursor(database, feed),
    writePage: (feed, page) =>
      db.write.transaction().execute(async (trx) => {
        // Two systems' pages that do not see each other's rows would leave an item unmatched for good.
        if (db.dialect === 'postgres') await sql`select pg_advisory_xact_lock(${LOCK_KEY})`.execute(trx);
        const atMs = clock.nowMs();
        const own = page.changes.filter((change) => systemOf(change) === feed.system);
        const changes = await newestChanges(trx, { system: feed.system, changes: own, atMs });
        const affected = emptyAffected();
        if (feed.system === canonicalSystem) await writeProducts(trx, { changes, atMs, affected });
        else {
          const prefixes = codePrefixes[feed.system] ?? [];
          await writeItems(trx, { changes, atMs, affected, system: feed.system, prefixes });
        }
        await rematch(trx, { affected, canonicalSystem, codePrefixes });
        await commitFeedCursor(trx, cursorOf(feed, page, clock));
      }),
  };
}

interface Page {
  readonly changes: readonly Change<ItemRecord>[];
  readonly atMs: number;
  /** Filled here: what to match again. */
  readonly affected: Affected;
}

async function writeProducts(trx: Trx, { changes, atMs, affected }: Page): Promise<void> {
  if (changes.length === 0) return;
  const ids = changes.map(idOf);
  const system = systemOf(changes[0]!);
  const before = await inBatches(ids, (chunk) =>
    trx
      .selectFrom('item_reference')
      .select(['sku', 'gtin'])
      .where('system', '=', system)
      .where('external_id', 'in', chunk)
      .execute(),
  );
  for (const row of before) noteAffected(affected, row.sku, row.gtin);
  const oldSkus = before.flatMap(({ sku }) => (sku === null ? [] : [sku]));
  await inBatches(oldSkus, (chunk) => trx.deleteFrom('product').where('sku', 'in', chunk).execute());
  await inBatches(ids, (chunk) =>
    trx.deleteFrom('item_reference').where('system', '=', system).where('external_id', 'in', chunk).execute(),
  );
  const items = changes.flatMap((change) => (change.kind === 'upsert' ? [change.value] : []));
  for (const item of items) noteAffected(affected, item.code, normalizeGtin(item.gtin));
  await inBatches(items, (chunk) =>
    trx
      .insertInto('item_reference')
      .values(chunk.map((item) => canonicalReference(item, atMs)))
      .execute(),
  );
  // Two records with one code: the later wins, as in the source.
  const products = new Map(items.filter(isProduct).map((item) => [item.code, toProductRow(item, atMs)]));
  await inBatches([...products.values()], (chunk) =>
    trx
      .insertInto('product')
      .values(chunk)
      .onConflict((conflict) =>
        conflict.column('sku').doUpdateSet((eb) => ({
          gtin: eb.ref('excluded.gtin'),
          category: eb.ref('excluded.category'),
          search_text: eb.ref('excluded.search_text'),
          record: eb.ref('excluded.record'),
          updated_at_ms: eb.ref('excluded.updated_at_ms'),
        })),
      )
      .execute(),
  );
}

async function writeItems(
  trx: Trx,
  page: Page & { readonly system: string; readonly prefixes: readonly string[] },
): Promise<void> {
  const { changes, atMs, affected, system, prefixes } = page;
  const ids = changes.map(idOf);
  for (const table of ['item_reference', 'item_key'] as const) {
    await inBatches(ids, (chunk) =>
      trx.deleteFrom(table).where('system', '=', system).where('external_id', 'in', chunk).execute(),
    );
  }
  const items = changes.flatMap((change) => (change.kind === 'upsert' ? [change.value] : []));
  const rows = items.map((item) => ({
    ...referenceRow(item, atMs),
    sku: null,
    reason: 'UNKNOWN_CODE',
  }));
  const keys = items.flatMap((item) =>
    identifyItem(item.code, item.gtin, prefixes).keys.map((code_key) => ({
      system,
      external_id: item.externalId,
      code_key,
    })),
  );
  await inBatches(rows, (chunk) => trx.insertInto('item_reference').values(chunk).execute());
  await inBatches(keys, (chunk) => trx.insertInto('item_key').values(chunk).execute());
  for (const item of items) affected.items.push({ system, externalId: item.externalId });
}

const isProduct = (item: ItemRecord): item is ItemRecord & { readonly code: string } => SKU.test(item.code ?? '');

function referenceRow(item: ItemRecord, atMs: number) {
  return {
    system: item.system,
    external_id: item.externalId,
    kind: item.kind,
    code: item.code,
    gtin: normalizeGtin(item.gtin),
    currency: item.price?.currency ?? null,
    record: JSON.stringify(item),
    seen_at_ms: atMs,
  };
}

function canonicalReference(item: ItemRecord, atMs: number) {
  const sku = isProduct(item) ? item.code : null;
  return { ...referenceRow(item, atMs), sku, reason: sku === null ? 'NO_CODE' : null };
}

function toProductRow(item: ItemRecord & { readonly code: string }, atMs: number) {
  return {
    sku: item.code,
    sku_key: toCodeKey(item.code),
    gtin: normalizeGtin(item.gtin),
    category: item.category,
    search_text: `${item.title ?? ''} ${item.code}`.toLowerCase(),
    record: JSON.stringify(item),
    updated_at_ms: atMs,
  };
}

function noteAffected(affected: Affected, sku: string | null, gtin: string | null): void {
  if (sku !== null) affected.codeKeys.add(toCodeKey(sku));
  if (gtin !== null) affected.gtins.add(gtin);
}

const systemOf = (change: Change<ItemRecord>): string =>
  change.kind === 'upsert' ? change.value.system : change.system;
const idOf = (change: Change<ItemRecord>): string =>
  change.kind === 'upsert' ? change.value.externalId : change.externalId;
