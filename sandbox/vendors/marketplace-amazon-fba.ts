import type { World, WorldStock } from '#sandbox/world/types.ts';
import { encodeCursor, pageAfter, sortKeyed } from './keyset.ts';
import { amazonStock, asinOf, listedProducts } from './marketplace-amazon-products.ts';
import type { ListedProduct } from './marketplace-amazon-products.ts';
import {
  AMAZON_MARKETPLACE_ID,
  amazonJson,
  amazonPosition,
  amazonRefusal,
  instantParameter,
  listParameter,
  requireMarketplace,
} from './marketplace-amazon-wire.ts';
import type { AmazonCall } from './marketplace-amazon-wire.ts';
import type { Route } from './route-table.ts';
import { momentOf } from './world-views.ts';

interface Row {
  readonly product: ListedProduct;
  readonly stock: WorldStock;
}

const PAGE = 50;
const TOKEN_LIFE_MS = 30_000;
const MAX_AGE_MS = 548 * 86_400_000;
const RATE = 2;

/** Stock in Amazon's warehouses (fbaInventory v1). */
export const amazonFbaRoutes: readonly Route<AmazonCall>[] = [
  { method: 'GET', path: '/fba/inventory/v1/summaries', handle: summaries },
];

function summaries(call: AmazonCall): Response {
  const { url, world, nowMs } = call;
  requireGranularity(url);
  const since = instantParameter(url, 'startDateTime');
  if (since !== null && nowMs - since > MAX_AGE_MS) throw amazonRefusal('startDateTime is over 18 months ago');
  const one = url.searchParams.get('sellerSku');
  const skus = listParameter(url, 'sellerSkus', 50);
  // Amazon ignores the sellers' skus when it is asked for changes.
  const wanted = since === null ? new Set(one === null ? skus : [...skus, one]) : new Set<string>();
  const rows = stocked(world).filter(
    ({ value, at }) => (since === null || at >= since) && (wanted.size === 0 || wanted.has(value.product.sellerSku)),
  );
  const query = ['fba', since, [...wanted]];
  const start = amazonPosition(call, 'nextToken', query, TOKEN_LIFE_MS);
  const { values, next } = pageAfter(rows, start, PAGE);
  const details = url.searchParams.get('details') === 'true';
  return amazonJson(
    {
      payload: {
        granularity: { granularityType: 'Marketplace', granularityId: AMAZON_MARKETPLACE_ID },
        inventorySummaries: values.map((row) => toSummary(row, details)),
      },
      ...(next === null ? {} : { pagination: { nextToken: encodeCursor(next, query, nowMs) } }),
    },
    200,
    RATE,
  );
}

function requireGranularity(url: URL): void {
  if (url.searchParams.get('granularityType') !== 'Marketplace')
    throw amazonRefusal('granularityType must be Marketplace');
  if (url.searchParams.get('granularityId') !== AMAZON_MARKETPLACE_ID) throw amazonRefusal('granularityId is unknown');
  requireMarketplace(url, 'marketplaceIds', 1);
  const details = url.searchParams.get('details');
  if (details !== null && details !== 'true' && details !== 'false') throw amazonRefusal('details must be a boolean');
}

/** Every stocked listing, oldest change first. */
function stocked(world: World) {
  return momentOf(world, 'amazon.stocked', () =>
    sortKeyed(
      [...listedProducts(world).values()].flatMap((product) => {
        const stock = amazonStock(world, product);
        const at = Date.parse(stock?.changedAt ?? '');
        return stock === undefined ? [] : [{ at, id: product.sellerSku, value: { product, stock } }];
      }),
    ),
  );
}

function toSummary({ product, stock }: Row, details: boolean): object {
  const { onHand, incoming } = stock;
  return {
    asin: asinOf(product),
    fnSku: asinOf(product),
    sellerSku: product.sellerSku,
    condition: 'NewItem',
    ...(details ? { inventoryDetails: toDetails(stock) } : {}),
    lastUpdatedTime: stock.changedAt,
    productName: product.title,
    totalQuantity: onHand + incoming,
    stores: [],
  };
}

function toDetails({ onHand, committed, incoming }: WorldStock): object {
  return {
    fulfillableQuantity: onHand - committed,
    inboundWorkingQuantity: 0,
    inboundShippedQuantity: 0,
    inboundReceivingQuantity: incoming,
    reservedQuantity: {
      totalReservedQuantity: committed,
      pendingCustomerOrderQuantity: committed,
      pendingTransshipmentQuantity: 0,
      fcProcessingQuantity: 0,
    },
    researchingQuantity: { totalResearchingQuantity: 0, researchingQuantityBreakdown: [] },
    unfulfillableQuantity: {
      totalUnfulfillableQuantity: 0,
      customerDamagedQuantity: 0,
      warehouseDamagedQuantity: 0,
      distributorDamagedQuantity: 0,
      carrierDamagedQuantity: 0,
      defectiveQuantity: 0,
      expiredQuantity: 0,
    },
  };
}
