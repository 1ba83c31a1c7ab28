import { z } from 'zod';

import type { FeedDefinition } from '#connectors/kit/definition.ts';
import type { ItemDraft } from '#connectors/kit/draft.ts';
import { readRows, rows, upserts } from '#connectors/kit/rows.ts';
import { instantOf, moneyOf, textOf } from '#connectors/kit/text.ts';
import { restartRun } from '#connectors/kit/watermark.ts';

import { tokenExpired } from './expired.ts';
import { advanceListings, readListings } from './listings-cursor.ts';
import type { AmazonSettings } from './settings.ts';

const text = z.string().nullish();
const attribute = z.array(z.looseObject({ value: z.unknown().optional(), type: text, marketplace_id: text })).catch([]);
const listing = z.object({
  sku: z.string().min(1),
  summaries: z
    .array(
      z.object({
        marketplaceId: z.string(),
        asin: text,
        productType: text,
        status: z.array(z.string()).nullish(),
        itemName: text,
        lastUpdatedDate: text,
      }),
    )
    .nullish(),
  offers: z
    .array(
      z.object({
        marketplaceId: z.string(),
        offerType: z.string(),
        price: z.object({ currencyCode: z.string(), amount: z.union([z.string(), z.number()]) }),
      }),
    )
    .nullish(),
  fulfillmentAvailability: z.array(z.object({ quantity: z.number().int().nullish() })).nullish(),
  attributes: z.record(z.string(), attribute).nullish(),
});
type Listing = z.infer<typeof listing>;

const searchAnswer = z.object({
  items: rows,
  pagination: z.object({ nextToken: z.string().nullish() }).nullish(),
});
type SearchAnswer = z.infer<typeof searchAnswer>;

/** The text of an attribute in this marketplace. */
function attributeOf(row: Listing, name: string, { marketplaceId }: AmazonSettings): string | null {
  const values = row.attributes?.[name] ?? [];
  const found = values.find((entry) => (entry.marketplace_id ?? marketplaceId) === marketplaceId)?.value;
  return typeof found === 'string' ? textOf(found) : null;
}

function publishedQuantityOf(row: Listing): number | null {
  const quantities = (row.fulfillmentAvailability ?? []).flatMap(({ quantity }) => quantity ?? []);
  return quantities.length === 0 ? null : quantities.reduce((sum, quantity) => sum + quantity, 0);
}

function decodeListing(row: Listing, settings: AmazonSettings): ItemDraft {
  const { marketplaceId } = settings;
  const own = row.summaries?.find((entry) => entry.marketplaceId === marketplaceId);
  const offer = row.offers?.find((entry) => entry.marketplaceId === marketplaceId && entry.offerType === 'B2C');
  const changedAt = instantOf(own?.lastUpdatedDate);
  return {
    externalId: row.sku,
    code: row.sku,
    kind: 'seller-sku',
    gtin: attributeOf(row, 'externally_assigned_product_identifier', settings),
    title: textOf(own?.itemName),
    brand: attributeOf(row, 'brand', settings),
    category: null,
    productType: textOf(own?.productType),
    baseUnit: null,
    hazardous: null,
    price: offer === undefined ? null : moneyOf(offer.price.amount, offer.price.currencyCode),
    publishedQuantity: publishedQuantityOf(row),
    companyQuantity: null,
    blocked: own === undefined || !(own.status ?? []).includes('BUYABLE'),
    stamp: { asOf: changedAt, reference: textOf(own?.asin), sequence: changedAt },
  };
}

/** Own listings with price, quantity on offer and brand, then the changed ones. A search ends after 1,000 rows. */
export const itemFeed: FeedDefinition<ItemDraft, AmazonSettings, SearchAnswer> = {
  feed: 'listings',
  // 5 calls a second for 20 listings each.
  intervalMs: 120_000,
  request: (cursor, { settings }) => {
    const { since, token } = readListings(cursor);
    return {
      operation: 'searchListingsItems',
      method: 'GET',
      path: `/listings/2021-08-01/items/${encodeURIComponent(settings.sellerId)}`,
      query: {
        marketplaceIds: settings.marketplaceId,
        includedData: 'summaries,attributes,offers,fulfillmentAvailability',
        lastUpdatedAfter: since ?? undefined,
        sortBy: 'lastUpdatedDate',
        sortOrder: 'ASC',
        pageSize: 20,
        pageToken: token ?? undefined,
      },
    };
  },
  page: searchAnswer,
  decode: (body, cursor, { settings, nowMs }) => {
    const { values, rejected } = readRows(listing, body.items, (row) => decodeListing(row, settings));
    const changedAt = values.map((value) => value.stamp.asOf);
    const page = { changedAt, token: textOf(body.pagination?.nextToken), rowCount: body.items.length };
    return { ...advanceListings(cursor, page, nowMs), changes: upserts(values), rejected };
  },
  expired: tokenExpired,
  restart: restartRun,
};
