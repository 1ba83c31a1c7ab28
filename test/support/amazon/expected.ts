// What a connector must make of Amazon's listings and orders, by a reading of our own: field by field, without its code.
import type { ItemRecord, OrderRecord } from '#schema/model/records.ts';
import type { FeedPage } from '#schema/model/sources.ts';

interface Money {
  readonly amount: string;
  readonly currencyCode: string;
}

/** An answer with listings. */
export interface Items {
  readonly pagination?: { readonly nextToken?: string };
  readonly items: readonly {
    readonly sku: string;
    readonly summaries: readonly {
      readonly marketplaceId: string;
      readonly itemName: string;
      readonly status: readonly string[];
      readonly productType: string;
      readonly lastUpdatedDate: string;
    }[];
    readonly offers: readonly { readonly marketplaceId: string; readonly offerType: string; readonly price: Money }[];
    readonly fulfillmentAvailability: readonly { readonly quantity: number }[];
  }[];
}

/** An answer with orders. */
export interface Orders {
  readonly pagination?: { readonly nextToken?: string };
  readonly orders: readonly {
    readonly orderId: string;
    readonly createdTime: string;
    readonly lastUpdatedTime: string;
    readonly orderAliases?: readonly { readonly aliasId: string; readonly aliasType: string }[];
    readonly buyer?: { readonly buyerEmail?: string };
    readonly recipient?: { readonly deliveryAddress?: { readonly postalCode?: string; readonly countryCode?: string } };
    readonly proceeds?: { readonly grandTotal?: Money };
    readonly fulfillment?: { readonly fulfillmentStatus: string };
    readonly orderItems: readonly {
      readonly quantityOrdered: number;
      readonly product: { readonly sellerSku?: string; readonly price?: { readonly unitPrice?: Money } };
    }[];
  }[];
}

type Facts = Readonly<Record<string, unknown>>;

/** What is wrong with a page of listings as one marketplace sees them. */
export function itemFindings(body: Items, marketplaceId: string, page: FeedPage<ItemRecord>): readonly string[] {
  const wanted = body.items.map(({ sku, summaries, offers, fulfillmentAvailability }): Facts => {
    const own = summaries.find((summary) => summary.marketplaceId === marketplaceId);
    const offer = offers.find((each) => each.marketplaceId === marketplaceId && each.offerType === 'B2C');
    return {
      id: sku,
      title: own?.itemName,
      type: own?.productType,
      price: moneyOf(offer?.price),
      onOffer: fulfillmentAvailability.reduce((sum, { quantity }) => sum + quantity, 0),
      blocked: own?.status.includes('BUYABLE') !== true,
      changedAt: instantOf(own?.lastUpdatedDate),
    };
  });
  const found = valuesOf(page).map((item): Facts => ({
    id: item.externalId,
    title: item.title,
    type: item.productType,
    price: item.price && `${item.price.amount} ${item.price.currency}`,
    onOffer: item.publishedQuantity,
    blocked: item.blocked,
    changedAt: instantOf(item.provenance.asOf),
  }));
  return [...differences(wanted, found), ...tokenFindings(body.pagination?.nextToken, page)];
}

/** What is wrong with a page of orders. */
export function orderFindings(body: Orders, page: FeedPage<OrderRecord>): readonly string[] {
  const wanted = body.orders.map((order): Facts => {
    const alias = order.orderAliases?.find(({ aliasType }) => aliasType === 'SELLER_ORDER_ID')?.aliasId;
    const email = order.buyer?.buyerEmail ?? null;
    const address = email === null ? undefined : order.recipient?.deliveryAddress;
    return {
      id: order.orderId,
      number: alias ?? order.orderId,
      word: order.fulfillment?.fulfillmentStatus ?? '',
      total: moneyOf(order.proceeds?.grandTotal),
      email,
      postalCode: address?.postalCode ?? null,
      country: address?.countryCode ?? null,
      lines: order.orderItems.map(({ quantityOrdered, product }) => [
        product.sellerSku ?? null,
        quantityOrdered,
        moneyOf(product.price?.unitPrice),
      ]),
      placedAt: instantOf(order.createdTime),
      changedAt: instantOf(order.lastUpdatedTime),
    };
  });
  const found = valuesOf(page).map((order): Facts => ({
    id: order.externalId,
    number: order.orderNumber,
    word: order.vendorState,
    total: order.total && `${order.total.amount} ${order.total.currency}`,
    email: order.buyer?.email ?? null,
    postalCode: order.buyer?.addresses[0]?.postalCode ?? null,
    country: order.buyer?.addresses[0]?.country ?? null,
    lines: order.lines.map(({ code, quantity, unitPrice }) => [
      code,
      quantity,
      unitPrice && `${unitPrice.amount} ${unitPrice.currency}`,
    ]),
    placedAt: instantOf(order.placedAt),
    changedAt: instantOf(order.updatedAt),
  }));
  const unknown = valuesOf(page).filter(({ state }) => state === 'UNKNOWN');
  return [
    ...differences(wanted, found),
    ...unknown.map(({ vendorState }) => `nobody knows the state ${vendorState}`),
    ...tokenFindings(body.pagination?.nextToken, page),
  ];
}

function valuesOf<V>({ changes }: FeedPage<V>): readonly V[] {
  return changes.flatMap((change) => (change.kind === 'upsert' ? [change.value] : []));
}

const moneyOf = (money: Money | undefined): string | null =>
  money === undefined ? null : `${money.amount} ${money.currencyCode}`;

const instantOf = (text: string | null | undefined): number | null =>
  text === null || text === undefined ? null : Date.parse(text);

function differences(wanted: readonly Facts[], found: readonly Facts[]): readonly string[] {
  if (wanted.length !== found.length) return [`${found.length} rows of ${wanted.length}`];
  return wanted.flatMap((row, index) =>
    Object.keys(row)
      .filter((name) => JSON.stringify(row[name] ?? null) !== JSON.stringify(found[index]?.[name] ?? null))
      .map((name) => `${name} is ${JSON.stringify(found[index]?.[name])} instead of ${JSON.stringify(row[name])}`),
  );
}

/** A next token means another page, and is what the next page is asked with. */
function tokenFindings<V>(token: string | undefined, { cursor, done }: FeedPage<V>): readonly string[] {
  if (token === undefined) return done ? [] : ['a last page is not the last'];
  return !done && cursor?.includes(token) === true ? [] : ['the next page is lost'];
}
