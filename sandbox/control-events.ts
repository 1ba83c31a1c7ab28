import { z } from 'zod';
import { announce } from './world/announcements.ts';
import { indexOf, systemKey } from './world/index-of.ts';
import { commitUnits, moveOrder } from './world/move-order.ts';
import { createPersonalValues } from './world/personal-values.ts';
import { COMMITTED_STAGES, stockKey } from './world/stock.ts';
import type { World, WorldOrder, WorldStock } from './world/types.ts';

const STAGES = [
  'received',
  'validated',
  'paid',
  'released',
  'picking',
  'packed',
  'readyForPickup',
  'shipped',
  'collected',
  'delivered',
  'returnRequested',
  'refunded',
  'canceled',
] as const;
const units = z.int().min(1).max(1_000_000);
const code = z.string().min(1).max(60);

/** The body of `POST /events`. */
export const eventInput = z.discriminatedUnion('kind', [
  /** Units leave the shelf. */
  z.strictObject({ kind: z.literal('sale'), sku: code, place: code, quantity: units }),
  /** A count: the shelf holds this many, however wrong. */
  z.strictObject({
    kind: z.literal('adjustment'),
    sku: code,
    place: code,
    onHand: z.int().min(-1_000_000).max(100_000_000),
  }),
  /** A new order; without `customer` a guest's. */
  z.strictObject({
    kind: z.literal('order'),
    channel: z.enum(['web', 'app', 'store', 'amazon']),
    place: code.optional(),
    stage: z.enum(STAGES).default('paid'),
    customer: z.strictObject({ system: z.enum(['crm', 'pos', 'marketplace']), externalId: code }).optional(),
    lines: z
      .array(z.strictObject({ sku: code, quantity: units }))
      .min(1)
      .max(100),
  }),
  /** An order moves on. */
  z.strictObject({ kind: z.literal('stage'), orderNumber: code, stage: z.enum(STAGES) }),
]);
export type EventInput = z.infer<typeof eventInput>;
type OrderInput = Extract<EventInput, { kind: 'order' }>;

/** What cannot happen in this world; the message says why. */
export class EventRefused extends Error {}

const HOME = { web: 'W1', app: 'W1', amazon: 'FBA' } as const;
const CHANNEL_SYSTEM = { web: 'crm', app: 'crm', store: 'pos', amazon: 'marketplace' } as const;

/**
 * Lets something happen: changes the world and moves its sequence on.
 * @returns the changed stock row or order
 * @throws {EventRefused} when the event names what does not exist, or sells more than there is
 */
export function applyEvent(world: World, event: EventInput, nowMs: number): WorldStock | WorldOrder {
  const at = new Date(nowMs).toISOString();
  world.sequence += 1;
  const changed = happen(world, event, at);
  if ('orderNumber' in changed) announce(world, { kind: 'order', order: changed, isNew: event.kind === 'order' });
  else announce(world, { kind: 'stock', stock: changed });
  return changed;
}

function happen(world: World, event: EventInput, at: string): WorldStock | WorldOrder {
  switch (event.kind) {
    case 'sale': {
      const row = findStock(world, event.sku, event.place);
      if (row.onHand < event.quantity) throw new EventRefused(`${event.place} holds ${row.onHand} of ${event.sku}`);
      return Object.assign(row, { onHand: row.onHand - event.quantity, changedAt: at });
    }
    case 'adjustment':
      return Object.assign(findStock(world, event.sku, event.place), { onHand: event.onHand, changedAt: at });
    case 'order':
      return placeOrder(world, event, at);
    case 'stage':
      return moveOrder(world, findOrder(world, event.orderNumber), { stage: event.stage, at });
  }
}

function findStock(world: World, sku: string, place: string): WorldStock {
  const row = world.stock.get(stockKey(sku, place));
  if (row === undefined) throw new EventRefused(`${place} does not carry ${sku}: see GET /world for what is where`);
  return row;
}

function placeOrder(world: World, event: OrderInput, at: string): WorldOrder {
  const { productBySku, placeByCode } = indexOf(world);
  const place = event.place ?? (event.channel === 'store' ? firstStore(world) : HOME[event.channel]);
  if (!placeByCode.has(place)) throw new EventRefused(`there is no place ${place}`);
  const lines = event.lines.map(({ sku, quantity }) => {
    const product = productBySku.get(sku);
    if (product === undefined) throw new EventRefused(`there is no item ${sku}`);
    return { sku, quantity, unitPriceMinor: product.priceMinor };
  });
  const orderNumber = `EVT-${world.sequence}`;
  const order: WorldOrder = {
    orderNumber,
    channel: event.channel,
    stage: event.stage,
    placedAt: at,
    updatedAt: at,
    ...buyerOf(world, event),
    lines,
    currency: 'GBP',
    place,
    ids: idsOf(event, orderNumber, world.sequence),
  };
  world.orders.push(order);
  if (COMMITTED_STAGES.has(order.stage)) commitUnits(world, order, { sign: 1, at });
  return order;
}

function buyerOf(
  world: World,
  { customer, channel }: OrderInput,
): Pick<WorldOrder, 'personId' | 'profileIds' | 'guest'> {
  if (customer === undefined) {
    return { personId: null, profileIds: {}, guest: channel === 'store' ? null : inventGuest(world) };
  }
  if (customer.system !== CHANNEL_SYSTEM[channel]) {
    throw new EventRefused(
      `orders of ${channel} name a profile of ${CHANNEL_SYSTEM[channel]}, not of ${customer.system}`,
    );
  }
  const profile = indexOf(world).profileBySystemId.get(systemKey(customer.system, customer.externalId));
  if (profile === undefined) throw new EventRefused(`${customer.system} has no such profile`);
  return { personId: profile.personId, profileIds: { [customer.system]: customer.externalId }, guest: null };
}

function inventGuest(world: World): NonNullable<WorldOrder['guest']> {
  const values = createPersonalValues(world.seed + world.sequence * 1_000_003);
  const givenName = values.givenName('GB');
  const familyName = values.familyName('GB');
  return {
    givenName,
    familyName,
    email: values.email(givenName, familyName),
    phone: values.phone('GB'),
    address: values.address('GB'),
  };
}

function idsOf({ channel }: OrderInput, orderNumber: string, sequence: number): WorldOrder['ids'] {
  if (channel === 'amazon') return { marketplace: `900-${String(sequence).padStart(7, '0')}-0000000` };
  if (channel === 'store') return { pos: `EVENT${String(sequence).padStart(21, '0')}` };
  return { erp: `e0e00000-0000-4000-a000-${String(sequence).padStart(12, '0')}`, wms: `FF-${orderNumber}` };
}

function findOrder(world: World, orderNumber: string): WorldOrder {
  const order = world.orders.find((row) => row.orderNumber === orderNumber);
  if (order === undefined) throw new EventRefused(`there is no order ${orderNumber}`);
  return order;
}

function firstStore(world: World): string {
  return world.places.find((place) => place.kind === 'STORE')?.code ?? '';
}
