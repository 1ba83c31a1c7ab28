import { z } from 'zod';
import { announce } from '#sandbox/world/announcements.ts';
import { indexOf, systemKey } from '#sandbox/world/index-of.ts';
import { moveOrder } from '#sandbox/world/move-order.ts';
import type { WmsCall } from './wms-connect.ts';
import { toItem } from './wms-inventory.ts';
import { connectRefusal, orderSourceCall, providerCall, readConnectBody } from './wms-wire.ts';

const pushBody = orderSourceCall.extend({
  items: z
    .array(
      z.looseObject({
        integration_entity_id: z.string().max(200),
        sku: z.string().max(80),
        available_quantity: z.int().min(0),
        warehouse_id: z.string().max(80).optional(),
      }),
    )
    .min(1)
    .max(100),
});

/** Figures are set, each row by its id; a row the WMS does not keep is an error of its own. */
export async function inventoryPush({ request, world, nowMs }: WmsCall): Promise<Response> {
  const { items } = await readConnectBody(request, pushBody);
  const at = new Date(nowMs).toISOString();
  const errors: object[] = [];
  const rows = items.flatMap((item) => {
    const row = world.stock.get(item.integration_entity_id);
    const place = row && indexOf(world).placeByCode.get(row.place)?.ids.wms;
    if (row === undefined || place === undefined || row.sku !== item.sku || place !== item.warehouse_id) {
      const { integration_entity_id: id, sku } = item;
      errors.push({ integration_inventory_item_id: id, sku, message: 'No such item.', category: 'not_found' });
      return [];
    }
    return [{ row, units: item.available_quantity }];
  });
  for (const { row, units } of rows) {
    Object.assign(row, { onHand: units + row.committed, changedAt: at });
    world.sequence += 1;
    announce(world, { kind: 'stock', stock: row });
  }
  return Response.json({
    items: rows.map(({ row }) => toItem(world, row, at)),
    ...(errors.length === 0 ? {} : { errors }),
  });
}

const cancelBody = providerCall.extend({
  fulfillment_provider_order_id: z.string().min(1).max(100),
  reason: z.string().max(500),
});
const TOO_LATE = new Set(['shipped', 'delivered', 'returnRequested', 'refunded', 'collected']);

/** Called off as long as nothing left the house; a second time says nothing new. */
export async function cancelFulfillment({ request, world, nowMs }: WmsCall): Promise<Response> {
  const { fulfillment_provider_order_id: id } = await readConnectBody(request, cancelBody);
  const order = indexOf(world).orderBySystemId.get(systemKey('wms', id));
  if (order === undefined) throw connectRefusal(400, 'validation', 'fulfillment_provider_order_id: no such order');
  if (TOO_LATE.has(order.stage)) throw connectRefusal(400, 'validation', 'The order has left the house.');
  if (order.stage !== 'canceled') {
    world.sequence += 1;
    moveOrder(world, order, { stage: 'canceled', at: new Date(nowMs).toISOString() });
    announce(world, { kind: 'order', order, isNew: false });
  }
  return Response.json({});
}
