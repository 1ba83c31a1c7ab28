import type { Transaction } from 'kysely';

import { type OrderPolicy, mergeFacets } from './order-merge.ts';
import type { OrderReferenceTable, OrderTables } from './tables.ts';
import { batchesOf, inBatches } from '#platform/batches.ts';
import { keyOf, mintId } from '#domain/identity/subjects.ts';
import { isOlder, isSameVersion } from '#schema/model/record-version.ts';
import { type ExternalRef, toSystemId } from '#schema/model/ids.ts';

/** A facet ready to be written; its order is found or minted here. */
export type FacetRow = Omit<OrderReferenceTable, 'order_id'>;

export interface WrittenFacet {
  readonly row: OrderReferenceTable;
  /** The order the facet belonged to before; null: it is new. */
  readonly previousOrderId: string | null;
}

/** Writes facets that are not older than the stored ones, each under the order its number names, and answers those. */
export async function writeFacets(
  trx: Transaction<OrderTables>,
  facets: readonly FacetRow[],
): Promise<readonly WrittenFacet[]> {
  const stored = await readFacets(trx, facets.map(refOf));
  const current = facets.filter((facet) => {
    const known = stored.get(keyOf(refOf(facet)));
    if (known === undefined) return true;
    return !isOlder(facet, known) && !(known.deleted_at !== null && isSameVersion(facet, known));
  });
  const orders = await readNumbers(
    trx,
    current.flatMap((facet) => facet.order_number ?? []),
  );
  const written = current.map((facet) => {
    const known = stored.get(keyOf(refOf(facet)));
    const orderId = orderOf(facet, { known, orders });
    if (facet.order_number !== null) orders.set(facet.order_number, orderId);
    return { row: { ...facet, order_id: orderId }, previousOrderId: known?.order_id ?? null };
  });
  await upsertFacets(
    trx,
    written.map(({ row }) => row),
  );
  return written;
}

function orderOf(
  facet: FacetRow,
  { known, orders }: { readonly known: OrderReferenceTable | undefined; readonly orders: ReadonlyMap<string, string> },
): string {
  const numbered = facet.order_number === null ? undefined : orders.get(facet.order_number);
  if (numbered !== undefined) return numbered;
  // A facet keeps its order when it only learned its number; another number is another order.
  const keeps = known !== undefined && (known.order_number === null || known.order_number === facet.order_number);
  return keeps ? known.order_id : mintId('ord');
}

/** Marks facets as deleted and answers the orders they belonged to. */
export async function removeFacets(
  trx: Transaction<OrderTables>,
  change: { readonly refs: readonly ExternalRef[]; readonly at: string },
): Promise<readonly string[]> {
  const stored = [...(await readFacets(trx, change.refs)).values()].filter((row) => row.deleted_at === null);
  for (const row of stored) {
    await trx
      .updateTable('order_reference')
      .set({ deleted_at: change.at })
      .where('system', '=', row.system)
      .where('external_id', '=', row.external_id)
      .execute();
    await trx
      .deleteFrom('order_snapshot')
      .where('system', '=', row.system)
      .where('external_id', '=', row.external_id)
      .execute();
  }
  return stored.map((row) => row.order_id);
}

/** Computes orders anew from their facets: directory row and relation; an order without facets goes, its id stays as alias. */
export async function refreshOrders(
  trx: Transaction<OrderTables>,
  change: {
    readonly orderIds: readonly string[];
    /** Where facets of an order went. */
    readonly moves: ReadonlyMap<string, string>;
    readonly policy: OrderPolicy;
    readonly syncedAtMs: number;
  },
): Promise<void> {
  for (const batch of batchesOf([...new Set(change.orderIds)])) {
    const facets = await trx
      .selectFrom('order_reference')
      .selectAll()
      .where('order_id', 'in', batch)
      .where('deleted_at', 'is', null)
      .execute();
    const byOrder = Map.groupBy(facets, (facet) => facet.order_id);
    const merged = [...byOrder].map(([id, group]) => ({
      id,
      number: group.find((facet) => facet.order_number !== null)?.order_number ?? null,
      ...mergeFacets(group, change.policy),
    }));
    await trx.deleteFrom('order_relation').where('order_id', 'in', batch).execute();
    await dropOrders(trx, { ids: batch.filter((id) => !byOrder.has(id)), moves: change.moves });
    if (merged.length === 0) continue;
    await upsertDirectory(
      trx,
      merged.map(({ id, number, directory }) => ({ id, order_number: number, ...directory })),
    );
    await trx
      .insertInto('order_relation')
      .values(merged.map(({ id, relation }) => ({ order_id: id, ...relation, synced_at: change.syncedAtMs })))
      .execute();
  }
}

async function dropOrders(
  trx: Transaction<OrderTables>,
  { ids, moves }: { readonly ids: readonly string[]; readonly moves: ReadonlyMap<string, string> },
): Promise<void> {
  if (ids.length === 0) return;
  await trx.deleteFrom('order_directory').where('id', 'in', ids).execute();
  const aliases = ids.flatMap((alias) => {
    const orderId = moves.get(alias);
    return orderId === undefined ? [] : [{ alias, order_id: orderId }];
  });
  if (aliases.length === 0) return;
  // Aliases that led to a dropped order follow it.
  for (const { alias, order_id } of aliases) {
    await trx.updateTable('order_alias').set({ order_id }).where('order_id', '=', alias).execute();
  }
  await trx
    .insertInto('order_alias')
    .values(aliases)
    .onConflict((conflict) => conflict.column('alias').doUpdateSet((eb) => ({ order_id: eb.ref('excluded.order_id') })))
    .execute();
}

async function upsertDirectory(
  trx: Transaction<OrderTables>,
  rows: readonly OrderTables['order_directory'][],
): Promise<void> {
  await trx
    .insertInto('order_directory')
    .values([...rows])
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((eb) => ({
        order_number: eb.ref('excluded.order_number'),
        state: eb.ref('excluded.state'),
        channel: eb.ref('excluded.channel'),
        placed_at: eb.ref('excluded.placed_at'),
        subject_id: eb.ref('excluded.subject_id'),
        location_id: eb.ref('excluded.location_id'),
        updated_at: eb.ref('excluded.updated_at'),
      })),
    )
    .execute();
}

const REWRITTEN = [
  'order_id',
  'order_number',
  'connector',
  'state',
  'vendor_state',
  'channel',
  'placed_at',
  'location_id',
  'subject_id',
  'buyer_kind',
  'updated_at',
  'sequence',
  'as_of',
  'observed_at',
  'deleted_at',
] as const satisfies readonly (keyof OrderReferenceTable)[];

async function upsertFacets(trx: Transaction<OrderTables>, rows: readonly OrderReferenceTable[]): Promise<void> {
  for (const batch of batchesOf(rows)) {
    await trx
      .insertInto('order_reference')
      .values([...batch])
      .onConflict((conflict) =>
        conflict
          .columns(['system', 'external_id'])
          .doUpdateSet((eb) => Object.fromEntries(REWRITTEN.map((column) => [column, eb.ref(`excluded.${column}`)]))),
      )
      .execute();
  }
}

/** Stored facets by reference. */
export async function readFacets(
  trx: Pick<Transaction<OrderTables>, 'selectFrom'>,
  refs: readonly ExternalRef[],
): Promise<ReadonlyMap<string, OrderReferenceTable>> {
  const facets = new Map<string, OrderReferenceTable>();
  for (const [system, group] of Map.groupBy(refs, (ref) => ref.system)) {
    const rows = await inBatches(group, async (batch) =>
      trx
        .selectFrom('order_reference')
        .selectAll()
        .where('system', '=', system)
        .where(
          'external_id',
          'in',
          batch.map((ref) => ref.externalId),
        )
        .execute(),
    );
    for (const row of rows) facets.set(keyOf(refOf(row)), row);
  }
  return facets;
}

/** Order ids by order number. */
async function readNumbers(trx: Transaction<OrderTables>, numbers: readonly string[]): Promise<Map<string, string>> {
  const rows = await inBatches([...new Set(numbers)], async (batch) =>
    trx.selectFrom('order_directory').select(['id', 'order_number']).where('order_number', 'in', batch).execute(),
  );
  return new Map(rows.map((row) => [row.order_number ?? '', row.id]));
}

export function refOf(row: Pick<OrderReferenceTable, 'system' | 'external_id'>): ExternalRef {
  return { system: toSystemId(row.system), externalId: row.external_id };
}
