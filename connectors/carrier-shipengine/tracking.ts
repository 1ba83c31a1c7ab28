import { z } from 'zod';

import type { BatchReadDefinition } from '#connectors/kit/definition.ts';
import type { TrackingDraft } from '#connectors/kit/draft.ts';
import { readRow, readRows, rows } from '#connectors/kit/rows.ts';
import { countryOf, instantOf, textOf, wordOf } from '#connectors/kit/text.ts';
import type { TrackingEvent, TrackingKey, TrackingState } from '#schema/model/shipping.ts';

import { isUnknownRecord } from './refusals.ts';
import type { ShipengineSettings } from './settings.ts';

const text = z.string().nullish();
const log = z.object({
  tracking_number: z.string().min(1),
  status_code: text,
  status_description: text,
  ship_date: text,
  estimated_delivery_date: text,
  actual_delivery_date: text,
  events: rows.nullish(),
});

// The name of who signed is personal and not needed: it is not read.
const event = z.object({
  occurred_at: z.string(),
  status_code: text,
  description: text,
  city_locality: text,
  country_code: text,
});
type Event = z.infer<typeof event>;

/** Source: ShipEngine API, "Tracking status codes". */
const STATES: Readonly<Record<string, TrackingState>> = {
  NY: 'NOT_YET_IN_SYSTEM',
  AC: 'ACCEPTED',
  IT: 'IN_TRANSIT',
  AT: 'DELIVERY_ATTEMPTED',
  SP: 'AT_SERVICE_POINT',
  DE: 'DELIVERED',
  EX: 'EXCEPTION',
  UN: 'UNKNOWN',
};

const stateOf = (code: string | null | undefined): TrackingState => wordOf(STATES, code) ?? 'UNKNOWN';

function decodeEvent(row: Event): readonly TrackingEvent[] {
  const at = instantOf(row.occurred_at);
  if (at === null) return [];
  return [
    {
      at,
      state: stateOf(row.status_code),
      vendorState: row.status_code ?? '',
      description: textOf(row.description),
      city: textOf(row.city_locality),
      country: countryOf(row.country_code),
    },
  ];
}

function decodeLog(row: z.infer<typeof log>, key: TrackingKey, asOf: string): TrackingDraft {
  const { values } = readRows(event, row.events ?? [], decodeEvent);
  return {
    // What was asked for: carriers write the number their own way.
    externalId: key.trackingNumber,
    carrier: key.carrier,
    state: stateOf(row.status_code),
    vendorState: row.status_code ?? '',
    shippedAt: instantOf(row.ship_date),
    estimatedDeliveryAt: instantOf(row.estimated_delivery_date),
    deliveredAt: instantOf(row.actual_delivery_date),
    events: values.flat().toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at)),
    stamp: { asOf, reference: row.tracking_number, sequence: null },
  };
}

const answer = z.looseObject({});
type Answer = z.infer<typeof answer>;

const trackingKey = ({ carrier, trackingNumber }: TrackingKey): string => `${carrier}/${trackingNumber}`;

/** Where parcels are; one parcel a call. A number no carrier knows is NOT_YET_IN_SYSTEM or 404. */
export const trackingOf: BatchReadDefinition<TrackingKey, TrackingDraft, ShipengineSettings, Answer> = {
  max: 1,
  keyOf: trackingKey,
  // An empty part would ask for something else.
  accepts: (key) => !key.startsWith('/') && !key.endsWith('/'),
  request: ([key]) => ({
    operation: 'get_tracking_log',
    method: 'GET',
    path: '/v1/tracking',
    query: { carrier_code: key?.carrier, tracking_number: key?.trackingNumber },
  }),
  page: answer,
  missing: isUnknownRecord,
  decode: (bodies, [key], { nowMs }) => {
    if (bodies.length === 0 || key === undefined) return { values: new Map(), rejected: 0 };
    const row = readRow(log, bodies[0]);
    const value = row instanceof Error ? row : decodeLog(row, key, new Date(nowMs).toISOString());
    return { values: new Map([[trackingKey(key), value]]), rejected: 0 };
  },
  absent: null,
  freshnessMs: 15 * 60_000,
};
