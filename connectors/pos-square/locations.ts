import { z } from 'zod';

import type { LocationsDefinition } from '#connectors/kit/definition.ts';
import type { LocationDraft } from '#connectors/kit/draft.ts';
import { readRows, rows } from '#connectors/kit/rows.ts';
import { countryOf, textOf, wordOf } from '#connectors/kit/text.ts';
import type { OpeningPeriod } from '#schema/model/records.ts';

import type { SquareSettings } from './settings.ts';
import { squareAddress, text } from './wire.ts';

const location = z.object({
  id: z.string().min(1),
  name: text,
  status: text,
  address: squareAddress,
  timezone: text,
  country: text,
  coordinates: z.object({ latitude: z.number().nullish(), longitude: z.number().nullish() }).nullish(),
  business_hours: z
    .object({
      periods: z.array(z.object({ day_of_week: text, start_local_time: text, end_local_time: text })).nullish(),
    })
    .nullish(),
});
type Location = z.infer<typeof location>;

export const locationsAnswer = z.object({ locations: rows.nullish() });
export type LocationsAnswer = z.infer<typeof locationsAnswer>;

export const LOCATIONS_REQUEST = { operation: 'ListLocations', method: 'GET', path: '/v2/locations' } as const;

const WEEKDAYS: Readonly<Record<string, number>> = { MON: 1, TUE: 2, WED: 3, THU: 4, FRI: 5, SAT: 6, SUN: 7 };

function decodePeriods(row: Location): readonly OpeningPeriod[] {
  return (row.business_hours?.periods ?? []).flatMap((period) => {
    const weekday = wordOf(WEEKDAYS, period.day_of_week);
    const opensAt = clockTimeOf(period.start_local_time);
    const closesAt = clockTimeOf(period.end_local_time);
    return weekday === null || opensAt === null || closesAt === null ? [] : [{ weekday, opensAt, closesAt }];
  });
}

/** `HH:MM` out of RFC 3339 local time; null when it is none. */
function clockTimeOf(value: string | null | undefined): string | null {
  return /^([01]\d|2[0-4]):[0-5]\d/.exec(value ?? '')?.[0] ?? null;
}

function decodeLocation(row: Location): LocationDraft {
  return {
    externalId: row.id,
    name: textOf(row.name),
    kind: 'STORE',
    zone: null,
    latitude: row.coordinates?.latitude ?? null,
    longitude: row.coordinates?.longitude ?? null,
    postalCode: textOf(row.address?.postal_code),
    country: countryOf(row.address?.country ?? row.country),
    timeZone: textOf(row.timezone),
    openingPeriods: decodePeriods(row),
  };
}

/** Ids of the locations in an answer, closed ones included: their orders remain. */
export function locationIdsOf(body: LocationsAnswer): readonly string[] {
  return readRows(location, body.locations ?? [], (row) => row.id).values;
}

/** Every active location of the seller; Square answers them all at once. */
export const locations: LocationsDefinition<SquareSettings, LocationsAnswer> = {
  request: () => LOCATIONS_REQUEST,
  page: locationsAnswer,
  decode: (bodies) => {
    const list = bodies.flatMap((body) => body.locations ?? []);
    const isActive = (row: Location): boolean => row.status !== 'INACTIVE';
    return readRows(location, list, (row) => row)
      .values.filter(isActive)
      .map(decodeLocation);
  },
};
