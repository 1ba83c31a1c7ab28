import type { World, WorldOrder, WorldOrderStage, WorldProduct, WorldProfile } from '#sandbox/world/types.ts';
import { sortKeyed } from './keyset.ts';
import type { Keyed } from './keyset.ts';
import { amazonPlaces } from './marketplace-amazon-products.ts';
import { amazonRefusal, instantParameter } from './marketplace-amazon-wire.ts';
import { momentOf, structureOf } from './world-views.ts';

type AmazonStatus = 'Pending' | 'Unshipped' | 'Shipped' | 'Canceled';

const STATUSES: Record<WorldOrderStage, AmazonStatus> = {
  received: 'Pending',
  validated: 'Pending',
  paid: 'Unshipped',
  released: 'Unshipped',
  picking: 'Unshipped',
  packed: 'Unshipped',
  readyForPickup: 'Unshipped',
  shipped: 'Shipped',
  collected: 'Shipped',
  delivered: 'Shipped',
  returnRequested: 'Shipped',
  refunded: 'Shipped',
  canceled: 'Canceled',
};

const TWO_MINUTES_MS = 120_000;

/** The word of Amazon's orders APIs for a stage; what happens after the shipment is not visible in it. */
export const amazonStatus = (order: WorldOrder) => STATUSES[order.stage];

/** The marketplace's orders by Amazon's order id. */
export function amazonOrders(world: World): ReadonlyMap<string, WorldOrder> {
  return structureOf(world, 'amazon.orders', () => {
    const own = world.orders.filter((order) => order.ids.marketplace !== undefined);
    return new Map(own.map((order) => [order.ids.marketplace as string, order]));
  });
}

/** The order of an id. @throws {Refusal} 400 when it is none by its form, 404 when it is unknown. */
export function amazonOrder(world: World, id: string | undefined): WorldOrder {
  if (id === undefined || !/^[\w-]{1,64}$/.test(id)) throw amazonRefusal('Invalid order id');
  const order = amazonOrders(world).get(id);
  if (order === undefined) throw amazonRefusal('No order with this id', 404, 'NotFound');
  return order;
}

/** True when Amazon's own warehouse serves it. */
export const isByAmazon = (world: World, order: WorldOrder) => amazonPlaces(world).has(order.place ?? '');

/** Sum of the lines in minor units. */
export const totalOf = (order: WorldOrder) =>
  order.lines.reduce((sum, line) => sum + line.quantity * line.unitPriceMinor, 0);

export const productsBySku = (world: World): ReadonlyMap<string, WorldProduct> =>
  structureOf(world, 'amazon.bySku', () => new Map(world.products.map((product) => [product.sku, product])));

/** Amazon's id of an order's line: the same at each call. */
export function orderItemId(order: WorldOrder, index: number): string {
  const digits = (order.ids.marketplace ?? order.orderNumber).replaceAll(/\D/g, '');
  return `${digits}${String(index + 1).padStart(3, '0')}`;
}

export interface AmazonBuyer {
  readonly name: string;
  /** The alias Amazon gives a seller instead of the buyer's own address. */
  readonly email: string;
  readonly phone: string | null;
  readonly address: WorldProfile['address'];
}

/** The buyer as Amazon shows them to a seller; null: the order names none. */
export function buyerOf(world: World, order: WorldOrder): AmazonBuyer | null {
  const profiles = structureOf(world, 'amazon.buyers', () => {
    const own = world.profiles.filter(({ system }) => system === 'marketplace');
    return new Map(own.map((profile) => [profile.externalId, profile]));
  });
  const id = order.profileIds.marketplace;
  const profile = id === undefined ? undefined : profiles.get(id);
  if (profile === undefined) return null;
  return {
    name: `${profile.givenName} ${profile.familyName}`,
    email: `${profile.externalId}@marketplace.amazon.co.uk`,
    phone: profile.phone,
    address: profile.address,
  };
}

/** A window of time over the orders' creation or last change. */
export interface OrderWindow {
  readonly by: 'created' | 'updated';
  readonly after: number;
  readonly before: number;
}

/** The window of a search. @throws {Refusal} unless exactly one of the two "after" is given, with its own "before". */
export function orderWindow(
  url: URL,
  names: Record<'createdAfter' | 'createdBefore' | 'updatedAfter' | 'updatedBefore', string>,
  nowMs: number,
): OrderWindow {
  const created = instantParameter(url, names.createdAfter);
  const updated = instantParameter(url, names.updatedAfter);
  const createdBefore = instantParameter(url, names.createdBefore);
  const updatedBefore = instantParameter(url, names.updatedBefore);
  if ((created === null) === (updated === null)) {
    throw amazonRefusal(`exactly one of ${names.createdAfter} and ${names.updatedAfter} is required`);
  }
  const by = created === null ? 'updated' : 'created';
  const foreign = by === 'created' ? updatedBefore : createdBefore;
  const before = by === 'created' ? createdBefore : updatedBefore;
  const after = (created ?? updated) as number;
  if (foreign !== null) throw amazonRefusal('the window mixes creation and update');
  if (before !== null && (before < after || before > nowMs - TWO_MINUTES_MS)) {
    throw amazonRefusal('the end of the window must be after its start and at least two minutes ago');
  }
  return { by, after, before: before ?? Infinity };
}

/** The orders of a window, oldest first. */
export function ordersIn(world: World, { by, after, before }: OrderWindow): readonly Keyed<WorldOrder>[] {
  const rows = momentOf(world, `amazon.ordersBy:${by}`, () =>
    sortKeyed(
      [...amazonOrders(world)].map(([id, value]) => ({
        at: Date.parse(by === 'created' ? value.placedAt : value.updatedAt),
        id,
        value,
      })),
    ),
  );
  return rows.filter(({ at }) => at >= after && at <= before);
}
