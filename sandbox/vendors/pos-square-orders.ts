import { z } from 'zod';
import { announce } from '#sandbox/world/announcements.ts';
import { moveOrder } from '#sandbox/world/move-order.ts';
import type { World, WorldOrder } from '#sandbox/world/types.ts';
import { encodeCursor, pageAfter, sortKeyed } from './keyset.ts';
import { toSquareOrder } from './pos-square-order.ts';
import { squareOrderState } from './pos-square-order.ts';
import { isWithin, readSquareBody, squareId, squarePosition, squareRefusal, timeRange } from './pos-square-wire.ts';
import type { SquareCall } from './pos-square-wire.ts';
import { storesById } from './pos-square-catalog.ts';
import type { Route } from './route-table.ts';
import { momentOf, structureOf } from './world-views.ts';

const SORT_FIELDS = ['CREATED_AT', 'UPDATED_AT', 'CLOSED_AT'] as const;
const STATES = ['OPEN', 'COMPLETED', 'CANCELED', 'DRAFT'] as const;
const DEFAULT_PAGE = 500;

const batchBody = z.strictObject({ location_id: squareId.nullish(), order_ids: z.array(squareId).min(1).max(100) });
const searchBody = z.strictObject({
  location_ids: z.array(squareId).min(1).max(10),
  cursor: z.string().optional(),
  limit: z.int().min(1).max(1000).optional(),
  return_entries: z.boolean().optional(),
  query: z
    .strictObject({
      filter: z
        .strictObject({
          state_filter: z.strictObject({ states: z.array(z.enum(STATES)).min(1) }).optional(),
          date_time_filter: z
            .strictObject({
              created_at: timeRange.optional(),
              updated_at: timeRange.optional(),
              closed_at: timeRange.optional(),
            })
            .optional(),
          customer_filter: z.strictObject({ customer_ids: z.array(squareId).max(10).nullish() }).optional(),
        })
        .optional(),
      sort: z
        .strictObject({ sort_field: z.enum(SORT_FIELDS), sort_order: z.enum(['ASC', 'DESC']).optional() })
        .optional(),
    })
    .optional(),
});

type Query = z.output<typeof searchBody>['query'];

/** The orders of the Square fake: what the stores sold, and what customers pick up in them. */
export const squareOrderRoutes: readonly Route<SquareCall>[] = [
  { method: 'POST', path: '/v2/orders/batch-retrieve', handle: batchRetrieve },
  { method: 'POST', path: '/v2/orders/search', handle: search },
  { method: 'GET', path: '/v2/orders/{order_id}', handle: (call, { order_id }) => one(call, order_id) },
  { method: 'PUT', path: '/v2/orders/{order_id}', handle: (call, { order_id }) => update(call, order_id) },
];

async function batchRetrieve(call: SquareCall): Promise<Response> {
  const { location_id: locationId, order_ids: ids } = await readSquareBody(call, batchBody);
  const byId = ordersById(call.world);
  const found = [...new Set(ids)].flatMap((id) => byId.get(id) ?? []);
  const kept = found.filter((order) => !locationId || locationOf(call.world, order) === locationId);
  return Response.json(kept.length === 0 ? {} : { orders: kept.map((order) => toWire(call.world, order)) });
}

function one({ world }: SquareCall, id: string | undefined): Response {
  const order = ordersById(world).get(id ?? '');
  if (order === undefined) throw squareRefusal(404, 'NOT_FOUND', 'No such order', 'order_id');
  return Response.json({ order: toWire(world, order) });
}

const updateBody = z.strictObject({
  idempotency_key: z.string().min(1).max(192).nullish(),
  order: z.strictObject({
    location_id: squareId,
    version: z.int(),
    fulfillments: z
      .array(z.strictObject({ uid: z.string(), state: z.enum(['RESERVED', 'PREPARED', 'COMPLETED', 'CANCELED']) }))
      .length(1),
  }),
});
const STAGES = {
  RESERVED: 'picking',
  PREPARED: 'readyForPickup',
  COMPLETED: 'collected',
  CANCELED: 'canceled',
} as const;

const updated = new WeakMap<World, Map<string, { readonly wanted: string; readonly answer: object }>>();

/** Fulfillments of open orders move on; a key answers again what it answered first, and only to the same body. */
async function update(call: SquareCall, id: string | undefined): Promise<Response> {
  const { idempotency_key: key, order: wanted } = await readSquareBody(call, updateBody);
  const { world } = call;
  const answers = updated.get(world) ?? new Map<string, { readonly wanted: string; readonly answer: object }>();
  updated.set(world, answers);
  const earlier = answers.get(key ?? '');
  if (earlier !== undefined && earlier.wanted !== JSON.stringify({ id, wanted })) {
    throw squareRefusal(400, 'IDEMPOTENCY_KEY_REUSED', 'The key was used for another request', 'idempotency_key');
  }
  if (earlier !== undefined) return Response.json(earlier.answer);
  const order = ordersById(world).get(id ?? '');
  if (order === undefined) throw squareRefusal(404, 'NOT_FOUND', 'No such order', 'order_id');
  const now = toWire(world, order);
  if (now.state !== 'OPEN') throw squareRefusal(400, 'BAD_REQUEST', `The order is ${now.state}`);
  if (wanted.version !== now.version) throw squareRefusal(409, 'CONFLICT', 'Another version is the latest');
  const [fulfillment] = wanted.fulfillments;
  if (order.channel === 'store' || fulfillment?.uid !== 'F1') {
    throw squareRefusal(400, 'BAD_REQUEST', 'No such fulfillment', 'order.fulfillments[0].uid');
  }
  world.sequence += 1;
  moveOrder(world, order, { stage: STAGES[fulfillment.state], at: new Date(call.nowMs).toISOString() });
  announce(world, { kind: 'order', order, isNew: false });
  const answer = { order: toWire(world, order) };
  if (key) answers.set(key, { wanted: JSON.stringify({ id, wanted }), answer });
  return Response.json(answer);
}

async function search(call: SquareCall): Promise<Response> {
  const { cursor, limit, return_entries: entries, ...asked } = await readSquareBody(call, searchBody);
  const { world } = call;
  for (const id of asked.location_ids) {
    if (!storesById(world).has(id)) throw squareRefusal(404, 'NOT_FOUND', 'No such location', 'location_ids');
  }
  const field = sortField(asked.query);
  const order = asked.query?.sort?.sort_order ?? 'DESC';
  const rows = momentOf(world, `square.orders:${JSON.stringify(asked)}`, () => {
    const places = new Set(asked.location_ids);
    const kept = [...ordersById(world).values()].filter(
      (value) => places.has(locationOf(world, value)) && fits(value, asked.query),
    );
    return sortKeyed(
      kept.map((value) => ({ at: instantOf(value, field), id: idOf(value), value })),
      order,
    );
  });
  const { values, next } = pageAfter(rows, squarePosition(cursor, asked), limit ?? DEFAULT_PAGE, order);
  const found = values.map((value) => toWire(world, value));
  const body = entries === true ? { order_entries: found.map(toEntry) } : { orders: found };
  return Response.json({
    ...(found.length === 0 ? {} : body),
    ...(next === null ? {} : { cursor: encodeCursor(next, asked) }),
  });
}

/** Square refuses a date filter that is not the one it sorts by. */
function sortField(query: Query): (typeof SORT_FIELDS)[number] {
  const field = query?.sort?.sort_field ?? 'CREATED_AT';
  for (const name of Object.keys(query?.filter?.date_time_filter ?? {})) {
    if (name.toUpperCase() !== field) {
      throw squareRefusal(400, 'BAD_REQUEST', `A ${name} filter needs sort_field ${name.toUpperCase()}`, 'query.sort');
    }
  }
  return field;
}

function fits(order: WorldOrder, query: Query): boolean {
  const filter = query?.filter;
  const states = filter?.state_filter?.states;
  if (states !== undefined && !states.includes(squareOrderState(order.stage))) return false;
  const customers = filter?.customer_filter?.customer_ids;
  if (customers?.length && !customers.includes(order.profileIds.pos ?? '')) return false;
  const times = filter?.date_time_filter;
  return (
    isWithin(times?.created_at, Date.parse(order.placedAt)) &&
    isWithin(times?.updated_at, Date.parse(order.updatedAt)) &&
    isWithin(times?.closed_at, Date.parse(order.updatedAt)) &&
    (times?.closed_at === undefined || squareOrderState(order.stage) !== 'OPEN')
  );
}

function instantOf(order: WorldOrder, field: (typeof SORT_FIELDS)[number]): number {
  return Date.parse(field === 'CREATED_AT' ? order.placedAt : order.updatedAt);
}

function ordersById(world: World): ReadonlyMap<string, WorldOrder> {
  return structureOf(world, 'square.ordersById', () => {
    const own = world.orders.filter((order) => order.ids.pos !== undefined && locationOf(world, order) !== '');
    return new Map(own.map((order) => [idOf(order), order]));
  });
}

const idOf = (order: WorldOrder) => order.ids.pos as string;

/** The store's Square id; empty when no store serves the order. */
function locationOf(world: World, order: WorldOrder): string {
  const byCode = structureOf(
    world,
    'square.locationByCode',
    () => new Map(world.places.map((place) => [place.code, place.ids.pos ?? ''])),
  );
  return byCode.get(order.place ?? '') ?? '';
}

function toWire(world: World, order: WorldOrder): ReturnType<typeof toSquareOrder> {
  const bySku = structureOf(
    world,
    'square.productsBySku',
    () => new Map(world.products.map((product) => [product.sku, product])),
  );
  return toSquareOrder(order, locationOf(world, order), bySku);
}

function toEntry(order: ReturnType<typeof toSquareOrder>): object {
  return { order_id: order.id, version: order.version, location_id: order.location_id };
}
