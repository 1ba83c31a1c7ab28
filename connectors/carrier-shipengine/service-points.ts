import { z } from 'zod';

import type { BatchReadDefinition } from '#connectors/kit/definition.ts';
import type { ServicePointDraft } from '#connectors/kit/draft.ts';
import { readRows, rows } from '#connectors/kit/rows.ts';
import { countryOf, textOf } from '#connectors/kit/text.ts';
import type { OpeningPeriod } from '#schema/model/records.ts';
import type { ServicePointQuery } from '#schema/model/shipping.ts';

import { isUnknownRecord } from './refusals.ts';
import type { ShipengineSettings } from './settings.ts';

const text = z.string().nullish();
const hours = z.array(z.object({ open: text, close: text })).nullish();
const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

const point = z.object({
  service_point_id: z.string().min(1),
  carrier_code: z.string(),
  company_name: text,
  address_line1: text,
  city_locality: text,
  state_province: text,
  postal_code: text,
  country_code: text,
  lat: z.number().nullish(),
  long: z.number().nullish(),
  distance_in_meters: z.number().nullish(),
  type: text,
  hours_of_operation: z
    .object({
      monday: hours,
      tuesday: hours,
      wednesday: hours,
      thursday: hours,
      friday: hours,
      saturday: hours,
      sunday: hours,
    })
    .nullish(),
});
type Point = z.infer<typeof point>;

function periodsOf({ hours_of_operation: week }: Point): readonly OpeningPeriod[] {
  return WEEKDAYS.flatMap((day, index) =>
    (week?.[day] ?? []).flatMap(({ open, close }) => {
      const opensAt = clockTimeOf(open);
      const closesAt = clockTimeOf(close);
      return opensAt === null || closesAt === null ? [] : [{ weekday: index + 1, opensAt, closesAt }];
    }),
  );
}

function clockTimeOf(value: string | null | undefined): string | null {
  return /^([01]\d|2[0-4]):[0-5]\d/.exec(value ?? '')?.[0] ?? null;
}

function decodePoint(row: Point, asOf: string): ServicePointDraft {
  const line = textOf(row.address_line1);
  return {
    externalId: row.service_point_id,
    carrier: row.carrier_code,
    kind: row.type === 'locker' ? 'LOCKER' : 'SERVICE_POINT',
    name: textOf(row.company_name),
    address: {
      lines: line === null ? [] : [line],
      postalCode: textOf(row.postal_code),
      city: textOf(row.city_locality),
      region: textOf(row.state_province),
      country: countryOf(row.country_code),
    },
    latitude: row.lat ?? null,
    longitude: row.long ?? null,
    distanceMeters: row.distance_in_meters ?? null,
    openingPeriods: periodsOf(row),
    stamp: { asOf, reference: row.service_point_id, sequence: null },
  };
}

const answer = z.object({ service_points: rows.nullish() });
type Answer = z.infer<typeof answer>;

const placeKey = ({ country, postalCode }: ServicePointQuery): string => `${country}/${postalCode}`;

/** Service points and lockers near a postal code, of every configured carrier, nearest first; those without a distance last. */
export const servicePointsNear: BatchReadDefinition<
  ServicePointQuery,
  readonly ServicePointDraft[],
  ShipengineSettings,
  Answer
> = {
  max: 1,
  keyOf: placeKey,
  accepts: (key) => /^[A-Z]{2}\/./.test(key),
  request: ([query], { settings }) => ({
    operation: 'service_points_list',
    method: 'POST',
    path: '/v1/service_points/list',
    json: {
      address: { country_code: query?.country, postal_code: query?.postalCode },
      providers: settings.carrierIds.map((id) => ({ carrier_id: id })),
      radius: settings.radiusMeters,
      max_results: 25,
    },
  }),
  page: answer,
  missing: isUnknownRecord,
  decode: (bodies, keys, { nowMs }) => {
    const asOf = new Date(nowMs).toISOString();
    const { values, rejected } = readRows(point, bodies[0]?.service_points ?? [], (row) => decodePoint(row, asOf));
    const nearestFirst = values.toSorted(
      (a, b) => (a.distanceMeters ?? Number.MAX_VALUE) - (b.distanceMeters ?? Number.MAX_VALUE),
    );
    const isEmpty = rejected > 0 && values.length === 0;
    return { values: isEmpty ? new Map() : new Map(keys.map((key) => [placeKey(key), nearestFirst])), rejected };
  },
  absent: [],
  freshnessMs: null,
};
