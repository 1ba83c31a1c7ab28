import { z } from 'zod';

import type { BatchReadDefinition, FeedDefinition } from '#connectors/kit/definition.ts';
import type { OrderDraft } from '#connectors/kit/draft.ts';
import { readRow, readRows, rows, upserts } from '#connectors/kit/rows.ts';
import { instantOf, textOf, unitsOf, wordOf } from '#connectors/kit/text.ts';
import type { OrderLineRecord, OrderState } from '#schema/model/records.ts';

import { advanceChanges, readChanges, restartChanges } from './changes-cursor.ts';
import type { ConnectSettings } from './settings.ts';

const text = z.string().nullish();
const fulfillments = z.object({
  fulfillment_provider_order_id: z.string().min(1),
  status: text,
  fulfillments: z.array(z.object({ status: text, reason: text, line_items: rows.nullish() })).nullish(),
  shipments: z
    .array(z.object({ order_number: text, ext_location_id: text, ship_date: text, items: rows.nullish() }))
    .nullish(),
});
type Fulfillments = z.infer<typeof fulfillments>;

const lineItem = z.object({ sku: text, quantity: z.number() });
const shippedItem = z.object({ sku: text, description: text, quantity: z.number() });

const STATUSES: Readonly<Record<string, OrderState>> = {
  Processing: 'PICKING',
  Cancelled: 'CANCELED',
  Rejected: 'CANCELED',
  Shipped: 'IN_TRANSIT',
};
/** The contract has four statuses; a WMS that knows more says so in `reason`. */
const REASONS: Readonly<Record<string, Readonly<Record<string, OrderState>>>> = {
  // What the WMS only took in is released to it, and nobody picks yet.
  Processing: { received: 'RELEASED', released: 'RELEASED', picked: 'PICKED', packed: 'PACKED' },
  Shipped: { delivered: 'DELIVERED' },
};

function stateOf(row: Fulfillments): { readonly state: OrderState; readonly vendorState: string } {
  const last = row.fulfillments?.at(-1);
  const status = textOf(row.status) ?? textOf(last?.status) ?? '';
  const reason = textOf(last?.reason) ?? '';
  const finer = wordOf(wordOf(REASONS, status) ?? {}, reason.toLowerCase());
  const hasPackage = status === 'Processing' && (row.shipments ?? []).length > 0;
  return {
    state: finer ?? (hasPackage ? 'PACKED' : (wordOf(STATUSES, status) ?? 'UNKNOWN')),
    vendorState: finer === null ? status : `${status}/${reason}`,
  };
}

function decodeLines(row: Fulfillments): readonly OrderLineRecord[] {
  const lines = (row.fulfillments ?? []).flatMap(
    (entry) => readRows(lineItem, entry.line_items ?? [], (line) => line).values,
  );
  const shipped = (row.shipments ?? []).flatMap(
    (entry) => readRows(shippedItem, entry.items ?? [], (line) => line).values,
  );
  const chosen: readonly z.infer<typeof shippedItem>[] = lines.length > 0 ? lines : shipped;
  return chosen.map((line) => ({
    code: textOf(line.sku),
    title: textOf(line.description),
    quantity: Math.max(0, unitsOf(line.quantity, 'demand') ?? 0),
    unitPrice: null,
  }));
}

function orderNumberOf(row: Fulfillments, { orderIdPrefix }: ConnectSettings): string | null {
  const written = (row.shipments ?? [])
    .map((shipment) => textOf(shipment.order_number))
    .find((number) => number !== null);
  if (written !== undefined) return written;
  const id = row.fulfillment_provider_order_id;
  return orderIdPrefix !== undefined && id.startsWith(orderIdPrefix) ? textOf(id.slice(orderIdPrefix.length)) : null;
}

function decodeOrder(row: Fulfillments, settings: ConnectSettings): OrderDraft {
  const shipment = row.shipments?.[0];
  const shippedAt = instantOf(shipment?.ship_date);
  return {
    externalId: row.fulfillment_provider_order_id,
    orderNumber: orderNumberOf(row, settings),
    ...stateOf(row),
    channel: null,
    placedAt: null,
    // The people on a shipment are whom it goes to, which the order's own system knows better: they are not read.
    customerExternalId: null,
    buyer: null,
    locationExternalId: textOf(shipment?.ext_location_id),
    lines: decodeLines(row),
    total: null,
    updatedAt: shippedAt,
    stamp: { asOf: shippedAt, reference: row.fulfillment_provider_order_id, sequence: null },
  };
}

function providerAuth(settings: ConnectSettings): object {
  return { fulfillment_provider_api_code: settings.fulfillmentProviderCode, api_key: settings.apiKey };
}

const oneAnswer = z.looseObject({ errors: z.array(z.object({ code: text })).nullish() });
type OneAnswer = z.infer<typeof oneAnswer>;

/** Fulfillments by the WMS's order id; the contract reads one order a call. */
export const ordersById: BatchReadDefinition<string, OrderDraft, ConnectSettings, OneAnswer> = {
  max: 1,
  keyOf: (id) => id,
  request: (ids, { settings, uuid }) => ({
    operation: 'POST get_fulfillments',
    method: 'POST',
    path: '/get_fulfillments',
    json: { transaction_id: uuid(), auth: providerAuth(settings), fulfillment_provider_order_id: ids[0] ?? '' },
  }),
  page: oneAnswer,
  decode: (bodies, ids, { settings }) => {
    const [id = ''] = ids;
    const codes = (bodies[0]?.errors ?? []).map((error) => error.code);
    if (codes.includes('fulfillments_not_found')) return { values: new Map([[id, null]]), rejected: 0 };
    const row = readRow(fulfillments, bodies[0]);
    return { values: new Map([[id, row instanceof Error ? row : decodeOrder(row, settings)]]), rejected: 0 };
  },
  absent: null,
  freshnessMs: null,
};

const changesAnswer = z.object({ changes: rows.nullish(), next_request: z.unknown().optional() });
type ChangesAnswer = z.infer<typeof changesAnswer>;

/** Changed fulfillments. Changes carry no instants, so each run asks from the start of the one before, a minute earlier. */
export const orderFeed: FeedDefinition<OrderDraft, ConnectSettings, ChangesAnswer> = {
  feed: 'fulfillments',
  intervalMs: 15_000,
  request: (cursor, { settings, uuid }) => {
    const { since, nextRequest } = readChanges(cursor);
    return {
      operation: 'POST get_recent_changes',
      method: 'POST',
      path: '/get_recent_changes',
      json: {
        transaction_id: uuid(),
        auth: providerAuth(settings),
        since: since ?? settings.changesSince,
        ...(nextRequest === null ? {} : { next_request: nextRequest }),
      },
    };
  },
  page: changesAnswer,
  decode: (body, cursor, { settings, nowMs }) => {
    const { values, rejected } = readRows(fulfillments, body.changes ?? [], (row) => decodeOrder(row, settings));
    return { ...advanceChanges(cursor, body.next_request, nowMs), changes: upserts(values), rejected };
  },
  // The contract names no code for a next request that ended: any refusal of the call itself.
  expired: ({ status }) => status === 400 || status === 404 || status === 410,
  restart: restartChanges,
};
