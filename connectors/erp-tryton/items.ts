import { z } from 'zod';

import type { BatchReadDefinition, FeedDefinition } from '#connectors/kit/definition.ts';
import type { ItemDraft } from '#connectors/kit/draft.ts';
import { byKey, readRows, upserts } from '#connectors/kit/rows.ts';
import { instantOf, moneyOf, textOf, wordOf } from '#connectors/kit/text.ts';
import type { BaseUnit } from '#schema/model/records.ts';

import { PAGE_SIZE, advanceChanges, changedSince } from './changes.ts';
import { ARCHIVED_TOO, recordId, records, searchRead } from './rpc.ts';
import type { Domain, Records } from './rpc.ts';
import type { TrytonSettings } from './settings.ts';
import { decimal, flag, instant, latest } from './values.ts';

const text = z.string().nullish();
const product = z.object({
  id: recordId,
  code: text,
  name: text,
  list_price: decimal.nullish(),
  active: flag,
  salable: flag,
  create_date: instant.nullish(),
  write_date: instant.nullish(),
  'default_uom.': z.object({ symbol: text }).nullish(),
  'categories.': z.array(z.object({ name: text })).nullish(),
  'identifiers.': z.array(z.object({ type: text, code: text })).nullish(),
  'template.': z.object({
    active: flag,
    write_date: instant.nullish(),
    'account_category.': z.object({ customer_taxes_used: z.array(recordId) }).nullish(),
  }),
});
type Product = z.infer<typeof product>;

const FIELDS = [
  'code',
  'name',
  'list_price',
  'active',
  'salable',
  'create_date',
  'write_date',
  'default_uom.symbol',
  'categories.name',
  'identifiers.type',
  'identifiers.code',
  'template.active',
  'template.write_date',
  'template.account_category.customer_taxes_used',
];

/** Symbols of the units Tryton begins with, and the usual ones; others leave the base unit unknown. */
const BASE_UNITS: Readonly<Record<string, BaseUnit>> = {
  u: 'PIECE',
  pc: 'PIECE',
  pcs: 'PIECE',
  g: 'GRAM',
  ml: 'MILLILITER',
  mm: 'MILLIMETER',
};

/** The price a customer pays; null: taxes come on top of it, and how much the product does not say. */
function priceOf(row: Product, settings: TrytonSettings): ItemDraft['price'] {
  const taxes = row['template.']['account_category.']?.customer_taxes_used ?? [];
  return taxes.length > 0 && !settings.netPrices ? null : moneyOf(row.list_price, settings.currency);
}

const changeOf = (row: Product): string | null =>
  latest([row.create_date, row.write_date, row['template.'].write_date]);

function decodeItem(row: Product, settings: TrytonSettings): ItemDraft {
  const changedAt = instantOf(changeOf(row));
  return {
    externalId: String(row.id),
    code: textOf(row.code),
    kind: 'product',
    gtin: textOf(row['identifiers.']?.find(({ type }) => type === 'ean')?.code),
    title: textOf(row.name),
    brand: null,
    category: textOf(row['categories.']?.[0]?.name),
    productType: null,
    baseUnit: wordOf(BASE_UNITS, row['default_uom.']?.symbol?.trim().toLowerCase()),
    hazardous: null,
    price: priceOf(row, settings),
    publishedQuantity: null,
    companyQuantity: null,
    blocked: !(row.active && row['template.'].active && row.salable),
    stamp: { asOf: changedAt, reference: textOf(row.code), sequence: changeOf(row) },
  };
}

const products = (domain: Domain, settings: TrytonSettings, limit?: number) =>
  searchRead(
    'product.product',
    { domain: [...domain, ARCHIVED_TOO], fields: FIELDS, ...(limit && { limit }) },
    settings,
  );

/** Products by code. */
export const itemsByCode: BatchReadDefinition<string, ItemDraft, TrytonSettings, Records> = {
  max: 100,
  keyOf: (code) => code,
  request: (codes, { settings }) => products([['code', 'in', codes]], settings),
  page: records,
  decode: (bodies, _codes, { settings }) =>
    byKey(
      readRows(product, bodies.flat(), (row) => decodeItem(row, settings)),
      (draft) => draft.code,
    ),
  absent: null,
  freshnessMs: null,
};

/** Every product, then those that changed, themselves or by their template (name, price, archiving). */
export const itemFeed: FeedDefinition<ItemDraft, TrytonSettings, Records> = {
  feed: 'items',
  intervalMs: 30_000,
  request: (cursor, { settings }) =>
    products(changedSince(cursor, ['create_date', 'write_date', 'template.write_date']), settings, PAGE_SIZE),
  page: records,
  decode: (rows, cursor, { settings, nowMs }) => {
    const read = readRows(product, rows, (row) => ({ draft: decodeItem(row, settings), changedAt: changeOf(row) }));
    const page = { rows, changedAt: read.values.map(({ changedAt }) => changedAt) };
    const changes = upserts(read.values.map(({ draft }) => draft));
    return { ...advanceChanges(cursor, page, nowMs), changes, rejected: read.rejected };
  },
};
