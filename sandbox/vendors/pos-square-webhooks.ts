import { createHmac, randomUUID } from 'node:crypto';
import type { WorldChange } from '#sandbox/world/announcements.ts';
import type { WebhookContext, WebhookMessage, World } from '#sandbox/world/types.ts';
import { countsAt } from './pos-square-inventory.ts';
import { squareOrderState } from './pos-square-order.ts';
import { structureOf } from './world-views.ts';

/** Of the sandbox's one subscription. */
export const SQUARE_SIGNATURE_KEY = 'sandbox-square-signature-key';
const MERCHANT = 'MORTARSANDBOX';

/**
 * Square's events: a count or an order changed. Signed over the notification URL and the body.
 * Source: developer.squareup.com, webhooks/inventory.count.updated, webhooks/order.created, webhooks/order.updated
 */
export function squareWebhooks(change: WorldChange, { world, nowMs, base }: WebhookContext): readonly WebhookMessage[] {
  const event = base === null ? null : eventOf(change, world);
  if (event === null) return [];
  const url = `${base}/webhooks/pos`;
  const body = JSON.stringify({
    merchant_id: MERCHANT,
    type: event.type,
    event_id: randomUUID(),
    created_at: new Date(nowMs).toISOString(),
    data: event.data,
  });
  const signature = createHmac('sha256', SQUARE_SIGNATURE_KEY).update(url).update(body).digest('base64');
  const headers = { 'content-type': 'application/json', 'x-square-hmacsha256-signature': signature };
  return [{ url, headers, body }];
}

function eventOf(change: WorldChange, world: World): { readonly type: string; readonly data: object } | null {
  switch (change.kind) {
    case 'profile':
      return null;
    case 'stock': {
      const locationId = storeIds(world).get(change.stock.place);
      const variationId = variationIds(world).get(change.stock.sku);
      if (locationId === undefined || variationId === undefined) return null;
      const counts = countsAt(world, variationId, locationId);
      const data = { type: 'inventory_counts', id: randomUUID(), object: { inventory_counts: counts } };
      return { type: 'inventory.count.updated', data };
    }
    case 'order': {
      const { ids, place, stage, placedAt, updatedAt } = change.order;
      const locationId = storeIds(world).get(place ?? '');
      if (ids.pos === undefined || locationId === undefined) return null;
      const word = change.isNew ? 'order_created' : 'order_updated';
      const told = {
        order_id: ids.pos,
        location_id: locationId,
        state: squareOrderState(stage),
        version: Math.max(1, Math.floor(Date.parse(updatedAt) / 1000)),
        created_at: placedAt,
        ...(change.isNew ? {} : { updated_at: updatedAt }),
      };
      return { type: word.replace('_', '.'), data: { type: word, id: ids.pos, object: { [word]: told } } };
    }
  }
}

function storeIds(world: World): ReadonlyMap<string, string> {
  return structureOf(world, 'square.hookStores', () => {
    const stores = world.places.flatMap(({ code, ids }) => (ids.pos === undefined ? [] : [[code, ids.pos] as const]));
    return new Map(stores);
  });
}

function variationIds(world: World): ReadonlyMap<string, string> {
  return structureOf(world, 'square.hookVariations', () => {
    const sold = world.products.flatMap(({ sku, posVariationId: id }) => (id === null ? [] : [[sku, id] as const]));
    return new Map(sold);
  });
}
