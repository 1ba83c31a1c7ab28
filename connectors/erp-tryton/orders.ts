import { z } from 'zod';

import type { BatchReadDefinition, FeedDefinition } from '#connectors/kit/definition.ts';
import type { OrderDraft } from '#connectors/kit/draft.ts';
import { byKey, readRows, upserts } from '#connectors/kit/rows.ts';
import { instantOf, moneyOf, slugOf, textOf, unitsOf, wordOf } from '#connectors/kit/text.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { OrderLineRecord, OrderState } from '#schema/model/records.ts';

import { PAGE_SIZE, advanceChanges, changedSince } from './changes.ts';
import { recordId, records, searchRead } from './rpc.ts';
import type { Domain, Records } from './rpc.ts';
import { isRecordId } from './settings.ts';
import type { TrytonSettings } from './settings.ts';
import { date, decimal, instant, latest } from './values.ts';

const text = z.string().nullish();
const line = z.object({
  type: text,
  description: text,
  quantity: z.number().nullish(),
  unit_price: decimal.nullish(),
  'product.': z.object({ code: text }).nullish(),
});
const sale = z.looseObject({
  id: recordId,
  number: text,
  reference: text,
  sale_date: date.nullish(),
  state: text,
  shipment_state: text,
  party: recordId.nullish(),
  warehouse: recordId.nullish(),
  total_amount: decimal.nullish(),
  create_date: instant.nullish(),
  write_date: instant.nullish(),
  'party.': z.object({ code: text }).nullish(),
  'currency.': z.object({ code: text }).nullish(),
  'lines.': z.array(line),
  'shipments.': z.array(z.object({ state: text, write_date: instant.nullish() })),
});
type Sale = z.infer<typeof sale>;

const FIELDS = [
  'number',
  'reference',
  'sale_date',
  'state',
  'shipment_state',
  'party',
  'party.code',
  'warehouse',
  'currency.code',
  'total_amount',
  'lines.type',
  'lines.description',
  'lines.quantity',
  'lines.unit_price',
  'lines.product.code',
  'shipments.state',
  'shipments.write_date',
  'create_date',
  'write_date',
];

/** Source: trytond-sale 6.0, Sale.state. What is processed is released to the warehouse. */
const SALE_STATES: Readonly<Record<string, OrderState>> = {
  draft: 'RECEIVED',
  quotation: 'RECEIVED',
  confirmed: 'VALIDATED',
  processing: 'RELEASED',
  done: 'IN_TRANSIT',
  cancelled: 'CANCELED',
};
/** Source: trytond-stock 6.0, ShipmentOut.state; the first is the least done. */
const SHIPMENT_STATES: readonly (readonly [string, OrderState])[] = [
  ['draft', 'RELEASED'],
  ['waiting', 'RELEASED'],
  ['assigned', 'PICKING'],
  ['picked', 'PICKED'],
  ['packed', 'PACKED'],
  ['done', 'IN_TRANSIT'],
];

/** An order is as far as the shipment that is least done; Tryton does not hear of deliveries. */
function stateOf(row: Sale): { readonly state: OrderState; readonly vendorState: string } {
  const words = row['shipments.'].flatMap(({ state }) => (state === 'cancelled' ? [] : (textOf(state) ?? 'unknown')));
  const own = wordOf(SALE_STATES, row.state) ?? 'UNKNOWN';
  const vendorState = [row.state ?? '', ...words].join('/');
  if (words.length === 0 || own === 'CANCELED' || own === 'UNKNOWN') return { state: own, vendorState };
  if (words.some((word) => !SHIPMENT_STATES.some(([known]) => known === word)))
    return { state: 'UNKNOWN', vendorState };
  const least = SHIPMENT_STATES.find(([word]) => words.includes(word));
  return { state: least?.[1] ?? own, vendorState };
}

function decodeLines(row: Sale, currency: string): readonly OrderLineRecord[] {
  return row['lines.']
    .filter(({ type }) => type === 'line')
    .map((entry) => ({
      code: textOf(entry['product.']?.code),
      title: textOf(entry.description),
      quantity: Math.max(0, unitsOf(entry.quantity, 'demand') ?? 0),
      unitPrice: moneyOf(entry.unit_price, currency),
    }));
}

/** Whose order it is: a profile of another system by the party's code, or else the party. */
function buyerOf(row: Sale, settings: TrytonSettings): Pick<OrderDraft, 'customerExternalId' | 'customerSystem'> {
  const { customerSystem, customerCodePrefix: prefix } = settings;
  const code = textOf(row['party.']?.code);
  if (customerSystem !== undefined && code !== null && code.startsWith(prefix) && code.length > prefix.length) {
    return { customerExternalId: code.slice(prefix.length), customerSystem: toSystemId(customerSystem) };
  }
  return { customerExternalId: typeof row.party === 'number' ? String(row.party) : null };
}

const changeOf = (row: Sale): string | null =>
  latest([row.create_date, row.write_date, ...row['shipments.'].map(({ write_date }) => write_date)]);

function decodeOrder(row: Sale, settings: TrytonSettings): OrderDraft {
  const currency = textOf(row['currency.']?.code) ?? settings.currency;
  const changedAt = instantOf(changeOf(row));
  const channel = settings.channelField === undefined ? null : row[settings.channelField];
  return {
    externalId: String(row.id),
    orderNumber: textOf(row.reference),
    ...stateOf(row),
    channel: typeof channel === 'string' ? slugOf(channel) : null,
    placedAt: instantOf(row.sale_date),
    ...buyerOf(row, settings),
    buyer: null,
    locationExternalId: typeof row.warehouse === 'number' ? String(row.warehouse) : null,
    lines: decodeLines(row, currency),
    total: moneyOf(row.total_amount, currency),
    updatedAt: changedAt,
    stamp: { asOf: changedAt, reference: textOf(row.number), sequence: changeOf(row) },
  };
}

function sales(domain: Domain, settings: TrytonSettings, limit?: number) {
  const { channelField, company } = settings;
  const fields = channelField === undefined ? FIELDS : [...FIELDS, channelField];
  const own = [...domain, ['company', '=', company]];
  return searchRead('sale.sale', { domain: own, fields, ...(limit && { limit }) }, settings);
}

/** Sales by id, with their lines and how far their shipments are. */
export const ordersById: BatchReadDefinition<string, OrderDraft, TrytonSettings, Records> = {
  max: 50,
  keyOf: (id) => id,
  accepts: isRecordId,
  request: (ids, { settings }) => sales([['id', 'in', ids.map(Number)]], settings),
  page: records,
  decode: (bodies, _ids, { settings }) =>
    byKey(
      readRows(sale, bodies.flat(), (row) => decodeOrder(row, settings)),
      ({ externalId }) => externalId,
    ),
  absent: null,
  freshnessMs: null,
};

/** Every sale, then those that changed, themselves or by a shipment. */
export const orderFeed: FeedDefinition<OrderDraft, TrytonSettings, Records> = {
  feed: 'sales',
  intervalMs: 15_000,
  request: (cursor, { settings }) =>
    sales(changedSince(cursor, ['create_date', 'write_date', 'shipments.write_date']), settings, PAGE_SIZE),
  page: records,
  decode: (rows, cursor, { settings, nowMs }) => {
    const read = readRows(sale, rows, (row) => ({ draft: decodeOrder(row, settings), changedAt: changeOf(row) }));
    const page = { rows, changedAt: read.values.map(({ changedAt }) => changedAt) };
    const changes = upserts(read.values.map(({ draft }) => draft));
    return { ...advanceChanges(cursor, page, nowMs), changes, rejected: read.rejected };
  },
};
