import type { Transaction } from 'kysely';

import { inBatches } from '#platform/batches.ts';
import type { ItemRecord } from '#schema/model/records.ts';
import { isOlder, isSameVersion, type RecordVersion, versionOf } from '#schema/model/record-version.ts';
import type { Change } from '#schema/model/sources.ts';
import type { CatalogTables } from './migrations.ts';

type Trx = Transaction<CatalogTables>;

/** Copies of deleted items that arrive later than this come from a feed read from the start, which names no deleted item. */
const TOMBSTONE_MS = 30 * 86_400_000;

/**
 * What of a page is news: of each item the newest version, unless the stored one is newer or a later one was deleted.
 * Feeds deliver at least once and in any order; the source's own sequence decides. Cost: two reads a batch of ids.
 */
export async function newestChanges(
  trx: Trx,
  page: { readonly system: string; readonly changes: readonly Change<ItemRecord>[]; readonly atMs: number },
): Promise<readonly Change<ItemRecord>[]> {
  const newest = newestPerItem(page.changes);
  const ids = [...newest.keys()];
  const [stored, deleted] = [await storedVersions(trx, page.system, ids), await tombstones(trx, page.system, ids)];
  const isNews = (change: Change<ItemRecord>): boolean => {
    if (change.kind === 'delete') return true;
    const version = versionOf(change.value);
    const [known, gone] = [stored.get(change.value.externalId), deleted.get(change.value.externalId)];
    if (known !== undefined && isOlder(version, known)) return false;
    return gone === undefined || !(isOlder(version, gone) || isSameVersion(version, gone));
  };
  const news = [...newest.values()].filter(isNews);
  await bury(trx, { ...page, news, stored });
  return news;
}

/** Of several versions of one item the newest; a delete carries none, so it counts from where it stands. */
function newestPerItem(changes: readonly Change<ItemRecord>[]): ReadonlyMap<string, Change<ItemRecord>> {
  const newest = new Map<string, Change<ItemRecord>>();
  for (const change of changes) {
    const id = change.kind === 'upsert' ? change.value.externalId : change.externalId;
    const known = newest.get(id);
    const isLate =
      change.kind === 'upsert' && known?.kind === 'upsert' && isOlder(versionOf(change.value), versionOf(known.value));
    if (!isLate) newest.set(id, change);
  }
  return newest;
}

async function storedVersions(
  trx: Trx,
  system: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RecordVersion>> {
  const rows = await inBatches(ids, (batch) =>
    trx
      .selectFrom('item_reference')
      .select(['external_id', 'record'])
      .where('system', '=', system)
      .where('external_id', 'in', batch)
      .execute(),
  );
  // The record is our own JSON of an ItemRecord, written by the item feed.
  return new Map(rows.map((row) => [row.external_id, versionOf(JSON.parse(row.record) as ItemRecord)]));
}

async function tombstones(
  trx: Trx,
  system: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RecordVersion>> {
  const rows = await inBatches(ids, (batch) =>
    trx
      .selectFrom('item_tombstone')
      .selectAll()
      .where('system', '=', system)
      .where('external_id', 'in', batch)
      .execute(),
  );
  return new Map(rows.map((row) => [row.external_id, row]));
}

interface Burial {
  readonly system: string;
  readonly atMs: number;
  readonly news: readonly Change<ItemRecord>[];
  readonly stored: ReadonlyMap<string, RecordVersion>;
}

/** Remembers what is deleted now, forgets what came back and what is too old to come. */
async function bury(trx: Trx, { system, atMs, news, stored }: Burial): Promise<void> {
  const back = news.flatMap((change) => (change.kind === 'upsert' ? [change.value.externalId] : []));
  await inBatches(back, (batch) =>
    trx.deleteFrom('item_tombstone').where('system', '=', system).where('external_id', 'in', batch).execute(),
  );
  const graves = news.flatMap((change) => {
    const version = change.kind === 'delete' ? stored.get(change.externalId) : undefined;
    if (change.kind !== 'delete' || version === undefined) return [];
    return [{ system, external_id: change.externalId, ...version, deleted_at_ms: atMs }];
  });
  if (graves.length === 0) return;
  await inBatches(graves, (batch) =>
    trx
      .insertInto('item_tombstone')
      .values(batch)
      .onConflict((conflict) =>
        conflict.columns(['system', 'external_id']).doUpdateSet((eb) => ({
          as_of: eb.ref('excluded.as_of'),
          sequence: eb.ref('excluded.sequence'),
          deleted_at_ms: eb.ref('excluded.deleted_at_ms'),
        })),
      )
      .execute(),
  );
  await trx
    .deleteFrom('item_tombstone')
    .where('deleted_at_ms', '<', atMs - TOMBSTONE_MS)
    .execute();
}
