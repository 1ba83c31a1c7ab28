import type { World, WorldOrder, WorldOrderStage } from '#sandbox/world/types.ts';
import { encodeCursor, pageAfter } from './keyset.ts';
import {
  amazonOrder,
  amazonStatus,
  buyerOf,
  isByAmazon,
  orderItemId,
  ordersIn,
  orderWindow,
  productsBySku,
  totalOf,
} from './marketplace-amazon-order.ts';
import { asinOf } from './marketplace-amazon-products.ts';
import {
  AMAZON_MARKETPLACE_ID,
  amazonJson,
  amazonPosition,
  listParameter,
  requireMarketplace,
  sizeParameter,
  toDecimal,
} from './marketplace-amazon-wire.ts';
import type { AmazonCall } from './marketplace-amazon-wire.ts';
import type { Route } from './route-table.ts';

const INCLUDED =
  'BUYER RECIPIENT PROCEEDS EXPENSE PROMOTION CANCELLATION FULFILLMENT PACKAGES TAX PAYMENT FULFILLMENT_ORDERS'.split(
    ' ',
  );
const STATUSES = { Pending: 'PENDING', Unshipped: 'UNSHIPPED', Shipped: 'SHIPPED', Canceled: 'CANCELLED' } as const;
const FILTERS = [
  'PENDING_AVAILABILITY',
  'PENDING',
  'UNSHIPPED',
  'PARTIALLY_SHIPPED',
  'SHIPPED',
  'CANCELLED',
  'UNFULFILLABLE',
];
const PACKAGES: Partial<Record<WorldOrderStage, string>> = {
  shipped: 'IN_TRANSIT',
  collected: 'DELIVERED',
  delivered: 'DELIVERED',
  returnRequested: 'DELIVERED',
  refunded: 'DELIVERED',
};
const SEARCH_RATE = 0.0056;
const ONE_RATE = 0.5;

/** Orders API 2026-01-01: whole orders with their items; BUYER and RECIPIENT stay empty without a restricted data token. */
export const amazonOrder2026Routes: readonly Route<AmazonCall>[] = [
  { method: 'GET', path: '/orders/2026-01-01/orders', handle: search },
  { method: 'GET', path: '/orders/2026-01-01/orders/{orderId}', handle: (call, { orderId }) => one(call, orderId) },
];

function search(call: AmazonCall): Response {
  const { url, world, nowMs } = call;
  requireMarketplace(url, 'marketplaceIds', 50, false);
  const included = includedIn(url);
  const size = sizeParameter(url, 'maxResultsPerPage', { max: 100, usual: 100 });
  const names = {
    createdAfter: 'createdAfter',
    createdBefore: 'createdBefore',
    updatedAfter: 'lastUpdatedAfter',
    updatedBefore: 'lastUpdatedBefore',
  };
  const window = orderWindow(url, names, nowMs);
  const statuses = listParameter(url, 'fulfillmentStatuses', FILTERS.length, FILTERS);
  const parties = listParameter(url, 'fulfilledBy', 2, ['MERCHANT', 'AMAZON']);
  const rows = ordersIn(world, window).filter(
    ({ value }) =>
      (statuses.length === 0 || statuses.includes(STATUSES[amazonStatus(value)])) &&
      (parties.length === 0 || parties.includes(partyOf(world, value))),
  );
  const query = [window.by, window.after, String(window.before), statuses, parties];
  const { values, next } = pageAfter(rows, amazonPosition(call, 'paginationToken', query), size);
  const upTo = new Date(nowMs).toISOString();
  return amazonJson(
    {
      orders: values.map((order) => toOrder(call, order, included)),
      ...(next === null ? {} : { pagination: { nextToken: encodeCursor(next, query) } }),
      ...(window.by === 'created' ? { createdBefore: upTo } : { lastUpdatedBefore: upTo }),
    },
    200,
    SEARCH_RATE,
  );
}

function one(call: AmazonCall, id: string | undefined): Response {
  const included = includedIn(call.url);
  return amazonJson({ order: toOrder(call, amazonOrder(call.world, id), included) }, 200, ONE_RATE);
}

function includedIn(url: URL): ReadonlySet<string> {
  return new Set(listParameter(url, 'includedData', INCLUDED.length, INCLUDED));
}

const partyOf = (world: World, order: WorldOrder) => (isByAmazon(world, order) ? 'AMAZON' : 'MERCHANT');

function toOrder(call: AmazonCall, order: WorldOrder, included: ReadonlySet<string>): object {
  const { world } = call;
  const grandTotal = { amount: toDecimal(totalOf(order)), currencyCode: order.currency };
  const shipped = amazonStatus(order) === 'Shipped';
  return {
    orderId: order.ids.marketplace,
    orderAliases: [{ aliasId: order.orderNumber, aliasType: 'SELLER_ORDER_ID' }],
    createdTime: order.placedAt,
    lastUpdatedTime: order.updatedAt,
    programs: [],
    salesChannel: { channelName: 'AMAZON', marketplaceId: AMAZON_MARKETPLACE_ID, marketplaceName: 'Amazon.co.uk' },
    ...personal(call, order, included),
    ...(included.has('PROCEEDS') ? { proceeds: { grandTotal } } : {}),
    ...(included.has('FULFILLMENT')
      ? { fulfillment: { fulfillmentStatus: STATUSES[amazonStatus(order)], fulfilledBy: partyOf(world, order) } }
      : {}),
    orderItems: order.lines.map((_, index) => toItem(world, order, index, included)),
    ...(included.has('PACKAGES') ? { packages: shipped ? [toPackage(order)] : [] } : {}),
  };
}

function personal({ world, restricted }: AmazonCall, order: WorldOrder, included: ReadonlySet<string>): object {
  const buyer = buyerOf(world, order);
  if (buyer === null) return {};
  const showBuyer = included.has('BUYER') && restricted.has('buyerInfo');
  const showRecipient = included.has('RECIPIENT') && restricted.has('shippingAddress') && buyer.address !== null;
  return {
    ...(showBuyer ? { buyer: { buyerName: buyer.name, buyerEmail: buyer.email } } : {}),
    ...(showRecipient
      ? {
          recipient: {
            deliveryAddress: {
              name: buyer.name,
              addressLine1: buyer.address?.street,
              city: buyer.address?.city,
              postalCode: buyer.address?.postalCode,
              countryCode: buyer.address?.country,
              ...(buyer.phone === null ? {} : { phone: buyer.phone }),
            },
          },
        }
      : {}),
  };
}

// oxlint-disable-next-line max-params -- an item is a place in an order, written as far as it was asked for
function toItem(world: World, order: WorldOrder, index: number, included: ReadonlySet<string>): object {
  const line = order.lines[index] as WorldOrder['lines'][number];
  const product = productsBySku(world).get(line.sku);
  const shipped = amazonStatus(order) === 'Shipped' ? line.quantity : 0;
  const money = (minor: number) => ({ amount: toDecimal(minor), currencyCode: order.currency });
  return {
    orderItemId: orderItemId(order, index),
    quantityOrdered: line.quantity,
    product: {
      ...(product === undefined ? {} : { asin: asinOf(product) }),
      title: product?.title ?? line.sku,
      sellerSku: product?.sellerSku ?? line.sku,
      condition: { conditionType: 'NEW', conditionSubtype: 'NEW' },
      price: { unitPrice: money(line.unitPriceMinor) },
    },
    ...(included.has('PROCEEDS') ? { proceeds: { proceedsTotal: money(line.quantity * line.unitPriceMinor) } } : {}),
    ...(included.has('FULFILLMENT')
      ? { fulfillment: { quantityFulfilled: shipped, quantityUnfulfilled: line.quantity - shipped } }
      : {}),
  };
}

function toPackage(order: WorldOrder): object {
  return {
    packageReferenceId: '1',
    packageStatus: { status: PACKAGES[order.stage] ?? 'SHIPPED' },
    shipTime: order.updatedAt,
    packageItems: order.lines.map((line, index) => ({
      orderItemId: orderItemId(order, index),
      quantity: line.quantity,
    })),
  };
}
