import { z } from 'zod';

import type { BatchReadDefinition, Decoded, FeedDefinition } from '#connectors/kit/definition.ts';
import type { OrderDraft, ProfileDraft } from '#connectors/kit/draft.ts';
import { readRows, rows, upserts } from '#connectors/kit/rows.ts';
import { countryOf, instantOf, moneyOf, slugOf, splitName, textOf, unitsOf, wordOf } from '#connectors/kit/text.ts';
import { advance, restartRun } from '#connectors/kit/watermark.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { OrderLineRecord, OrderState } from '#schema/model/records.ts';

import { anyOf, changesRequest, entitySet, literal, nextPage, odataPage, tokenExpired } from './odata.ts';
import type { OdataPage } from './odata.ts';
import { isGuid } from './settings.ts';
import type { BusinessCentralSettings } from './settings.ts';

const text = z.string().nullish();
const order = z.looseObject({
  id: z.string().min(1),
  number: z.string().min(1),
  externalDocumentNumber: text,
  orderDate: text,
  customerNumber: text,
  currencyCode: text,
  status: text,
  fullyShipped: z.boolean().nullish(),
  totalAmountIncludingTax: z.number().nullish(),
  lastModifiedDateTime: text,
  shipToName: text,
  shipToAddressLine1: text,
  shipToAddressLine2: text,
  shipToCity: text,
  shipToState: text,
  shipToPostCode: text,
  shipToCountry: text,
  email: text,
  phoneNumber: text,
  salesOrderLines: rows.nullish(),
});
type Order = z.infer<typeof order>;

const line = z.object({
  lineType: text,
  lineObjectNumber: text,
  description: text,
  quantity: z.number().nullish(),
  unitPrice: z.number().nullish(),
});

/** Values of the enum "Sales Order Entity Buffer Status"; OData writes the space as `_x0020_`. */
const STATES: Readonly<Record<string, OrderState>> = { draft: 'RECEIVED', 'in review': 'HELD', open: 'RELEASED' };

function stateOf(row: Order): OrderState {
  if (row.fullyShipped === true) return 'IN_TRANSIT';
  return wordOf(STATES, row.status?.replaceAll('_x0020_', ' ').toLowerCase()) ?? 'UNKNOWN';
}

function decodeLines(row: Order, currency: string): readonly OrderLineRecord[] {
  return readRows(line, row.salesOrderLines ?? [], (entry) => ({
    code: entry.lineType === 'Item' ? textOf(entry.lineObjectNumber) : null,
    title: textOf(entry.description),
    quantity: Math.max(0, unitsOf(entry.quantity) ?? 0),
    unitPrice: moneyOf(entry.unitPrice, currency),
    isComment: entry.lineType === 'Comment',
  })).values.flatMap(({ isComment, ...kept }) => (isComment ? [] : [kept]));
}

/** The person a guest order was shipped to. */
function guestOf(row: Order): ProfileDraft {
  const lines = [textOf(row.shipToAddressLine1), textOf(row.shipToAddressLine2)].filter((entry) => entry !== null);
  const country = countryOf(row.shipToCountry);
  const address = {
    lines,
    postalCode: textOf(row.shipToPostCode),
    city: textOf(row.shipToCity),
    region: textOf(row.shipToState),
    country,
  };
  return {
    externalId: row.id,
    kind: 'GUEST',
    ...splitName(row.shipToName),
    email: textOf(row.email),
    emailVerified: false,
    phone: textOf(row.phoneNumber),
    addresses: lines.length === 0 ? [] : [address],
    birthDate: null,
    preferences: null,
    loyaltyNumber: null,
    country,
    isTest: false,
    doNotLink: false,
    createdAt: instantOf(row.orderDate),
    stamp: { asOf: instantOf(row.lastModifiedDateTime), reference: row.number, sequence: null },
  };
}

function decodeOrder(row: Order, settings: BusinessCentralSettings): OrderDraft {
  const currency = textOf(row.currencyCode) ?? settings.currency;
  const changedAt = instantOf(row.lastModifiedDateTime);
  const number = textOf(row.customerNumber);
  const isGuest = number === null || number === settings.guestCustomerNumber;
  const channel = row[settings.channelField];
  const { customerSystem } = settings;
  return {
    externalId: row.id,
    orderNumber: textOf(row.externalDocumentNumber),
    state: stateOf(row),
    vendorState: row.fullyShipped === true ? `${row.status ?? ''}, fully shipped` : (row.status ?? ''),
    channel: typeof channel === 'string' ? slugOf(channel) : null,
    placedAt: instantOf(row.orderDate),
    customerExternalId: isGuest || customerSystem === undefined ? null : number.replace(/^CRM-/, ''),
    ...(customerSystem === undefined ? {} : { customerSystem: toSystemId(customerSystem) }),
    buyer: isGuest ? guestOf(row) : null,
    locationExternalId: null,
    lines: decodeLines(row, currency),
    total: moneyOf(row.totalAmountIncludingTax, currency),
    updatedAt: changedAt,
    stamp: { asOf: changedAt, reference: row.number, sequence: changedAt },
  };
}

/** Each order under its GUID and its number, whichever was asked for. */
function byEitherName(bodies: readonly OdataPage[], settings: BusinessCentralSettings): Decoded<OrderDraft> {
  const list = bodies.flatMap((body) => body.value);
  const read = readRows(order, list, (row) => ({ row, draft: decodeOrder(row, settings) }));
  const entries = read.values.flatMap(({ row, draft }): (readonly [string, OrderDraft])[] => [
    [row.number, draft],
    [row.id.toLowerCase(), draft],
  ]);
  return { values: new Map(entries), rejected: read.rejected };
}

/** Sales orders by GUID or number, with their lines. */
export const ordersById: BatchReadDefinition<string, OrderDraft, BusinessCentralSettings, OdataPage> = {
  max: 40,
  keyOf: (id) => (isGuid(id) ? id.toLowerCase() : id),
  accepts: (id) => isGuid(id) || id.length <= 20,
  request: (ids, { settings }) => ({
    operation: 'GET salesOrders',
    method: 'GET',
    path: entitySet('salesOrders', settings),
    query: {
      // A GUID is no string in OData: it stands without quotes, which is safe because its shape was checked.
      $filter: anyOf(ids.map((id) => (isGuid(id) ? `id eq ${id.toLowerCase()}` : `number eq ${literal(id)}`))),
      $expand: 'salesOrderLines',
    },
  }),
  page: odataPage,
  more: nextPage,
  decode: (bodies, _ids, { settings }) => byEitherName(bodies, settings),
  absent: null,
  freshnessMs: null,
};

export const orderFeed: FeedDefinition<OrderDraft, BusinessCentralSettings, OdataPage> = {
  feed: 'orders',
  intervalMs: 30_000,
  request: (cursor, { settings }) =>
    changesRequest(
      cursor,
      {
        operation: 'GET salesOrders',
        method: 'GET',
        path: entitySet('salesOrders', settings),
        query: { $expand: 'salesOrderLines' },
      },
      200,
    ),
  page: odataPage,
  decode: (body, cursor, { settings, nowMs }) => {
    const { values, rejected } = readRows(order, body.value, (row) => decodeOrder(row, settings));
    const token = body['@odata.nextLink'] ?? null;
    const next = advance(cursor, { changedAt: values.map((value) => value.updatedAt), token }, nowMs);
    return { ...next, changes: upserts(values), rejected };
  },
  expired: tokenExpired,
  restart: restartRun,
};
