import type { World } from '#sandbox/world/types.ts';
import { encodeCursor, pageAfter, sortKeyed } from './keyset.ts';
import type { Direction, Keyed } from './keyset.ts';
import { offeredBySeller } from './marketplace-amazon-offers.ts';
import { amazonStock, asinOf, listedProducts } from './marketplace-amazon-products.ts';
import type { ListedProduct } from './marketplace-amazon-products.ts';
import {
  AMAZON_MARKETPLACE_ID,
  AMAZON_SELLER_ID,
  amazonJson,
  amazonPosition,
  amazonRefusal,
  instantParameter,
  listParameter,
  requireMarketplace,
  sizeParameter,
  toDecimal,
} from './marketplace-amazon-wire.ts';
import type { AmazonCall } from './marketplace-amazon-wire.ts';
import type { Route } from './route-table.ts';

const INCLUDED = [
  'summaries',
  'attributes',
  'issues',
  'offers',
  'fulfillmentAvailability',
  'procurement',
  'relationships',
  'productTypes',
];
const IDENTIFIERS: Readonly<Record<string, (product: ListedProduct) => string | null>> = {
  SKU: ({ sellerSku }) => sellerSku,
  ASIN: asinOf,
  EAN: ({ gtin }) => gtin,
  GTIN: ({ gtin }) => gtin,
  UPC: ({ gtin }) => gtin,
  FNSKU: asinOf,
  ISBN: () => null,
  JAN: () => null,
  MINSAN: () => null,
};
/** Amazon lets nobody page further than this. */
const MAX_PAGED = 1000;
const RATE = 5;

/** The seller's listings (Listings Items 2021-08-01): title, identifiers, price, offered quantity. */
export const amazonListingRoutes: readonly Route<AmazonCall>[] = [
  {
    method: 'GET',
    path: '/listings/2021-08-01/items/{sellerId}',
    handle: (call, { sellerId }) => search(call, sellerId),
  },
  {
    method: 'GET',
    path: '/listings/2021-08-01/items/{sellerId}/{sku}',
    handle: (call, { sellerId, sku }) => one(call, sellerId, sku),
  },
];

function search(call: AmazonCall, sellerId: string | undefined): Response {
  const { url, world } = call;
  requireSeller(sellerId);
  requireMarketplace(url, 'marketplaceIds', 1);
  const included = includedIn(url);
  const size = sizeParameter(url, 'pageSize', { max: 20, usual: 10 });
  const { rows, order, query } = found(url, world);
  const { values, next } = pageAfter(rows.slice(0, MAX_PAGED), amazonPosition(call, 'pageToken', query), size, order);
  return amazonJson(
    {
      numberOfResults: rows.length,
      ...(next === null ? {} : { pagination: { nextToken: encodeCursor(next, query) } }),
      items: values.map((product) => toItem(world, product, included)),
    },
    200,
    RATE,
  );
}

function one({ url, world }: AmazonCall, sellerId: string | undefined, sku: string | undefined): Response {
  requireSeller(sellerId);
  requireMarketplace(url, 'marketplaceIds', 1);
  const included = includedIn(url);
  const product = listedProducts(world).get(sku ?? '');
  if (product === undefined) throw amazonRefusal('No listing with this sku', 404, 'NOT_FOUND');
  return amazonJson(toItem(world, product, included), 200, RATE);
}

function found(url: URL, world: World) {
  const identifiers = listParameter(url, 'identifiers', 20);
  const type = url.searchParams.get('identifiersType');
  if (identifiers.length > 0 !== (type !== null)) throw amazonRefusal('identifiers and identifiersType go together');
  const valueOf = IDENTIFIERS[type ?? 'SKU'];
  if (valueOf === undefined) throw amazonRefusal('identifiersType has an unknown value');
  const after = instantParameter(url, 'lastUpdatedAfter') ?? -Infinity;
  const before = instantParameter(url, 'lastUpdatedBefore') ?? Infinity;
  const createdAfter = instantParameter(url, 'createdAfter') ?? -Infinity;
  const createdBefore = instantParameter(url, 'createdBefore') ?? Infinity;
  const sortBy = oneOf(url, 'sortBy', ['sku', 'createdDate', 'lastUpdatedDate']) ?? 'lastUpdatedDate';
  const order: Direction = oneOf(url, 'sortOrder', ['ASC', 'DESC']) === 'ASC' ? 'ASC' : 'DESC';
  const wanted = new Set(identifiers);
  const kept = [...listedProducts(world).values()].filter((product) => {
    const at = Date.parse(changedAt(world, product));
    if (at < Math.max(after, createdAfter) || at > Math.min(before, createdBefore)) return false;
    return wanted.size === 0 || wanted.has(valueOf(product) ?? '');
  });
  const rows: readonly Keyed<ListedProduct>[] = sortKeyed(
    kept.map((value) => ({
      at: sortBy === 'sku' ? 0 : Date.parse(changedAt(world, value)),
      id: value.sellerSku,
      value,
    })),
    order,
  );
  return { rows, order, query: [type, identifiers, `${after}`, `${before}`, sortBy, order] };
}

function toItem(world: World, product: ListedProduct, included: readonly string[]): object {
  const stock = amazonStock(world, product);
  const own = offeredBySeller(world, product);
  const offered = Math.max(0, stock === undefined ? 0 : stock.onHand - stock.committed);
  const parts: Readonly<Record<string, object>> = {
    summaries: [toSummary(world, product)],
    attributes: toAttributes(product),
    issues: [],
    offers: [
      {
        marketplaceId: AMAZON_MARKETPLACE_ID,
        offerType: 'B2C',
        price: { currencyCode: product.currency, amount: toDecimal(product.marketplacePriceMinor) },
      },
    ],
    fulfillmentAvailability: [
      ...(stock === undefined ? [] : [{ fulfillmentChannelCode: 'AMAZON_EU', quantity: offered }]),
      ...(stock === undefined || own !== null
        ? [{ fulfillmentChannelCode: 'DEFAULT', quantity: own?.units ?? 0 }]
        : []),
    ],
    procurement: [],
    relationships: [],
    productTypes: [{ marketplaceId: AMAZON_MARKETPLACE_ID, productType: toProductType(product) }],
  };
  return { sku: product.sellerSku, ...Object.fromEntries(included.map((name) => [name, parts[name]])) };
}

/** When the listing or what the seller offers of it changed last. */
function changedAt(world: World, product: ListedProduct): string {
  const { updatedAt } = product;
  const offered = offeredBySeller(world, product)?.at ?? updatedAt;
  return Date.parse(offered) > Date.parse(updatedAt) ? offered : updatedAt;
}

function toSummary(world: World, product: ListedProduct): object {
  return {
    marketplaceId: AMAZON_MARKETPLACE_ID,
    asin: asinOf(product),
    productType: toProductType(product),
    conditionType: 'new_new',
    status: ['BUYABLE', 'DISCOVERABLE'],
    fnSku: asinOf(product),
    itemName: product.title,
    createdDate: product.updatedAt,
    lastUpdatedDate: changedAt(world, product),
  };
}

function toAttributes(product: ListedProduct): object {
  const valued = (value: string) => [{ value, language_tag: 'en_GB', marketplace_id: AMAZON_MARKETPLACE_ID }];
  const marketplace = { marketplace_id: AMAZON_MARKETPLACE_ID };
  return {
    item_name: valued(product.title),
    brand: valued(product.brand),
    condition_type: [{ value: 'new_new', ...marketplace }],
    merchant_suggested_asin: [{ value: asinOf(product), ...marketplace }],
    ...(product.gtin === null
      ? {}
      : { externally_assigned_product_identifier: [{ type: 'ean', value: product.gtin, ...marketplace }] }),
  };
}

function toProductType(product: ListedProduct): string {
  return product.productType.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_') || 'PRODUCT';
}

function requireSeller(sellerId: string | undefined): void {
  if (sellerId !== AMAZON_SELLER_ID) throw amazonRefusal('This seller is not yours', 403, 'Unauthorized');
}

function includedIn(url: URL): readonly string[] {
  const included = listParameter(url, 'includedData', INCLUDED.length, INCLUDED);
  return included.length === 0 ? ['summaries'] : included;
}

function oneOf(url: URL, name: string, allowed: readonly string[]): string | null {
  const text = url.searchParams.get(name);
  if (text !== null && !allowed.includes(text)) throw amazonRefusal(`${name} has an unknown value`);
  return text;
}
