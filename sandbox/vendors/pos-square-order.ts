import type { WorldOrder, WorldOrderStage, WorldProduct } from '#sandbox/world/types.ts';
import { toMoney } from './pos-square-wire.ts';

const CLOSED: Partial<Record<WorldOrderStage, 'COMPLETED' | 'CANCELED'>> = {
  shipped: 'COMPLETED',
  collected: 'COMPLETED',
  delivered: 'COMPLETED',
  returnRequested: 'COMPLETED',
  refunded: 'COMPLETED',
  canceled: 'CANCELED',
};
const FULFILLMENT_STATES: Record<WorldOrderStage, string> = {
  received: 'PROPOSED',
  validated: 'PROPOSED',
  paid: 'PROPOSED',
  released: 'RESERVED',
  picking: 'RESERVED',
  packed: 'RESERVED',
  readyForPickup: 'PREPARED',
  shipped: 'COMPLETED',
  collected: 'COMPLETED',
  delivered: 'COMPLETED',
  returnRequested: 'COMPLETED',
  refunded: 'COMPLETED',
  canceled: 'CANCELED',
};
const SOURCES = { store: 'Point of Sale', web: 'Web', app: 'App', amazon: 'Amazon' } as const;

/** The state Square gives an order of a stage: open until it is handed over, refused or returned. */
export function squareOrderState(stage: WorldOrderStage): 'OPEN' | 'COMPLETED' | 'CANCELED' {
  return CLOSED[stage] ?? 'OPEN';
}

/**
 * An order as Square writes it. `reference_id` is the retailer's order number; `source.name` the channel; orders of
 * other channels than the store carry a PICKUP fulfillment, whose recipient is the only place a guest is written.
 * A wanted return has `returns` without `refunds`, a refunded order both.
 */
export function toSquareOrder(order: WorldOrder, locationId: string, bySku: ReadonlyMap<string, WorldProduct>) {
  const state = squareOrderState(order.stage);
  const total = order.lines.reduce((sum, line) => sum + line.quantity * line.unitPriceMinor, 0);
  const customerId = order.profileIds.pos;
  return {
    id: order.ids.pos as string,
    location_id: locationId,
    reference_id: order.orderNumber,
    source: { name: SOURCES[order.channel] },
    ...(customerId === undefined ? {} : { customer_id: customerId }),
    line_items: order.lines.map((line, index) => toLine(line, index, order, bySku.get(line.sku))),
    ...(order.channel === 'store' ? {} : { fulfillments: [toPickup(order)] }),
    ...returnsOf(order, locationId, total),
    created_at: order.placedAt,
    updated_at: order.updatedAt,
    ...(state === 'OPEN' ? {} : { closed_at: order.updatedAt }),
    state,
    version: Math.max(1, Math.floor(Date.parse(order.updatedAt) / 1000)),
    total_money: toMoney(total, order.currency),
    total_tax_money: toMoney(0, order.currency),
    total_discount_money: toMoney(0, order.currency),
  };
}

function toLine(
  line: WorldOrder['lines'][number],
  index: number,
  order: WorldOrder,
  product: WorldProduct | undefined,
): object {
  const variation = product?.posVariationId ?? null;
  const total = toMoney(line.quantity * line.unitPriceMinor, order.currency);
  return {
    uid: `L${index + 1}`,
    name: (product?.title ?? line.sku).slice(0, 512),
    quantity: String(line.quantity),
    ...(variation === null ? {} : { catalog_object_id: variation, variation_name: 'Regular' }),
    item_type: 'ITEM',
    base_price_money: toMoney(line.unitPriceMinor, order.currency),
    gross_sales_money: total,
    total_money: total,
  };
}

function toPickup(order: WorldOrder): object {
  const { stage, placedAt, updatedAt } = order;
  const handedOver = FULFILLMENT_STATES[stage] === 'COMPLETED';
  return {
    uid: 'F1',
    type: 'PICKUP',
    state: FULFILLMENT_STATES[stage],
    pickup_details: {
      recipient: recipientOf(order),
      schedule_type: 'ASAP',
      placed_at: placedAt,
      ...(stage === 'readyForPickup' ? { ready_at: updatedAt } : {}),
      ...(handedOver ? { picked_up_at: updatedAt } : {}),
      ...(stage === 'canceled' ? { canceled_at: updatedAt } : {}),
    },
  };
}

function recipientOf({ profileIds, guest }: WorldOrder): object {
  if (profileIds.pos !== undefined) return { customer_id: profileIds.pos };
  if (guest === null) return { display_name: 'Customer' };
  return {
    display_name: `${guest.givenName} ${guest.familyName}`.slice(0, 255),
    email_address: guest.email,
    ...(guest.phone === null ? {} : { phone_number: guest.phone.slice(0, 17) }),
    ...(guest.address === null
      ? {}
      : {
          address: {
            address_line_1: guest.address.street,
            locality: guest.address.city,
            postal_code: guest.address.postalCode,
            country: guest.address.country,
          },
        }),
  };
}

function returnsOf(order: WorldOrder, locationId: string, total: number): object {
  if (order.stage !== 'returnRequested' && order.stage !== 'refunded') return {};
  const returns = [{ uid: 'R1', source_order_id: order.ids.pos as string }];
  if (order.stage === 'returnRequested') return { returns };
  const refund = {
    id: `REF-${order.ids.pos as string}`,
    location_id: locationId,
    tender_id: 'T1',
    created_at: order.updatedAt,
    reason: 'Returned goods',
    amount_money: toMoney(total, order.currency),
    status: 'APPROVED',
  };
  return { returns, refunds: [refund] };
}
