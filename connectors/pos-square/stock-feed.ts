import { z } from 'zod';

import type { FeedDefinition } from '#connectors/kit/definition.ts';
import type { StockDraft } from '#connectors/kit/draft.ts';
import { readRows, rows, upserts, wholeKeys } from '#connectors/kit/rows.ts';
import { instantOf, textOf } from '#connectors/kit/text.ts';
import { advance, readWatermark } from '#connectors/kit/watermark.ts';

import type { WireRequest } from '#connectors/kit/wire.ts';

import type { SquareSettings } from './settings.ts';
import { count, decodeReading } from './stock.ts';
import { cursorExpired, text } from './wire.ts';

// Square tells which counts changed, each state of a place for itself; a figure needs all states of it. So a run lists items
// (all of them the first time, later those with changed counts) and reads their counts in groups that fit one answer.

const COUNTS_PER_ANSWER = 1_000;
const STATES = ['IN_STOCK', 'RESERVED_FOR_SALE'];

const plan = z.object({
  /** The run's watermark cursor. */
  run: z.string().nullable(),
  /** Items to be read before the list goes on. */
  items: z.array(z.string()).max(2_000),
  /** Items one answer has room for, as far as we know. */
  size: z.number().int().min(1).max(100),
  /** The list was read to its end. */
  listed: z.boolean(),
  /** The run's watermark cursor when it began: where it begins again. */
  from: z.string().nullable(),
});
type Plan = z.infer<typeof plan>;

const START: Plan = { run: null, items: [], size: 50, listed: false, from: null };

function readStockPlan(cursor: string | null): Plan {
  try {
    return plan.parse(JSON.parse(cursor ?? ''));
  } catch {
    return START;
  }
}

const answer = z.object({ counts: rows.nullish(), objects: rows.nullish(), cursor: text });
type Answer = z.infer<typeof answer>;

const variation = z.object({ type: z.literal('ITEM_VARIATION'), id: z.string().min(1) });

/** How far Square's clock may be behind ours. */
const SKEW_MS = 5 * 60_000;

function listRequest({ run }: Plan): WireRequest {
  const { since, token } = readWatermark(run);
  const cursor = token === null ? {} : { cursor: token };
  return since === null
    ? {
        operation: 'SearchCatalogObjects',
        method: 'POST',
        path: '/v2/catalog/search',
        json: { object_types: ['ITEM_VARIATION'], limit: 100, ...cursor },
      }
    : {
        operation: 'BatchRetrieveInventoryCounts',
        method: 'POST',
        path: '/v2/inventory/counts/batch-retrieve',
        json: { updated_after: since, states: STATES, limit: 100, ...cursor },
      };
}

/** The cursor after a page of the list. */
function listed(current: Plan, body: Answer, nowMs: number): Plan {
  const changed = readRows(count, body.counts ?? [], (row) => row).values;
  const variations = readRows(variation, body.objects ?? [], ({ id }) => id).values;
  const items = [...new Set([...changed.map((row) => row.catalog_object_id), ...variations])];
  const changedAt = changed.map((row) => instantOf(row.calculated_at));
  const run = advance(current.run, { changedAt, token: textOf(body.cursor) }, nowMs);
  const ended = readWatermark(run.cursor);
  if (!run.done || ended.since !== null) return { ...current, run: run.cursor, items, listed: run.done };
  // A first run saw items, not counts: the next one asks for what changed since this one began.
  const startedAtMs = Date.parse(readWatermark(current.run).startedAt ?? new Date(nowMs).toISOString());
  const since = new Date(startedAtMs - SKEW_MS).toISOString();
  return { ...current, run: JSON.stringify({ ...ended, since }), items, listed: true };
}

/** One reading a place. */
function readingsOf(list: readonly unknown[]): { readonly values: readonly StockDraft[]; readonly rejected: number } {
  const { values, rejected } = readRows(count, list, (row) => row);
  const isWhole = wholeKeys(count, list, 'catalog_object_id');
  const byItem = Map.groupBy(
    values.filter((row) => isWhole(row.catalog_object_id)),
    (row) => row.catalog_object_id,
  );
  const drafts = [...byItem].flatMap(([id, counts]) =>
    [...Map.groupBy(counts, (row) => row.location_id).values()].map((own) =>
      decodeReading({ externalId: id, code: id }, own),
    ),
  );
  return { values: drafts, rejected };
}

/** The cursor after what was to be read is read: the run is done when its list is. */
function stepOf(next: Plan): { readonly cursor: string; readonly done: boolean } {
  const done = next.listed && next.items.length === 0;
  return { cursor: JSON.stringify(done ? { ...next, listed: false, from: next.run } : next), done };
}

/** Counts per place: what changed since the last run, whole. The snapshot that stands in when the tills are away lives of it. */
export const stockFeed: FeedDefinition<StockDraft, SquareSettings, Answer> = {
  feed: 'stock',
  intervalMs: 60_000,
  request: (cursor) => {
    const current = readStockPlan(cursor);
    if (current.items.length === 0) return listRequest(current);
    return {
      operation: 'BatchRetrieveInventoryCounts',
      method: 'POST',
      path: '/v2/inventory/counts/batch-retrieve',
      json: { catalog_object_ids: current.items.slice(0, current.size), states: STATES, limit: COUNTS_PER_ANSWER },
    };
  },
  page: answer,
  decode: (body, cursor, { nowMs }) => {
    const current = readStockPlan(cursor);
    if (current.items.length === 0) return { ...stepOf(listed(current, body, nowMs)), changes: [], rejected: 0 };
    // More counts than one answer holds: half of an item would be a wrong figure.
    if (textOf(body.cursor) !== null && current.size > 1) {
      return { ...stepOf({ ...current, size: Math.floor(current.size / 2) }), changes: [], rejected: 0 };
    }
    const { values, rejected } = readingsOf(body.counts ?? []);
    return { ...stepOf({ ...current, items: current.items.slice(current.size) }), changes: upserts(values), rejected };
  },
  expired: cursorExpired,
  restart: (cursor) => {
    const { from, size } = readStockPlan(cursor);
    return JSON.stringify({ ...START, run: from, from, size });
  },
};
