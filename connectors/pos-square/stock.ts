import { z } from 'zod';

import type { BatchReadDefinition, StockKey } from '#connectors/kit/definition.ts';
import type { StockDraft } from '#connectors/kit/draft.ts';
import { readRows, rows, wholeKeys } from '#connectors/kit/rows.ts';
import { instantOf, textOf, unitsOf } from '#connectors/kit/text.ts';

import type { SquareSettings } from './settings.ts';
import { text } from './wire.ts';

export const count = z.object({
  catalog_object_id: z.string().min(1),
  location_id: z.string().min(1),
  state: z.string(),
  // A decimal text of up to 26 characters. Unreadable, the count is no count of nothing.
  quantity: z.string().refine((quantity) => unitsOf(quantity) !== null),
  calculated_at: text,
});
type Count = z.infer<typeof count>;

const countsAnswer = z.object({ counts: rows.nullish(), cursor: text });
type CountsAnswer = z.infer<typeof countsAnswer>;

/** One reading a location: Square counts sellable and reserved units apart; the shelf holds both. */
export function decodeReading(
  name: { readonly externalId: string; readonly code: string },
  counts: readonly Count[],
): StockDraft {
  const inState = (state: string): string | null => counts.find((entry) => entry.state === state)?.quantity ?? null;
  const sellable = unitsOf(inState('IN_STOCK'));
  const reserved = unitsOf(inState('RESERVED_FOR_SALE'), 'demand') ?? 0;
  const instants = counts.map((entry) => instantOf(entry.calculated_at)).filter((instant) => instant !== null);
  return {
    ...name,
    locationExternalId: counts[0]?.location_id ?? '',
    onHand: (sellable ?? 0) + reserved,
    committed: reserved,
    incoming: null,
    nets: [],
    stamp: { asOf: instants.toSorted().at(-1) ?? null, reference: name.externalId, sequence: null },
  };
}

/** Counts of variations over all locations. One batch may need several pages: keys x locations x states. */
export const stockByItem: BatchReadDefinition<StockKey, readonly StockDraft[], SquareSettings, CountsAnswer> = {
  max: 100,
  keyOf: ({ externalId }) => externalId,
  accepts: (id) => id.length <= 100,
  request: (keys) => ({
    operation: 'BatchRetrieveInventoryCounts',
    method: 'POST',
    path: '/v2/inventory/counts/batch-retrieve',
    json: {
      catalog_object_ids: keys.map(({ externalId }) => externalId),
      states: ['IN_STOCK', 'RESERVED_FOR_SALE'],
      limit: 1_000,
    },
  }),
  page: countsAnswer,
  more: (body, previous) => {
    const cursor = textOf(body.cursor);
    // The same query with the cursor: Square refuses a cursor whose query changed.
    return cursor === null ? null : { request: { ...previous, json: { ...(previous.json as object), cursor } } };
  },
  decode: (bodies, keys) => {
    const list = bodies.flatMap((body) => body.counts ?? []);
    const { values, rejected } = readRows(count, list, (row) => row);
    const isWhole = wholeKeys(count, list, 'catalog_object_id');
    const byItem = Map.groupBy(values, (row) => row.catalog_object_id);
    const readings = keys
      .filter(({ externalId }) => isWhole(externalId))
      .map((key): readonly [string, readonly StockDraft[]] => {
        const byLocation = Map.groupBy(byItem.get(key.externalId) ?? [], (row) => row.location_id);
        return [
          key.externalId,
          [...byLocation.values()].map((counts) =>
            decodeReading({ externalId: key.externalId, code: key.sku }, counts),
          ),
        ];
      });
    return { values: new Map(readings), rejected };
  },
  absent: [],
  // `calculated_at` tells the last movement, not when the count was read.
  freshnessMs: null,
};
