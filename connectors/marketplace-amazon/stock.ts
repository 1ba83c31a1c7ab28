import { z } from 'zod';

import type { FeedDefinition } from '#connectors/kit/definition.ts';
import type { StockDraft } from '#connectors/kit/draft.ts';
import { readRows, rows, units, upserts } from '#connectors/kit/rows.ts';
import { instantOf, textOf } from '#connectors/kit/text.ts';
import { advance, readWatermark, restartRun } from '#connectors/kit/watermark.ts';

import { tokenExpired } from './expired.ts';
import type { AmazonSettings } from './settings.ts';

const counted = units.nullish();
const summary = z.object({
  sellerSku: z.string().min(1),
  asin: z.string().nullish(),
  lastUpdatedTime: z.string().nullish(),
  inventoryDetails: z
    .object({
      fulfillableQuantity: counted,
      inboundShippedQuantity: counted,
      inboundReceivingQuantity: counted,
      reservedQuantity: z.object({ pendingCustomerOrderQuantity: counted }).nullish(),
    })
    .nullish(),
});
type Summary = z.infer<typeof summary>;

const summariesAnswer = z.object({
  payload: z.object({ inventorySummaries: rows }),
  pagination: z.object({ nextToken: z.string().nullish() }).nullish(),
});
type SummariesAnswer = z.infer<typeof summariesAnswer>;

/**
 * Units in Amazon's warehouses. On hand = fulfillable + reserved for customer orders; units Amazon moves between its
 * warehouses or examines cannot be sold and are left out, like inbound shipments that have not left yet.
 */
function decodeSummary(row: Summary, settings: AmazonSettings): StockDraft {
  const details = row.inventoryDetails;
  const changedAt = instantOf(row.lastUpdatedTime);
  const fulfillable = details?.fulfillableQuantity ?? null;
  const committed = details?.reservedQuantity?.pendingCustomerOrderQuantity ?? 0;
  return {
    externalId: row.sellerSku,
    code: row.sellerSku,
    locationExternalId: settings.stockLocation,
    onHand: fulfillable === null ? null : fulfillable + committed,
    committed: fulfillable === null ? null : committed,
    incoming: details ? (details.inboundShippedQuantity ?? 0) + (details.inboundReceivingQuantity ?? 0) : null,
    nets: [],
    stamp: { asOf: changedAt, reference: textOf(row.asin), sequence: changedAt },
  };
}

/** Amazon answers changes of the last 18 months only: what is older is asked for as a whole. */
const MOST_BACK_MS = 540 * 86_400_000;

/** Inventory summaries, then the changed ones. A page token lives 30 seconds: when it ended, the run begins again. */
export const stockFeed: FeedDefinition<StockDraft, AmazonSettings, SummariesAnswer> = {
  feed: 'stock',
  // 2 calls a second, burst 2.
  intervalMs: 30_000,
  request: (cursor, { settings, nowMs }) => {
    const { since, token } = readWatermark(cursor);
    const isRecent = since !== null && nowMs - Date.parse(since) < MOST_BACK_MS;
    return {
      operation: 'getInventorySummaries',
      method: 'GET',
      path: '/fba/inventory/v1/summaries',
      query: {
        details: true,
        granularityType: 'Marketplace',
        granularityId: settings.marketplaceId,
        marketplaceIds: settings.marketplaceId,
        startDateTime: isRecent ? since : undefined,
        nextToken: token ?? undefined,
      },
    };
  },
  page: summariesAnswer,
  decode: (body, cursor, { settings, nowMs }) => {
    const { values, rejected } = readRows(summary, body.payload.inventorySummaries, (row) =>
      decodeSummary(row, settings),
    );
    const changedAt = values.map((value) => value.stamp.asOf);
    const token = textOf(body.pagination?.nextToken);
    return { ...advance(cursor, { changedAt, token }, nowMs), changes: upserts(values), rejected };
  },
  expired: tokenExpired,
  restart: restartRun,
};
