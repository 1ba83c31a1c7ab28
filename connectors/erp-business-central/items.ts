import { z } from 'zod';

import type { BatchReadDefinition, FeedDefinition } from '#connectors/kit/definition.ts';
import type { ItemDraft } from '#connectors/kit/draft.ts';
import { byKey, readRows, upserts } from '#connectors/kit/rows.ts';
import { instantOf, moneyOf, textOf, unitsOf, wordOf } from '#connectors/kit/text.ts';
import { advance, restartRun } from '#connectors/kit/watermark.ts';
import type { BaseUnit } from '#schema/model/records.ts';

import { anyOf, changesRequest, entitySet, literal, nextPage, odataPage, tokenExpired } from './odata.ts';
import type { OdataPage } from './odata.ts';
import type { BusinessCentralSettings } from './settings.ts';

const item = z.looseObject({
  id: z.string().min(1),
  number: z.string().min(1),
  displayName: z.string().nullish(),
  type: z.string().nullish(),
  itemCategoryCode: z.string().nullish(),
  baseUnitOfMeasureCode: z.string().nullish(),
  gtin: z.string().nullish(),
  inventory: z.number().nullish(),
  unitPrice: z.number().nullish(),
  priceIncludesTax: z.boolean().nullish(),
  blocked: z.boolean().nullish(),
  lastModifiedDateTime: z.string().nullish(),
});
type Item = z.infer<typeof item>;

/** Codes of the standard unit-of-measure set and common ones of retailers; others leave the base unit unknown. */
const BASE_UNITS: Readonly<Record<string, BaseUnit>> = {
  PCS: 'PIECE',
  PC: 'PIECE',
  PIECE: 'PIECE',
  EA: 'PIECE',
  EACH: 'PIECE',
  STK: 'PIECE',
  G: 'GRAM',
  GR: 'GRAM',
  GRAM: 'GRAM',
  ML: 'MILLILITER',
  MM: 'MILLIMETER',
};

/** The price a customer pays; null: the item's price is without tax, and which tax is due the item does not say. */
function priceOf(row: Item, settings: BusinessCentralSettings): ItemDraft['price'] {
  if (row.priceIncludesTax === false && !settings.netPrices) return null;
  return moneyOf(row.unitPrice, settings.currency);
}

function decodeItem(row: Item, settings: BusinessCentralSettings): ItemDraft {
  const changedAt = instantOf(row.lastModifiedDateTime);
  const extra = (field: string | undefined): unknown => (field === undefined ? null : row[field]);
  const word = (value: unknown): string | null => (typeof value === 'string' ? textOf(value) : null);
  const hazardous = extra(settings.hazardousField);
  return {
    externalId: row.id,
    code: row.number,
    kind: 'item',
    gtin: textOf(row.gtin),
    title: textOf(row.displayName),
    brand: word(extra(settings.brandField)),
    category: textOf(row.itemCategoryCode),
    productType: word(extra(settings.productTypeField)),
    baseUnit: wordOf(BASE_UNITS, row.baseUnitOfMeasureCode?.trim().toUpperCase()),
    hazardous: typeof hazardous === 'boolean' ? hazardous : null,
    price: priceOf(row, settings),
    publishedQuantity: null,
    companyQuantity: unitsOf(row.inventory),
    blocked: row.blocked ?? false,
    stamp: { asOf: changedAt, reference: row.number, sequence: changedAt },
  };
}

/** Items by number. 50 conditions keep the URL below 2,000 characters, which every proxy passes. */
export const itemsByCode: BatchReadDefinition<string, ItemDraft, BusinessCentralSettings, OdataPage> = {
  max: 50,
  keyOf: (code) => code,
  // Code[20] in the item table.
  accepts: (code) => code.length <= 20,
  request: (codes, { settings }) => ({
    operation: 'GET items',
    method: 'GET',
    path: entitySet('items', settings),
    query: { $filter: anyOf(codes.map((code) => `number eq ${literal(code)}`)) },
  }),
  page: odataPage,
  more: nextPage,
  decode: (bodies, _codes, { settings }) =>
    byKey(
      readRows(
        item,
        bodies.flatMap((body) => body.value),
        (row) => decodeItem(row, settings),
      ),
      (draft) => draft.code,
    ),
  absent: null,
  freshnessMs: null,
};

/** Every item, then the changed ones; carries the company-wide quantity. */
export const itemFeed: FeedDefinition<ItemDraft, BusinessCentralSettings, OdataPage> = {
  feed: 'items',
  intervalMs: 30_000,
  request: (cursor, { settings }) =>
    changesRequest(cursor, { operation: 'GET items', method: 'GET', path: entitySet('items', settings) }, 1_000),
  page: odataPage,
  decode: (body, cursor, { settings, nowMs }) => {
    const { values, rejected } = readRows(item, body.value, (row) => decodeItem(row, settings));
    const token = body['@odata.nextLink'] ?? null;
    const next = advance(cursor, { changedAt: values.map((value) => value.stamp.asOf), token }, nowMs);
    return { ...next, changes: upserts(values), rejected };
  },
  expired: tokenExpired,
  restart: restartRun,
};
