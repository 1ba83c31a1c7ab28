import { z } from 'zod';
import { indexOf, systemKey } from '#sandbox/world/index-of.ts';
import type { World, WorldOrder, WorldOrderStage } from '#sandbox/world/types.ts';
import { decodeCursor, encodeCursor, pageAfter, sortKeyed } from './keyset.ts';
import type { Keyed } from './keyset.ts';
import { connectRefusal, providerCall, readConnectBody } from './wms-wire.ts';
import type { WmsCall } from './wms-connect.ts';
import { momentOf } from './world-views.ts';

const PAGE = 100;

const oneBody = providerCall.extend({ fulfillment_provider_order_id: z.string().min(1).max(100) });
const changesBody = providerCall.extend({
  since: z.iso.datetime({ offset: true }),
  next_request: z.union([z.string().max(500), z.record(z.string(), z.unknown())]).optional(),
});

type Status = 'Processing' | 'Cancelled' | 'Rejected' | 'Shipped';

/** The contract's four statuses; the WMS's own word goes into `reason`. */
const STATUS: Partial<Record<WorldOrderStage, readonly [Status, reason: string]>> = {
  released: ['Processing', 'released'],
  picking: ['Processing', 'picking'],
  packed: ['Processing', 'packed'],
  shipped: ['Shipped', 'in transit'],
  delivered: ['Shipped', 'delivered'],
  returnRequested: ['Shipped', 'delivered'],
  refunded: ['Shipped', 'delivered'],
  canceled: ['Cancelled', 'canceled by the customer'],
};

/** The fulfillments of one order. */
export async function getFulfillments({ request, world }: WmsCall): Promise<Response> {
  const { fulfillment_provider_order_id: id } = await readConnectBody(request, oneBody);
  const order = indexOf(world).orderBySystemId.get(systemKey('wms', id));
  if (order === undefined) {
    const errors = [{ code: 'fulfillments_not_found', message: 'No such order.' }];
    return Response.json({ fulfillment_provider_order_id: id, errors });
  }
  return Response.json(toFulfillments(world, order));
}

/** Orders changed since an instant, oldest change first, 100 a page; `next_request` continues. */
export async function getRecentChanges({ request, world }: WmsCall): Promise<Response> {
  const { since, next_request: token } = await readConnectBody(request, changesBody);
  const start = token === undefined ? null : decodeCursor(typeof token === 'string' ? token : '', since);
  if (token !== undefined && start === null)
    throw connectRefusal(400, 'validation', 'next_request: is not one of ours');
  const after = start ?? { at: Date.parse(since), id: '' };
  const { values, next } = pageAfter(ordersByChange(world), after, PAGE);
  return Response.json({
    changes: values.map((order) => toFulfillments(world, order)),
    ...(next === null ? {} : { next_request: encodeCursor(next, since) }),
  });
}

function ordersByChange(world: World): readonly Keyed<WorldOrder>[] {
  return momentOf(world, 'wms.orders', () =>
    sortKeyed(
      world.orders.flatMap((order) =>
        order.ids.wms === undefined ? [] : [{ at: Date.parse(order.updatedAt), id: order.ids.wms, value: order }],
      ),
    ),
  );
}

function toFulfillments(world: World, order: WorldOrder): object {
  const [status, reason] = STATUS[order.stage] ?? ['Processing', 'received'];
  const lineItems = order.lines.map(({ sku, quantity }, index) => ({ line_item_id: String(index + 1), sku, quantity }));
  const packed = order.stage === 'packed' || status === 'Shipped';
  return {
    fulfillment_provider_order_id: order.ids.wms,
    status,
    fulfillments: [{ status, reason, line_items: lineItems }],
    ...(packed ? { shipments: [toShipment(world, order)] } : {}),
  };
}

function toShipment(world: World, order: WorldOrder): object {
  const index = indexOf(world);
  const place = index.placeByCode.get(order.place ?? '');
  return {
    notification_id: `N-${order.orderNumber}`,
    order_id: order.orderNumber,
    order_number: order.orderNumber,
    carrier_code: 'royal_mail',
    ext_location_id: place?.ids.wms,
    ship_date: order.updatedAt,
    tracking_number: `RM${order.orderNumber.replaceAll(/\D/g, '')}GB`,
    ship_to: shipTo(world, order),
    items: order.lines.map(({ sku, quantity }, line) => ({
      line_item_id: String(line + 1),
      sku,
      quantity,
      description: index.productBySku.get(sku)?.title ?? sku,
    })),
  };
}

function shipTo(world: World, order: WorldOrder): object {
  const profile = indexOf(world).profileBySystemId.get(systemKey('crm', order.profileIds.crm ?? ''));
  const person = order.guest ?? profile;
  if (person === undefined || person === null) return {};
  return {
    name: `${person.givenName} ${person.familyName}`,
    ...(person.phone === null ? {} : { phone: person.phone }),
    ...(person.address === null
      ? {}
      : {
          address_line_1: person.address.street,
          city: person.address.city,
          postal_code: person.address.postalCode,
          country_code: person.address.country,
        }),
  };
}
