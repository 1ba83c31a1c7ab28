import { Temporal } from 'temporal-polyfill';

import type { OpeningPeriod } from '#schema/model/records.ts';

/** Opening hours as the location's own clock shows them. */
export interface OpeningHours {
  /** IANA name. */
  readonly timeZone: string;
  readonly openingPeriods: readonly OpeningPeriod[];
}

export interface Opening {
  readonly openNow: boolean;
  /** The next instant at which it opens, ISO 8601 UTC; null: open now, or no opening within two weeks. */
  readonly nextOpening: string | null;
}

/** Past the longest run of closed days a weekly table can describe. */
const HORIZON_DAYS = 8;

/**
 * Whether a place is open, by its own time zone. A period whose end is not after its start ends on the next day; `24:00`
 * is midnight at the end of the day. A time the clock skips in spring counts as the first instant after the gap; of a
 * time shown twice in autumn the first is meant as an opening and the second as a closing. Null: hours or zone unknown.
 */
export function openingAt(hours: OpeningHours, nowMs: number): Opening | null {
  const { timeZone, openingPeriods } = hours;
  if (openingPeriods.length === 0) return null;
  const today = dateIn(timeZone, nowMs);
  if (today === null) return null;
  let next: number | null = null;
  // From yesterday on: a period past midnight began the day before.
  for (let day = -1; day <= HORIZON_DAYS; day += 1) {
    const date = today.add({ days: day });
    for (const period of openingPeriods) {
      if (period.weekday !== date.dayOfWeek) continue;
      const { startMs, endMs } = intervalOf(date, period, timeZone);
      if (startMs <= nowMs && nowMs < endMs) return { openNow: true, nextOpening: null };
      if (startMs > nowMs && endMs > startMs && (next === null || startMs < next)) next = startMs;
    }
    if (next !== null && day >= 0) break;
  }
  return { openNow: false, nextOpening: next === null ? null : new Date(next).toISOString() };
}

function dateIn(timeZone: string, nowMs: number): Temporal.PlainDate | null {
  try {
    return Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone).toPlainDate();
  } catch {
    // A zone the source made up: then nothing can be said.
    return null;
  }
}

function intervalOf(date: Temporal.PlainDate, period: OpeningPeriod, timeZone: string) {
  const opens = minutesOf(period.opensAt);
  const closes = minutesOf(period.closesAt);
  return {
    startMs: instantOf(date, opens, { timeZone, disambiguation: 'compatible' }),
    endMs: instantOf(date, closes > opens ? closes : closes + 1_440, { timeZone, disambiguation: 'later' }),
  };
}

interface Wall {
  readonly timeZone: string;
  readonly disambiguation: 'compatible' | 'later';
}

function instantOf(date: Temporal.PlainDate, minutes: number, { timeZone, disambiguation }: Wall): number {
  const wall = date
    .add({ days: Math.floor(minutes / 1_440) })
    .toPlainDateTime({ hour: Math.floor((minutes % 1_440) / 60), minute: minutes % 60 });
  return wall.toZonedDateTime(timeZone, { disambiguation }).epochMilliseconds;
}

function minutesOf(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return hour * 60 + minute;
}

/** Remembers each place's answer for the running minute: opening hours have no finer grain. @param maxPlaces bound of what is remembered */
export function memoizeOpenings(
  maxPlaces = 10_000,
): (id: string, hours: OpeningHours, nowMs: number) => Opening | null {
  let minute = -1;
  let known = new Map<string, { readonly hours: OpeningHours; readonly opening: Opening | null }>();
  return (id, hours, nowMs) => {
    const current = Math.floor(nowMs / 60_000);
    if (current !== minute || known.size > maxPlaces) {
      minute = current;
      known = new Map();
    }
    const remembered = known.get(id);
    if (remembered !== undefined && remembered.hours === hours) return remembered.opening;
    const opening = openingAt(hours, current * 60_000);
    known.set(id, { hours, opening });
    return opening;
  };
}
