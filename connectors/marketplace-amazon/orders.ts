import { z } from 'zod';

import type { FeedDefinition } from '#connectors/kit/definition.ts';
import type { OrderDraft, ProfileDraft } from '#connectors/kit/draft.ts';
import { readRows, rows, upserts } from '#connectors/kit/rows.ts';
import { countryOf, instantOf, moneyOf, splitName, textOf, wordOf } from '#connectors/kit/text.ts';
import { advance, readWatermark, restartRun } from '#connectors/kit/watermark.ts';
import type { OrderLineRecord, OrderState, PostalAddress } from '#schema/model/records.ts';

import { tokenExpired } from './expired.ts';
import { ORDERS_PATH } from './restricted.ts';
import type { AmazonSettings } from './settings.ts';

const text = z.string().nullish();
const money = z.object({ amount: z.union([z.string(), z.number()]), currencyCode: z.string() }).nullish();
const address = z
  .object({
    name: text,
    addressLine1: text,
    addressLine2: text,
    addressLine3: text,
    city: text,
    stateOrRegion: text,
    postalCode: text,
    countryCode: text,
    phone: text,
  })
  .nullish();
type Address = z.infer<typeof address>;

const order = z.object({
  orderId: z.string().min(1),
  orderAliases: z.array(z.object({ aliasId: z.string(), aliasType: z.string() })).nullish(),
  createdTime: z.string(),
  lastUpdatedTime: z.string(),
  buyer: z.object({ buyerName: text, buyerEmail: text }).nullish(),
  recipient: z.object({ deliveryAddress: address }).nullish(),
  proceeds: z.object({ grandTotal: money }).nullish(),
  fulfillment: z.object({ fulfillmentStatus: z.string() }).nullish(),
  packages: z.array(z.object({ packageStatus: z.object({ status: text }).nullish() })).nullish(),
  orderItems: rows,
});
type Order = z.infer<typeof order>;

const item = z.object({
  quantityOrdered: z.number().int(),
  product: z.object({ sellerSku: text, title: text, price: z.object({ unitPrice: money }).nullish() }),
});

const STATES: Readonly<Record<string, OrderState>> = {
  PENDING_AVAILABILITY: 'RECEIVED',
  PENDING: 'RECEIVED',
  // Amazon shows an order as unshipped once the payment is authorized.
  UNSHIPPED: 'PAYMENT_AUTHORIZED',
  PARTIALLY_SHIPPED: 'IN_TRANSIT',
  SHIPPED: 'IN_TRANSIT',
  CANCELLED: 'CANCELED',
  UNFULFILLABLE: 'HELD',
};

function stateOf(row: Order): OrderState {
  const status = row.fulfillment?.fulfillmentStatus ?? '';
  const packages = row.packages ?? [];
  const allDelivered = packages.length > 0 && packages.every((entry) => entry.packageStatus?.status === 'DELIVERED');
  return status === 'SHIPPED' && allDelivered ? 'DELIVERED' : (wordOf(STATES, status) ?? 'UNKNOWN');
}

function addressOf(row: Address): PostalAddress | null {
  if (row === null || row === undefined) return null;
  return {
    lines: [row.addressLine1, row.addressLine2, row.addressLine3]
      .map((line) => textOf(line))
      .filter((line) => line !== null),
    postalCode: textOf(row.postalCode),
    city: textOf(row.city),
    region: textOf(row.stateOrRegion),
    country: countryOf(row.countryCode),
  };
}

/** Amazon names a buyer by an anonymised address that stays the same for one buyer and seller: its local part is the id. */
function buyerIdOf(row: Order): string | null {
  return textOf(row.buyer?.buyerEmail?.split('@')[0]);
}

/** The buyer as Amazon shows it: may serve fulfillment and service only, by Amazon's acceptable use policy. */
function buyerOf(row: Order): ProfileDraft | null {
  const externalId = buyerIdOf(row);
  if (externalId === null) return null;
  const delivery = row.recipient?.deliveryAddress;
  const place = addressOf(delivery);
  const changedAt = instantOf(row.lastUpdatedTime);
  return {
    externalId,
    kind: 'MARKETPLACE_BUYER',
    ...splitName(row.buyer?.buyerName ?? delivery?.name),
    email: textOf(row.buyer?.buyerEmail),
    emailVerified: false,
    phone: textOf(delivery?.phone),
    addresses: place === null ? [] : [place],
    birthDate: null,
    preferences: null,
    loyaltyNumber: null,
    country: place?.country ?? null,
    isTest: false,
    doNotLink: false,
    createdAt: instantOf(row.createdTime),
    stamp: { asOf: changedAt, reference: null, sequence: changedAt },
  };
}

function decodeLines(row: Order): readonly OrderLineRecord[] {
  return readRows(item, row.orderItems, (entry) => ({
    code: textOf(entry.product.sellerSku),
    title: textOf(entry.product.title),
    quantity: Math.max(0, entry.quantityOrdered),
    unitPrice: moneyOf(entry.product.price?.unitPrice?.amount, entry.product.price?.unitPrice?.currencyCode),
  })).values;
}

function decodeOrder(row: Order, settings: AmazonSettings): OrderDraft {
  const changedAt = instantOf(row.lastUpdatedTime);
  const alias = row.orderAliases?.find((entry) => entry.aliasType === 'SELLER_ORDER_ID')?.aliasId;
  return {
    externalId: row.orderId,
    orderNumber: textOf(alias) ?? row.orderId,
    state: stateOf(row),
    vendorState: row.fulfillment?.fulfillmentStatus ?? '',
    channel: settings.channel,
    placedAt: instantOf(row.createdTime),
    customerExternalId: buyerIdOf(row),
    buyer: buyerOf(row),
    locationExternalId: null,
    lines: decodeLines(row),
    total: moneyOf(row.proceeds?.grandTotal?.amount, row.proceeds?.grandTotal?.currencyCode),
    updatedAt: changedAt,
    stamp: { asOf: changedAt, reference: row.orderId, sequence: changedAt },
  };
}

const searchAnswer = z.object({ orders: rows, pagination: z.object({ nextToken: z.string().nullish() }).nullish() });
type SearchAnswer = z.infer<typeof searchAnswer>;

/** Orders with buyer, recipient and lines in one call, then the changed ones. */
export const orderFeed: FeedDefinition<OrderDraft, AmazonSettings, SearchAnswer> = {
  feed: 'orders',
  // 0.0056 calls a second with a burst of 20: one run in three minutes.
  intervalMs: 180_000,
  request: (cursor, { settings }) => {
    const { since, token } = readWatermark(cursor);
    return {
      operation: 'searchOrders',
      method: 'GET',
      path: ORDERS_PATH,
      restricted: true,
      query: {
        lastUpdatedAfter: since ?? settings.ordersSince,
        marketplaceIds: settings.marketplaceId,
        includedData: 'BUYER,RECIPIENT,PROCEEDS,FULFILLMENT,PACKAGES',
        maxResultsPerPage: 100,
        paginationToken: token ?? undefined,
      },
    };
  },
  page: searchAnswer,
  decode: (body, cursor, { settings, nowMs }) => {
    const { values, rejected } = readRows(order, body.orders, (row) => decodeOrder(row, settings));
    const changedAt = values.map((value) => value.updatedAt);
    const token = textOf(body.pagination?.nextToken);
    return { ...advance(cursor, { changedAt, token }, nowMs), changes: upserts(values), rejected };
  },
  expired: tokenExpired,
  restart: restartRun,
};
