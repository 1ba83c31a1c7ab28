import { z } from 'zod';
import type { World, WorldOrder } from '#sandbox/world/types.ts';
import { pageAfter } from './keyset.ts';
import type { Position } from './keyset.ts';
import {
  amazonOrder,
  amazonOrders,
  amazonStatus,
  buyerOf,
  isByAmazon,
  orderItemId,
  ordersIn,
  orderWindow,
  productsBySku,
  totalOf,
} from './marketplace-amazon-order.ts';
import type { OrderWindow } from './marketplace-amazon-order.ts';
import { asinOf } from './marketplace-amazon-products.ts';
import { amazonDenied } from './marketplace-amazon-tokens.ts';
import {
  AMAZON_MARKETPLACE_ID,
  amazonJson,
  amazonRefusal,
  listParameter,
  requireMarketplace,
  sizeParameter,
  toDecimal,
} from './marketplace-amazon-wire.ts';
import type { AmazonCall, Restricted } from './marketplace-amazon-wire.ts';
import type { Route } from './route-table.ts';

const STATUSES = [
  'PendingAvailability',
  'Pending',
  'Unshipped',
  'PartiallyShipped',
  'Shipped',
  'InvoiceUnconfirmed',
  'Canceled',
  'Unfulfillable',
];
const LIST_RATE = 0.0167;
const ONE_RATE = 0.5;
const PREFIX = '/orders/v0/orders';

/** What a NextToken carries: the first request's query and where its next page starts. */
const nextToken = z.object({
  by: z.enum(['created', 'updated']),
  after: z.number(),
  before: z.number().nullable(),
  statuses: z.array(z.string()),
  channels: z.array(z.string()),
  at: z.number(),
  id: z.string(),
});

interface Search {
  readonly window: OrderWindow;
  readonly statuses: readonly string[];
  readonly channels: readonly string[];
  readonly start: Position | null;
}

/** Orders API v0: list, order, items; buyer and address only with a restricted data token. */
export const amazonOrderV0Routes: readonly Route<AmazonCall>[] = [
  { method: 'GET', path: PREFIX, handle: list },
  { method: 'GET', path: `${PREFIX}/{orderId}`, handle: (call, { orderId }) => one(call, orderId) },
  { method: 'GET', path: `${PREFIX}/{orderId}/buyerInfo`, handle: (call, { orderId }) => buyerInfo(call, orderId) },
  { method: 'GET', path: `${PREFIX}/{orderId}/address`, handle: (call, { orderId }) => address(call, orderId) },
  { method: 'GET', path: `${PREFIX}/{orderId}/orderItems`, handle: (call, { orderId }) => items(call, orderId) },
];

function list(call: AmazonCall): Response {
  const { url, world, nowMs } = call;
  requireMarketplace(url, 'MarketplaceIds', 50);
  const size = sizeParameter(url, 'MaxResultsPerPage', { max: 100, usual: 100 });
  const ids = listParameter(url, 'AmazonOrderIds', 50);
  if (ids.length > 0) {
    const found = ids.flatMap((id) => amazonOrders(world).get(id) ?? []);
    return amazonJson({ payload: { Orders: found.map((order) => toOrder(call, order)) } }, 200, LIST_RATE);
  }
  const token = url.searchParams.get('NextToken');
  const search = token === null ? toSearch(url, nowMs) : fromToken(token);
  const rows = ordersIn(world, search.window).filter(({ value }) => fits(world, value, search));
  const { values, next } = pageAfter(rows, search.start, size);
  const upTo = new Date(nowMs).toISOString();
  const payload = {
    Orders: values.map((order) => toOrder(call, order)),
    ...(next === null ? {} : { NextToken: toToken(search, next) }),
    ...(search.window.by === 'created' ? { CreatedBefore: upTo } : { LastUpdatedBefore: upTo }),
  };
  return amazonJson({ payload }, 200, LIST_RATE);
}

function toSearch(url: URL, nowMs: number): Search {
  const names = {
    createdAfter: 'CreatedAfter',
    createdBefore: 'CreatedBefore',
    updatedAfter: 'LastUpdatedAfter',
    updatedBefore: 'LastUpdatedBefore',
  };
  return {
    window: orderWindow(url, names, nowMs),
    statuses: listParameter(url, 'OrderStatuses', STATUSES.length, STATUSES),
    channels: listParameter(url, 'FulfillmentChannels', 2, ['AFN', 'MFN']),
    start: null,
  };
}

function toToken({ window, statuses, channels }: Search, next: Position): string {
  const before = Number.isFinite(window.before) ? window.before : null;
  const held: z.output<typeof nextToken> = {
    ...window,
    before,
    statuses: [...statuses],
    channels: [...channels],
    ...next,
  };
  return Buffer.from(JSON.stringify(held)).toString('base64');
}

function fromToken(token: string): Search {
  try {
    const held = nextToken.parse(JSON.parse(Buffer.from(token, 'base64').toString('utf8')));
    const window = { by: held.by, after: held.after, before: held.before ?? Infinity };
    return { window, statuses: held.statuses, channels: held.channels, start: { at: held.at, id: held.id } };
  } catch {
    throw amazonRefusal('NextToken is not valid');
  }
}

function fits(world: World, order: WorldOrder, { statuses, channels }: Search): boolean {
  if (statuses.length > 0 && !statuses.includes(amazonStatus(order))) return false;
  return channels.length === 0 || channels.includes(isByAmazon(world, order) ? 'AFN' : 'MFN');
}

function one(call: AmazonCall, id: string | undefined): Response {
  return amazonJson({ payload: toOrder(call, amazonOrder(call.world, id)) }, 200, ONE_RATE);
}

function buyerInfo(call: AmazonCall, id: string | undefined): Response {
  const order = amazonOrder(call.world, id);
  if (!call.restricted.has('buyerInfo')) return refused('buyerInfo');
  const payload = { AmazonOrderId: order.ids.marketplace, ...toBuyer(call.world, order) };
  return amazonJson({ payload }, 200, ONE_RATE);
}

function address(call: AmazonCall, id: string | undefined): Response {
  const order = amazonOrder(call.world, id);
  if (!call.restricted.has('shippingAddress')) return refused('shippingAddress');
  const shipping = toAddress(call.world, order);
  const payload = { AmazonOrderId: order.ids.marketplace, ...(shipping === null ? {} : { ShippingAddress: shipping }) };
  return amazonJson({ payload }, 200, ONE_RATE);
}

const refused = (element: Restricted) => amazonDenied(`${element} needs a restricted data token.`);

function items({ world }: AmazonCall, id: string | undefined): Response {
  const order = amazonOrder(world, id);
  const shipped = amazonStatus(order) === 'Shipped';
  const OrderItems = order.lines.map((line, index) => {
    const product = productsBySku(world).get(line.sku);
    return {
      ASIN: product === undefined ? 'B000000000' : asinOf(product),
      SellerSKU: product?.sellerSku ?? line.sku,
      OrderItemId: orderItemId(order, index),
      Title: product?.title ?? line.sku,
      QuantityOrdered: line.quantity,
      QuantityShipped: shipped ? line.quantity : 0,
      ItemPrice: { CurrencyCode: order.currency, Amount: toDecimal(line.quantity * line.unitPriceMinor) },
      ConditionId: 'New',
    };
  });
  return amazonJson({ payload: { AmazonOrderId: order.ids.marketplace, OrderItems } }, 200, ONE_RATE);
}

function toOrder({ world, restricted }: AmazonCall, order: WorldOrder): object {
  const status = amazonStatus(order);
  const units = order.lines.reduce((sum, line) => sum + line.quantity, 0);
  const shipping = restricted.has('shippingAddress') ? toAddress(world, order) : null;
  return {
    AmazonOrderId: order.ids.marketplace,
    SellerOrderId: order.orderNumber,
    PurchaseDate: order.placedAt,
    LastUpdateDate: order.updatedAt,
    OrderStatus: status,
    FulfillmentChannel: isByAmazon(world, order) ? 'AFN' : 'MFN',
    SalesChannel: 'Amazon.co.uk',
    ShipServiceLevel: 'Std UK Dom_1',
    OrderTotal: { CurrencyCode: order.currency, Amount: toDecimal(totalOf(order)) },
    NumberOfItemsShipped: status === 'Shipped' ? units : 0,
    NumberOfItemsUnshipped: status === 'Shipped' || status === 'Canceled' ? 0 : units,
    PaymentMethod: 'Other',
    MarketplaceId: AMAZON_MARKETPLACE_ID,
    OrderType: 'StandardOrder',
    IsBusinessOrder: false,
    IsPrime: false,
    ...(shipping === null ? {} : { ShippingAddress: shipping }),
    ...(restricted.has('buyerInfo') ? { BuyerInfo: toBuyer(world, order) } : {}),
  };
}

function toBuyer(world: World, order: WorldOrder): object {
  const buyer = buyerOf(world, order);
  return buyer === null ? {} : { BuyerEmail: buyer.email, BuyerName: buyer.name };
}

function toAddress(world: World, order: WorldOrder): object | null {
  const buyer = buyerOf(world, order);
  if (buyer === null || buyer.address === null) return null;
  const { street, city, postalCode, country } = buyer.address;
  return {
    Name: buyer.name,
    AddressLine1: street,
    City: city,
    PostalCode: postalCode,
    CountryCode: country,
    ...(buyer.phone === null ? {} : { Phone: buyer.phone }),
  };
}
