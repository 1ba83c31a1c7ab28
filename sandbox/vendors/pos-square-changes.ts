import { z } from 'zod';
import { announce } from '#sandbox/world/announcements.ts';
import type { World, WorldStock } from '#sandbox/world/types.ts';
import { productsByVariation, storesById } from './pos-square-catalog.ts';
import { countsAt } from './pos-square-inventory.ts';
import { instant, readSquareBody, squareId, squareRefusal } from './pos-square-wire.ts';
import type { SquareCall } from './pos-square-wire.ts';
import type { Route } from './route-table.ts';

const quantity = z
  .string()
  .max(26)
  .regex(/^\d{1,12}(\.0{1,5})?$/, 'a whole, not negative decimal');
const target = {
  id: z.string().optional(),
  reference_id: z.string().max(255).nullish(),
  catalog_object_id: squareId,
  catalog_object_type: z.string().max(14).nullish(),
  location_id: squareId,
  quantity,
  occurred_at: instant,
  team_member_id: z.string().max(100).nullish(),
};
const physicalCount = z.strictObject({ ...target, state: z.enum(['IN_STOCK']) });
const adjustment = z.strictObject({ ...target, from_state: z.string().max(40), to_state: z.string().max(40) });
const changesBody = z.strictObject({
  idempotency_key: z.string().min(1).max(128),
  changes: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('PHYSICAL_COUNT'), physical_count: physicalCount }),
        z.strictObject({ type: z.literal('ADJUSTMENT'), adjustment }),
      ]),
    )
    .min(1)
    .max(100),
  ignore_unchanged_counts: z.boolean().nullish(),
});

type Change = z.output<typeof changesBody>['changes'][number];

/** What a change does to the two counted states, given the stock it meets. */
type Effect = (stock: { readonly free: number; readonly committed: number }) => { free: number; committed: number };

/** All others Square itself moves: "READ-ONLY: the Inventory API cannot move quantities to or from this state". */
const MOVABLE = new Set(['NONE IN_STOCK', 'UNLINKED_RETURN IN_STOCK', 'IN_STOCK SOLD', 'IN_STOCK WASTE']);
const OLDEST_MS = 24 * 3_600_000;

const answered = new WeakMap<World, Map<string, { readonly body: string; readonly answer: object }>>();

/** Stock writes of the Square fake: a batch changes the world as a whole or not at all, once per idempotency key. */
export const squareChangeRoutes: readonly Route<SquareCall>[] = [
  { method: 'POST', path: '/v2/inventory/changes/batch-create', handle: batchChange },
];

async function batchChange(call: SquareCall): Promise<Response> {
  const body = await readSquareBody(call, changesBody);
  const { world } = call;
  const earlier = answersOf(world).get(body.idempotency_key);
  const text = JSON.stringify(body);
  if (earlier !== undefined) {
    if (earlier.body === text) return Response.json(earlier.answer);
    throw squareRefusal(400, 'IDEMPOTENCY_KEY_REUSED', 'The key was used for another request', 'idempotency_key');
  }
  const planned = body.changes.map((change, index) => {
    const happenedMs = Date.parse(detailsOf(change).occurred_at);
    if (happenedMs > call.nowMs + 60_000 || happenedMs < call.nowMs - OLDEST_MS) {
      throw squareRefusal(400, 'INVALID_TIME', 'Not in the last 24 hours', `changes[${index}].occurred_at`);
    }
    return { change, effect: plan(world, change, index) };
  });
  const at = new Date(call.nowMs).toISOString();
  for (const { change, effect } of planned) apply(world, detailsOf(change), effect, at);
  const answer = {
    counts: countsAfter(world, body.changes),
    changes: body.changes.map((change, index) => echo(change, world, index)),
  };
  answersOf(world).set(body.idempotency_key, { body: text, answer });
  return Response.json(answer);
}

function plan(world: World, change: Change, index: number): Effect {
  const { catalog_object_id: variationId, location_id: locationId, quantity: text } = detailsOf(change);
  if (!productsByVariation(world).has(variationId)) {
    throw squareRefusal(404, 'NOT_FOUND', 'No such catalog object', `changes[${index}].catalog_object_id`);
  }
  if (!storesById(world).has(locationId)) {
    throw squareRefusal(404, 'NOT_FOUND', 'No such location', `changes[${index}].location_id`);
  }
  const units = Number(text);
  if (change.type === 'PHYSICAL_COUNT') return ({ committed }) => ({ free: units, committed });
  const { from_state: from, to_state: to } = change.adjustment;
  if (!MOVABLE.has(`${from} ${to}`)) {
    throw squareRefusal(400, 'INVALID_VALUE', 'No such adjustment', `changes[${index}].adjustment`);
  }
  return ({ free, committed }) => ({ free: free + (to === 'IN_STOCK' ? units : -units), committed });
}

function apply(world: World, details: Details, effect: Effect, at: string): void {
  const stock = stockAt(world, details);
  const { free, committed } = effect({ free: stock.onHand - stock.committed, committed: stock.committed });
  stock.onHand = free + committed;
  stock.committed = committed;
  stock.changedAt = at;
  world.sequence += 1;
  announce(world, { kind: 'stock', stock });
}

function stockAt(world: World, details: Details): WorldStock {
  const sku = productsByVariation(world).get(details.catalog_object_id)?.sku as string;
  const place = storesById(world).get(details.location_id)?.code as string;
  const key = `${sku}@${place}`;
  const found = world.stock.get(key);
  if (found !== undefined) return found;
  const created = { sku, place, onHand: 0, committed: 0, incoming: 0, changedAt: world.builtAt };
  world.stock.set(key, created);
  return created;
}

type Details = Pick<z.output<typeof physicalCount>, 'catalog_object_id' | 'location_id' | 'quantity' | 'occurred_at'>;

function detailsOf(change: Change): Details {
  return change.type === 'PHYSICAL_COUNT' ? change.physical_count : change.adjustment;
}

function countsAfter(world: World, changes: readonly Change[]): readonly object[] {
  const touched = new Map(
    changes.map(detailsOf).map((details) => [`${details.catalog_object_id}@${details.location_id}`, details]),
  );
  return [...touched.values()].flatMap((details) => countsAt(world, details.catalog_object_id, details.location_id));
}

function echo(change: Change, world: World, index: number): object {
  const id = `CHG${world.sequence}${index}`;
  return change.type === 'PHYSICAL_COUNT'
    ? { type: change.type, physical_count: { ...change.physical_count, id } }
    : { type: change.type, adjustment: { ...change.adjustment, id } };
}

function answersOf(world: World): Map<string, { readonly body: string; readonly answer: object }> {
  const found = answered.get(world);
  if (found !== undefined) return found;
  const created = new Map<string, { readonly body: string; readonly answer: object }>();
  answered.set(world, created);
  return created;
}
