import { z } from 'zod';
import { announce } from '#sandbox/world/announcements.ts';
import { moveOrder } from '#sandbox/world/move-order.ts';
import { amazonOrder, amazonStatus } from './marketplace-amazon-order.ts';
import { AMAZON_MARKETPLACE_ID, amazonRefusal } from './marketplace-amazon-wire.ts';
import type { AmazonCall } from './marketplace-amazon-wire.ts';
import type { Route } from './route-table.ts';

const body = z.strictObject({
  marketplaceId: z.string(),
  shipmentStatus: z.enum(['ReadyForPickup', 'PickedUp', 'RefusedPickup']),
  orderItems: z.array(z.strictObject({ orderItemId: z.string(), quantity: z.int() })).optional(),
});
const STAGES = { ReadyForPickup: 'readyForPickup', PickedUp: 'collected', RefusedPickup: 'canceled' } as const;

/** Pickups move on (orders v0, updateShipmentStatus): 204 without a body. */
export const amazonShipmentRoutes: readonly Route<AmazonCall>[] = [
  {
    method: 'POST',
    path: '/orders/v0/orders/{orderId}/shipment',
    handle: (call, { orderId }) => update(call, orderId),
  },
];

async function update({ request, world, nowMs }: AmazonCall, orderId: string | undefined): Promise<Response> {
  const parsed = body.safeParse(await request.json().catch(() => null));
  if (!parsed.success) throw amazonRefusal('The body is not valid');
  const { marketplaceId, shipmentStatus } = parsed.data;
  if (marketplaceId !== AMAZON_MARKETPLACE_ID) throw amazonRefusal('Marketplace ID is not defined');
  const order = amazonOrder(world, orderId);
  const stage = STAGES[shipmentStatus];
  if (order.stage !== stage) {
    if (amazonStatus(order) !== 'Unshipped') throw amazonRefusal('The order is not waiting for its pickup');
    world.sequence += 1;
    moveOrder(world, order, { stage, at: new Date(nowMs).toISOString() });
    announce(world, { kind: 'order', order, isNew: false });
  }
  return new Response(null, { status: 204 });
}
