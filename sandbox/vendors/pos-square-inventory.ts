import { z } from 'zod';
import type { World, WorldStock } from '#sandbox/world/types.ts';
import { encodeCursor, pageAfter, sortKeyed } from './keyset.ts';
import type { Keyed } from './keyset.ts';
import { productsByVariation, storesById } from './pos-square-catalog.ts';
import { instant, readSquareBody, squareId, squarePosition, squareRefusal } from './pos-square-wire.ts';
import type { SquareCall } from './pos-square-wire.ts';
import type { Route } from './route-table.ts';
import { groupBy, momentOf, structureOf } from './world-views.ts';

type CountState = 'IN_STOCK' | 'RESERVED_FOR_SALE';

interface CountRow {
  readonly variationId: string;
  readonly locationId: string;
  readonly state: CountState;
  readonly stock: WorldStock;
}

const STATES =
  'CUSTOM IN_STOCK SOLD RETURNED_BY_CUSTOMER RESERVED_FOR_SALE SOLD_ONLINE ORDERED_FROM_VENDOR RECEIVED_FROM_VENDOR IN_TRANSIT_TO NONE WASTE UNLINKED_RETURN COMPOSED DECOMPOSED SUPPORTED_BY_NEWER_VERSION IN_TRANSIT'.split(
    ' ',
  );
const COUNTED: readonly CountState[] = ['IN_STOCK', 'RESERVED_FOR_SALE'];
const DEFAULT_PAGE = 100;

const countsBody = z.strictObject({
  catalog_object_ids: z.array(squareId).max(1000).nullish(),
  location_ids: z.array(squareId).max(1000).nullish(),
  updated_after: instant.nullish(),
  cursor: z.string().nullish(),
  states: z.array(z.enum(STATES)).nullish(),
  limit: z.int().min(1).max(1000).nullish(),
});

/** Stock counts of the Square fake: IN_STOCK is what is on hand and free, RESERVED_FOR_SALE what is committed. */
export const squareCountRoutes: readonly Route<SquareCall>[] = [
  { method: 'POST', path: '/v2/inventory/counts/batch-retrieve', handle: batchRetrieveCounts },
  {
    method: 'GET',
    path: '/v2/inventory/{catalog_object_id}',
    handle: (call, { catalog_object_id }) => countsOf(call, catalog_object_id),
  },
];

/** The counts of one variation at one location as Square writes them, for the answer to a change. */
export function countsAt(world: World, variationId: string, locationId: string): readonly object[] {
  const rows = rowsOfVariation(world, variationId);
  return rows.filter((row) => row.locationId === locationId).map(toCount);
}

async function batchRetrieveCounts(call: SquareCall): Promise<Response> {
  const { cursor, limit, ...query } = await readSquareBody(call, countsBody);
  const { world } = call;
  const places = query.location_ids?.length ? new Set(query.location_ids) : null;
  const states = query.states?.length ? new Set<string>(query.states) : null;
  const after = query.updated_after ? Date.parse(query.updated_after) : -Infinity;
  const all = query.catalog_object_ids?.length ? keyedCountsOf(world, query.catalog_object_ids) : allCounts(world);
  const rows = all.filter(
    ({ value, at }) =>
      at > after && (places === null || places.has(value.locationId)) && (states === null || states.has(value.state)),
  );
  return countsPage(rows, { cursor, limit: limit ?? DEFAULT_PAGE, query });
}

function countsOf({ world, url }: SquareCall, variationId: string | undefined): Response {
  if (!productsByVariation(world).has(variationId ?? '')) {
    throw squareRefusal(404, 'NOT_FOUND', 'No such catalog object', 'catalog_object_id');
  }
  const places = url.searchParams.get('location_ids')?.split(',').filter(Boolean) ?? [];
  const rows = keyedCountsOf(world, [variationId as string]);
  const kept = rows.filter(({ value }) => places.length === 0 || places.includes(value.locationId));
  const query = [variationId, places];
  return countsPage(kept, { cursor: url.searchParams.get('cursor'), limit: DEFAULT_PAGE, query });
}

function countsPage(
  rows: readonly Keyed<CountRow>[],
  page: { readonly cursor: string | null | undefined; readonly limit: number; readonly query: unknown },
): Response {
  const { values, next } = pageAfter(rows, squarePosition(page.cursor, page.query), page.limit, 'DESC');
  const cursor = next === null ? {} : { cursor: encodeCursor(next, page.query) };
  return Response.json({ ...(values.length === 0 ? {} : { counts: values.map(toCount) }), ...cursor });
}

function toCount({ variationId, locationId, state, stock }: CountRow): object {
  const quantity = state === 'IN_STOCK' ? stock.onHand - stock.committed : stock.committed;
  return {
    catalog_object_id: variationId,
    catalog_object_type: 'ITEM_VARIATION',
    state,
    location_id: locationId,
    quantity: String(quantity),
    calculated_at: stock.changedAt,
  };
}

function allCounts(world: World): readonly Keyed<CountRow>[] {
  return momentOf(world, 'square.counts', () =>
    sortKeyed([...productsByVariation(world).keys()].flatMap((id) => rowsOfVariation(world, id)).map(toKeyed), 'DESC'),
  );
}

function keyedCountsOf(world: World, variationIds: readonly string[]): readonly Keyed<CountRow>[] {
  const rows = [...new Set(variationIds)].flatMap((id) => rowsOfVariation(world, id));
  return sortKeyed(rows.map(toKeyed), 'DESC');
}

function toKeyed(row: CountRow): Keyed<CountRow> {
  const id = `${row.variationId}@${row.locationId}@${row.state}`;
  return { at: Date.parse(row.stock.changedAt), id, value: row };
}

function rowsOfVariation(world: World, variationId: string): readonly CountRow[] {
  const product = productsByVariation(world).get(variationId);
  if (product === undefined) return [];
  const byCode = structureOf(
    world,
    'square.storeCodes',
    () => new Map([...storesById(world)].map(([id, place]) => [place.code, id])),
  );
  const bySku = structureOf(world, 'square.stockBySku', () => groupBy(world.stock.values(), ({ sku }) => sku));
  return (bySku.get(product.sku) ?? []).flatMap((stock) => {
    const locationId = byCode.get(stock.place);
    return locationId === undefined ? [] : COUNTED.map((state) => ({ variationId, locationId, state, stock }));
  });
}
