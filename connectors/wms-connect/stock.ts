import { z } from 'zod';

import type { BatchReadDefinition, StockKey } from '#connectors/kit/definition.ts';
import type { StockDraft } from '#connectors/kit/draft.ts';
import { upstreamError } from '#connectors/kit/failure.ts';
import { readRows, rows, units, wholeKeys } from '#connectors/kit/rows.ts';
import { instantOf, textOf } from '#connectors/kit/text.ts';

import type { MortarError } from '#platform/errors.ts';

import type { ConnectSettings } from './settings.ts';

const quantity = units;
const item = z.object({
  integration_entity_id: z.string(),
  sku: z.string().min(1),
  available_quantity: quantity,
  allocated_quantity: quantity.nullish(),
  onhand_quantity: quantity.nullish(),
  committed_quantity: quantity.nullish(),
  fetched_at: z.string(),
  updated_at: z.string().nullish(),
  warehouse_id: z.string().nullish(),
});
type Item = z.infer<typeof item>;

const fetchAnswer = z.object({
  /** Absent while the WMS is still gathering. */
  items: rows.nullish(),
  cursor: z.string().nullish(),
  poll_after_ms: z.number().int().min(0).nullish(),
  errors: z
    .array(
      z.object({
        sku: z.string().nullish(),
        integration_inventory_item_id: z.string(),
        category: z.string().nullish(),
      }),
    )
    .nullish(),
});
type FetchAnswer = z.infer<typeof fetchAnswer>;

/** `onhand` is what lies there, `committed` what pending orders need, `available` usually the difference. */
function decodeItem(row: Item, code: string): StockDraft {
  const committed = row.committed_quantity ?? row.allocated_quantity ?? null;
  const known = row.onhand_quantity ?? (committed === null ? null : row.available_quantity + committed);
  return {
    externalId: row.sku,
    code,
    locationExternalId: textOf(row.warehouse_id) ?? '',
    // Without on-hand and commitments, what is available is all we know: commitments are already subtracted.
    onHand: known ?? row.available_quantity,
    committed,
    incoming: null,
    nets: known === null ? ['committed'] : [],
    stamp: {
      asOf: instantOf(row.fetched_at),
      reference: row.integration_entity_id,
      sequence: instantOf(row.updated_at),
    },
  };
}

/** Stock of skus in every warehouse. The WMS may page, and may ask to be polled while it gathers. */
export const stockByItem: BatchReadDefinition<StockKey, readonly StockDraft[], ConnectSettings, FetchAnswer> = {
  max: 100,
  keyOf: ({ externalId }) => externalId,
  request: (keys, { settings, uuid }) => ({
    operation: 'POST inventory_fetch',
    method: 'POST',
    path: '/inventory_fetch',
    json: {
      transaction_id: uuid(),
      auth: { order_source_api_code: settings.orderSourceCode, api_key: settings.apiKey },
      criteria: { skus: keys.map(({ externalId }) => externalId) },
    },
    shareAs: keys.map(({ externalId }) => externalId),
  }),
  page: fetchAnswer,
  more: (body, previous, { uuid }) => {
    const polled = body.poll_after_ms ?? null;
    const cursor = textOf(body.cursor);
    if (polled === null && cursor === null) return null;
    const json = { ...(previous.json as object), transaction_id: uuid(), ...(cursor === null ? {} : { cursor }) };
    return { request: { ...previous, json, shareAs: [previous.shareAs, cursor] }, afterMs: polled ?? 0 };
  },
  decode: (bodies, keys) => {
    const list = bodies.flatMap((body) => body.items ?? []);
    const { values, rejected } = readRows(item, list, (row) => row);
    const isWhole = wholeKeys(item, list, 'sku');
    const bySku = Map.groupBy(values, (row) => row.sku);
    const failed = new Set(
      bodies
        .flatMap((body) => body.errors ?? [])
        .filter((error) => error.category !== 'not_found')
        .map((error) => error.sku ?? error.integration_inventory_item_id),
    );
    const answers = keys.flatMap(({ sku, externalId }): (readonly [string, readonly StockDraft[] | MortarError])[] => {
      if (failed.has(externalId)) return [[externalId, lockedError()]];
      const found = bySku.get(externalId);
      return found === undefined || !isWhole(externalId)
        ? []
        : [[externalId, found.map((row) => decodeItem(row, sku))]];
    });
    return { values: new Map(answers), rejected };
  },
  absent: [],
  // `fetched_at` says when the WMS measured: older figures are told as stale.
  freshnessMs: 15 * 60_000,
};

function lockedError(): MortarError {
  return upstreamError('UPSTREAM_UNAVAILABLE', { message: 'The WMS could not read the stock of this item now.' });
}
