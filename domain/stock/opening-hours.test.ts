import { describe, expect, test } from 'vitest';

import { memoizeOpenings, openingAt } from './opening-hours.ts';

const everyDay = (opensAt: string, closesAt: string) =>
  [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, opensAt, closesAt }));
const at = (timeZone: string, openingPeriods: Parameters<typeof openingAt>[0]['openingPeriods'], now: string) =>
  openingAt({ timeZone, openingPeriods }, Date.parse(now));
const open = { openNow: true, nextOpening: null };
const closed = (nextOpening: string | null) => ({ openNow: false, nextOpening });

const LONDON = 'Europe/London';
const nine = everyDay('09:00', '17:30');
const night = everyDay('22:00', '02:00');
const mondays = [{ weekday: 1, opensAt: '09:00', closesAt: '10:00' }];

describe('a location’s opening', () => {
  test.each([
    // Winter: London is UTC. 2026-11-23 is a Monday.
    ['at opening time', LONDON, nine, '2026-11-23T09:00:00Z', open],
    ['a minute before', LONDON, nine, '2026-11-23T08:59:00Z', closed('2026-11-23T09:00:00.000Z')],
    ['at closing time', LONDON, nine, '2026-11-23T17:30:00Z', closed('2026-11-24T09:00:00.000Z')],
    // Summer: UTC+1.
    ['in summer time', LONDON, nine, '2026-07-01T08:00:00Z', open],
    ['in summer time too early', LONDON, nine, '2026-07-01T07:59:00Z', closed('2026-07-01T08:00:00.000Z')],
    // 2026-03-29 01:00 UTC: clocks go from 01:00 to 02:00.
    ['the evening before clocks go forward', LONDON, nine, '2026-03-28T18:00:00Z', closed('2026-03-29T08:00:00.000Z')],
    [
      'opening in the hour that does not exist',
      LONDON,
      everyDay('01:30', '05:00'),
      '2026-03-29T00:59:00Z',
      closed('2026-03-29T01:30:00.000Z'),
    ],
    ['a night cut short in spring', LONDON, night, '2026-03-29T00:59:00Z', open],
    ['its end in spring', LONDON, night, '2026-03-29T01:00:00Z', closed('2026-03-29T21:00:00.000Z')],
    // 2026-10-25 01:00 UTC: clocks go from 02:00 back to 01:00.
    ['a night made longer in autumn', LONDON, everyDay('22:00', '01:30'), '2026-10-25T01:15:00Z', open],
    [
      'its end in autumn',
      LONDON,
      everyDay('22:00', '01:30'),
      '2026-10-25T01:30:00Z',
      closed('2026-10-25T22:00:00.000Z'),
    ],
    ['the morning after clocks go back', LONDON, nine, '2026-10-25T08:30:00Z', closed('2026-10-25T09:00:00.000Z')],
    // Past midnight.
    ['after midnight', LONDON, night, '2026-11-24T01:59:00Z', open],
    ['between nights', LONDON, night, '2026-11-24T12:00:00Z', closed('2026-11-24T22:00:00.000Z')],
    ['until 24:00', LONDON, everyDay('10:00', '24:00'), '2026-11-23T23:59:00Z', open],
    ['around the clock', LONDON, everyDay('00:00', '24:00'), '2026-11-23T00:00:00Z', open],
    ['around the clock written 00:00', LONDON, everyDay('00:00', '00:00'), '2026-11-23T13:00:00Z', open],
    // Rare openings and other zones.
    ['once a week, just closed', LONDON, mondays, '2026-11-23T10:00:00Z', closed('2026-11-30T09:00:00.000Z')],
    ['once a week, on Sunday', LONDON, mondays, '2026-11-29T10:00:00Z', closed('2026-11-30T09:00:00.000Z')],
    [
      'a lunch break',
      LONDON,
      [...everyDay('08:00', '12:00'), ...everyDay('13:00', '18:00')],
      '2026-11-23T12:30:00Z',
      closed('2026-11-23T13:00:00.000Z'),
    ],
    ['a zone a day ahead', 'Pacific/Auckland', nine, '2026-11-22T20:00:00Z', open],
    ['a zone with a half hour', 'Asia/Kolkata', nine, '2026-11-23T03:30:00Z', open],
  ] as const)('%s', (...[, zone, periods, now, expected]) => {
    expect(at(zone, periods, now)).toEqual(expected);
  });

  test('is unknown without hours or with a zone that does not exist', () => {
    expect(at(LONDON, [], '2026-11-23T09:00:00Z')).toBeNull();
    expect(at('Mars/Olympus', nine, '2026-11-23T09:00:00Z')).toBeNull();
  });

  test('is remembered for a minute, and no longer', () => {
    const openings = memoizeOpenings();
    const hours = { timeZone: LONDON, openingPeriods: nine };
    const first = openings('loc', hours, Date.parse('2026-11-23T08:59:10Z'));
    expect(openings('loc', hours, Date.parse('2026-11-23T08:59:59Z'))).toBe(first);
    expect(openings('loc', hours, Date.parse('2026-11-23T09:00:00Z'))).toEqual(open);
    expect(openings('loc', { ...hours, openingPeriods: [] }, Date.parse('2026-11-23T09:00:00Z'))).toBeNull();
  });
});
