import { z } from 'zod';

import type { BatchReadDefinition, ConnectorDefinition, FeedDefinition } from '#connectors/kit/definition.ts';
import type { ItemDraft } from '#connectors/kit/draft.ts';
import { byKey, readRows, rows, upserts } from '#connectors/kit/rows.ts';
import { kitOptions, readSettings } from '#connectors/kit/settings.ts';
import { instantOf, moneyOf, textOf } from '#connectors/kit/text.ts';
import { advance, readWatermark } from '#connectors/kit/watermark.ts';

/** Options and credentials of the configuration; unknown ones are refused. */
const options = z.strictObject({ ...kitOptions });
const credentials = z.strictObject({ token: z.string().min(1) });
type Settings = z.infer<typeof options> & z.infer<typeof credentials>;

/** One row as the vendor writes it: every field that is read, and no other. */
const row = z.object({
  id: z.string().min(1),
  code: z.string().min(1),
  name: z.string().nullish(),
  brand: z.string().nullish(),
  gtin: z.string().nullish(),
  price: z.string().nullish(),
  currency: z.string().nullish(),
  updatedAt: z.string(),
});
const page = z.object({ rows, next: z.string().nullish() });
type Page = z.infer<typeof page>;

function decodeItem(item: z.infer<typeof row>): ItemDraft {
  return {
    externalId: item.id,
    code: item.code,
    kind: 'item',
    gtin: textOf(item.gtin),
    title: textOf(item.name),
    brand: textOf(item.brand),
    category: null,
    productType: null,
    baseUnit: 'PIECE',
    hazardous: null,
    price: moneyOf(item.price, item.currency),
    publishedQuantity: null,
    companyQuantity: null,
    blocked: false,
    stamp: { asOf: instantOf(item.updatedAt), reference: item.code, sequence: null },
  };
}

/** Items by the retailer's code, while a request runs. */
const itemsByCode: BatchReadDefinition<string, ItemDraft, Settings, Page> = {
  max: 50,
  keyOf: (code) => code,
  request: (codes) => ({ operation: 'findItems', method: 'POST', path: '/v1/items/find', json: { codes } }),
  page,
  decode: (bodies) =>
    byKey(
      readRows(
        row,
        bodies.flatMap((body) => body.rows),
        decodeItem,
      ),
      ({ code }) => code,
    ),
  absent: null,
  // `updatedAt` tells the last change, not when the item was read.
  freshnessMs: null,
};

/** Items changed since the last run, page by page: what keeps the directory. */
const itemFeed: FeedDefinition<ItemDraft, Settings, Page> = {
  feed: 'items',
  intervalMs: 60_000,
  request: (cursor) => {
    const { since, token } = readWatermark(cursor);
    const query = { changedSince: since ?? undefined, page: token ?? undefined };
    return { operation: 'listItems', method: 'GET', path: '/v1/items', query };
  },
  page,
  decode: (body, cursor, { nowMs }) => {
    const { values, rejected } = readRows(row, body.rows, decodeItem);
    const changedAt = values.map(({ stamp }) => stamp.asOf);
    return { ...advance(cursor, { changedAt, token: textOf(body.next) }, nowMs), changes: upserts(values), rejected };
  },
};

/** @source the vendor's documents, with their version */
export const erpTemplate: ConnectorDefinition<Settings> = {
  id: 'erp-template',
  vendor: 'Template',
  apiVersion: 'v1',
  settings: (config) => readSettings(config, options, credentials),
  auth: { kind: 'headers', headers: ({ token }) => ({ authorization: `Bearer ${token}` }) },
  limits: { concurrency: 4, pauseMs: 1_000 },
  capabilities: ['items:read', 'items:feed'],
  ports: { items: itemsByCode, itemFeed },
};
