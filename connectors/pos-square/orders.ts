import { z } from 'zod';

import type { BatchReadDefinition, Context, FeedDefinition, FeedStep } from '#connectors/kit/definition.ts';
import type { OrderDraft, ProfileDraft } from '#connectors/kit/draft.ts';
import { byKey, readRows, rows, upserts } from '#connectors/kit/rows.ts';
import { instantOf, moneyOfMinor, slugOf, splitName, textOf, unitsOf } from '#connectors/kit/text.ts';
import { advance, restartRun } from '#connectors/kit/watermark.ts';
import type { OrderLineRecord } from '#schema/model/records.ts';

import { addressOf } from './customers.ts';
import { LOCATIONS_REQUEST, locationIdsOf, locationsAnswer } from './locations.ts';
import { readPlan, searchRequest, writePlan } from './order-plan.ts';
import { orderState } from './order-state.ts';
import type { SquareSettings } from './settings.ts';
import { cursorExpired, squareAddress, squareMoney, text } from './wire.ts';

const recipient = z
  .object({ display_name: text, email_address: text, phone_number: text, address: squareAddress })
  .nullish();
const details = z.object({ recipient }).nullish();
const order = z.object({
  id: z.string().min(1),
  location_id: z.string().min(1),
  reference_id: text,
  source: z.object({ name: text }).nullish(),
  customer_id: text,
  state: text,
  created_at: text,
  updated_at: text,
  version: z.number().nullish(),
  total_money: squareMoney,
  line_items: rows.nullish(),
  returns: rows.nullish(),
  refunds: z.array(z.object({ status: text })).nullish(),
  fulfillments: z
    .array(
      z.object({
        type: text,
        state: text,
        pickup_details: details,
        shipment_details: details,
        delivery_details: details,
      }),
    )
    .nullish(),
});
type Order = z.infer<typeof order>;

const line = z.object({ catalog_object_id: text, name: text, quantity: z.string(), base_price_money: squareMoney });

function decodeLines(row: Order): readonly OrderLineRecord[] {
  return readRows(line, row.line_items ?? [], (entry) => ({
    code: textOf(entry.catalog_object_id),
    title: textOf(entry.name),
    quantity: Math.max(0, unitsOf(entry.quantity, 'demand') ?? 0),
    unitPrice: moneyOfMinor(entry.base_price_money?.amount, entry.base_price_money?.currency),
  })).values;
}

/**
 * The person on the fulfillment of an order without a customer; null: none (a sale over the counter), or a bare name, which
 * identifies nobody.
 */
function guestOf(row: Order): ProfileDraft | null {
  const first = row.fulfillments?.[0];
  const person = (first?.pickup_details ?? first?.shipment_details ?? first?.delivery_details)?.recipient;
  if (textOf(row.customer_id) !== null || person === null || person === undefined) return null;
  const address = addressOf(person.address);
  if (textOf(person.email_address) === null && textOf(person.phone_number) === null && address === null) return null;
  return {
    externalId: row.id,
    kind: 'GUEST',
    ...splitName(person.display_name),
    email: textOf(person.email_address),
    emailVerified: false,
    phone: textOf(person.phone_number),
    addresses: address === null ? [] : [address],
    birthDate: null,
    preferences: null,
    loyaltyNumber: null,
    country: address?.country ?? null,
    isTest: false,
    doNotLink: false,
    createdAt: instantOf(row.created_at),
    stamp: { asOf: instantOf(row.updated_at), reference: row.id, sequence: null },
  };
}

/** Pickups and shipments were mostly sold elsewhere: only their source tells the channel. */
function channelOf(row: Order, settings: SquareSettings): string | null {
  const isOverTheCounter = (row.fulfillments ?? []).length === 0;
  return slugOf(row.source?.name) ?? (isOverTheCounter ? settings.channel : null);
}

function decodeOrder(row: Order, settings: SquareSettings): OrderDraft {
  const changedAt = instantOf(row.updated_at);
  return {
    externalId: row.id,
    orderNumber: textOf(row.reference_id),
    ...orderState(row),
    channel: channelOf(row, settings),
    placedAt: instantOf(row.created_at),
    customerExternalId: textOf(row.customer_id),
    buyer: guestOf(row),
    locationExternalId: row.location_id,
    lines: decodeLines(row),
    total: moneyOfMinor(row.total_money?.amount, row.total_money?.currency),
    updatedAt: changedAt,
    stamp: {
      asOf: changedAt,
      reference: textOf(row.reference_id) ?? row.id,
      sequence: row.version?.toString() ?? null,
    },
  };
}

const ordersAnswer = z.object({ orders: rows.nullish() });
type OrdersAnswer = z.infer<typeof ordersAnswer>;

/** Orders by id; unknown ids are simply not in the answer. */
export const ordersById: BatchReadDefinition<string, OrderDraft, SquareSettings, OrdersAnswer> = {
  max: 100,
  keyOf: (id) => id,
  request: (ids) => ({
    operation: 'BatchRetrieveOrders',
    method: 'POST',
    path: '/v2/orders/batch-retrieve',
    json: { order_ids: ids },
  }),
  page: ordersAnswer,
  decode: (bodies, _ids, { settings }) => {
    const list = bodies.flatMap((body) => body.orders ?? []);
    return byKey(
      readRows(order, list, (row) => decodeOrder(row, settings)),
      (draft) => draft.externalId,
    );
  },
  absent: null,
  freshnessMs: null,
};

const feedAnswer = z.object({ orders: rows.nullish(), cursor: text, ...locationsAnswer.shape });
type FeedAnswer = z.infer<typeof feedAnswer>;

/**
 * Orders of every location, then the changed ones. A search names at most 10 locations, so a run first lists the
 * locations and then searches group after group.
 */
export const orderFeed: FeedDefinition<OrderDraft, SquareSettings, FeedAnswer> = {
  feed: 'orders',
  intervalMs: 30_000,
  request: (cursor) => {
    const plan = readPlan(cursor);
    return plan.groups === null ? LOCATIONS_REQUEST : searchRequest(plan);
  },
  page: feedAnswer,
  decode: (body, cursor, context) => {
    const plan = readPlan(cursor);
    if (plan.groups !== null) return decodeSearch(body, cursor, context);
    return { ...writePlan(plan, { locationIds: locationIdsOf(body) }), changes: [], rejected: 0 };
  },
  expired: cursorExpired,
  restart: (cursor) => restartRun(readPlan(cursor).run),
};

function decodeSearch(body: FeedAnswer, cursor: string | null, context: Context<SquareSettings>): FeedStep<OrderDraft> {
  const plan = readPlan(cursor);
  const { values, rejected } = readRows(order, body.orders ?? [], (row) => decodeOrder(row, context.settings));
  const page = { changedAt: values.map((value) => value.updatedAt), token: textOf(body.cursor) };
  const isLastGroup = (plan.groups ?? []).length <= 1;
  // Between two groups the run goes on: the empty token says that the next search begins without a cursor.
  const run = advance(plan.run, { ...page, token: page.token ?? (isLastGroup ? null : '') }, context.nowMs);
  return { ...writePlan(plan, { run, groupDone: page.token === null }), changes: upserts(values), rejected };
}
