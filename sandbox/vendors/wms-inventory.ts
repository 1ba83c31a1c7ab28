import { z } from 'zod';
import { indexOf } from '#sandbox/world/index-of.ts';
import type { World, WorldStock } from '#sandbox/world/types.ts';
import { decodeCursor, encodeCursor, pageAfter, sortKeyed } from './keyset.ts';
import type { Keyed } from './keyset.ts';
import { connectRefusal, orderSourceCall, readConnectBody } from './wms-wire.ts';
import type { WmsCall } from './wms-connect.ts';
import { momentOf } from './world-views.ts';

const PAGE = 200;

const fetchBody = orderSourceCall.extend({
  cursor: z.string().max(500).optional(),
  criteria: z
    .object({
      skus: z.array(z.string().max(80)).max(1_000).optional(),
      from_date_time: z.iso.datetime({ offset: true }).optional(),
    })
    .optional(),
});

/** Stock per item and warehouse: what lies there, what pending orders need, what is left. 200 rows a page. */
export async function inventoryFetch({ request, world, nowMs }: WmsCall): Promise<Response> {
  const { cursor, criteria } = await readConnectBody(request, fetchBody);
  const start = cursor === undefined ? null : decodeCursor(cursor, criteria ?? null);
  if (cursor !== undefined && start === null) throw connectRefusal(400, 'validation', 'cursor: is not one of ours');
  const { values, next } = pageAfter(rowsFor(world, criteria ?? {}), start, PAGE);
  const fetchedAt = new Date(nowMs).toISOString();
  return Response.json({
    ...(next === null ? {} : { cursor: encodeCursor(next, criteria ?? null) }),
    items: values.map((row) => toItem(world, row, fetchedAt)),
  });
}

function rowsFor(
  world: World,
  criteria: { readonly skus?: readonly string[] | undefined; readonly from_date_time?: string | undefined },
): readonly Keyed<WorldStock>[] {
  const since = criteria.from_date_time === undefined ? null : Date.parse(criteria.from_date_time);
  const rows = criteria.skus === undefined ? allRows(world) : skuRows(world, criteria.skus);
  return since === null ? rows : rows.filter(({ value }) => Date.parse(value.changedAt) >= since);
}

function allRows(world: World): readonly Keyed<WorldStock>[] {
  return momentOf(world, 'wms.stock', () => sortKeyed([...world.stock.values()].flatMap((row) => keyed(world, row))));
}

function skuRows(world: World, skus: readonly string[]): readonly Keyed<WorldStock>[] {
  const { stockOf } = indexOf(world);
  return sortKeyed([...new Set(skus)].flatMap((sku) => stockOf(sku).flatMap((row) => keyed(world, row))));
}

/** Only the places the WMS runs. */
function keyed(world: World, row: WorldStock): readonly Keyed<WorldStock>[] {
  const managed = indexOf(world).placeByCode.get(row.place)?.ids.wms !== undefined;
  return managed ? [{ at: 0, id: `${row.sku}@${row.place}`, value: row }] : [];
}

/** A row as `inventory_fetch` tells it. */
export function toItem(world: World, row: WorldStock, fetchedAt: string): object {
  return {
    integration_entity_id: `${row.sku}@${row.place}`,
    sku: row.sku,
    available_quantity: row.onHand - row.committed,
    allocated_quantity: row.committed,
    committed_quantity: row.committed,
    onhand_quantity: row.onHand,
    fetched_at: fetchedAt,
    updated_at: row.changedAt,
    warehouse_id: indexOf(world).placeByCode.get(row.place)?.ids.wms,
  };
}
