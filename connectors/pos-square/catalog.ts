import { z } from 'zod';

import type { DraftChange, FeedDefinition } from '#connectors/kit/definition.ts';
import type { ItemDraft } from '#connectors/kit/draft.ts';
import { readRows, rows } from '#connectors/kit/rows.ts';
import { instantOf, moneyOfMinor, textOf } from '#connectors/kit/text.ts';
import { advance, readWatermark, restartRun } from '#connectors/kit/watermark.ts';

import type { SquareSettings } from './settings.ts';
import { cursorExpired, squareMoney, text } from './wire.ts';

const variation = z.object({
  type: z.literal('ITEM_VARIATION'),
  id: z.string().min(1),
  updated_at: text,
  version: z.number().nullish(),
  is_deleted: z.boolean().nullish(),
  item_variation_data: z
    .object({
      item_id: text,
      name: text,
      sku: text,
      upc: text,
      price_money: squareMoney,
      sellable: z.boolean().nullish(),
    })
    .nullish(),
});
type Variation = z.infer<typeof variation>;

const parent = z.object({
  type: z.literal('ITEM'),
  id: z.string().min(1),
  item_data: z.object({ name: text, is_archived: z.boolean().nullish() }).nullish(),
});
type Parent = z.infer<typeof parent>;

const searchAnswer = z.object({ objects: rows.nullish(), related_objects: rows.nullish(), cursor: text });
type SearchAnswer = z.infer<typeof searchAnswer>;

function decodeVariation(row: Variation, parents: ReadonlyMap<string, Parent>): ItemDraft {
  const own = row.item_variation_data;
  const item = parents.get(own?.item_id ?? '')?.item_data;
  const changedAt = instantOf(row.updated_at);
  return {
    externalId: row.id,
    code: textOf(own?.sku),
    kind: 'variation',
    gtin: textOf(own?.upc),
    title: textOf(item?.name) ?? textOf(own?.name),
    brand: null,
    category: null,
    productType: null,
    baseUnit: null,
    hazardous: null,
    price: moneyOfMinor(own?.price_money?.amount, own?.price_money?.currency),
    publishedQuantity: null,
    companyQuantity: null,
    blocked: own?.sellable === false || item?.is_archived === true,
    stamp: { asOf: changedAt, reference: row.id, sequence: row.version?.toString() ?? null },
  };
}

/** Item variations (what is sold and counted), then the changed and deleted ones. Titles and archiving come from the parent item. */
export const itemFeed: FeedDefinition<ItemDraft, SquareSettings, SearchAnswer> = {
  feed: 'items',
  intervalMs: 60_000,
  request: (cursor) => {
    const { since, token } = readWatermark(cursor);
    return {
      operation: 'SearchCatalogObjects',
      method: 'POST',
      path: '/v2/catalog/search',
      json: {
        object_types: ['ITEM_VARIATION'],
        include_related_objects: true,
        include_deleted_objects: since !== null,
        limit: 500,
        ...(since === null ? {} : { begin_time: since }),
        ...(token === null ? {} : { cursor: token }),
      },
    };
  },
  page: searchAnswer,
  decode: (body, cursor, { nowMs }) => {
    const items = readRows(parent, (body.related_objects ?? []).filter(isItem), (row) => row).values;
    const parents = new Map(items.map((item) => [item.id, item]));
    const { values, rejected } = readRows(variation, body.objects ?? [], (row) => row);
    const changes = values.map((row): DraftChange<ItemDraft> =>
      row.is_deleted === true
        ? { kind: 'delete', externalId: row.id }
        : { kind: 'upsert', value: decodeVariation(row, parents) },
    );
    const changedAt = values.map((row) => instantOf(row.updated_at));
    return { ...advance(cursor, { changedAt, token: textOf(body.cursor) }, nowMs), changes, rejected };
  },
  expired: cursorExpired,
  restart: restartRun,
};

function isItem(row: unknown): boolean {
  return typeof row === 'object' && row !== null && 'type' in row && row.type === 'ITEM';
}
