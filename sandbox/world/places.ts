import type { WorldPlace } from './types.ts';

type Week = WorldPlace['openingPeriods'];
type Spot = readonly [code: string, name: string, zone: WorldPlace['zone'], latitude: number, longitude: number];

const UK = { country: 'GB', timeZone: 'Europe/London' } as const;

const week = (days: readonly number[], opensAt: string, closesAt: string): Week =>
  days.map((weekday) => ({ weekday, opensAt, closesAt }));
const every = [1, 2, 3, 4, 5, 6, 7];
const weekdays = [1, 2, 3, 4, 5];

const LONG: Week = [...week([1, 2, 3, 4, 5, 6], '08:00', '20:00'), ...week([7], '10:00', '16:00')];
const SHORT: Week = [
  ...week(weekdays, '09:00', '17:30'),
  ...week([6], '09:00', '17:00'),
  ...week([7], '10:30', '16:30'),
];
const NO_SUNDAY: Week = week([1, 2, 3, 4, 5, 6], '09:00', '17:30');
const ALWAYS: Week = week(every, '00:00', '24:00');
const PAST_MIDNIGHT: Week = [...week(weekdays, '10:00', '22:00'), ...week([6, 7], '10:00', '02:00')];
const SHIFTS: Week = [...week(weekdays, '06:00', '22:00'), ...week([6], '08:00', '16:00')];
const OFFICE: Week = week(weekdays, '08:00', '17:00');

// Real towns and coordinates; streets and postcodes lie in them, the buildings are invented.
const stores: readonly (readonly [...Spot, street: string, city: string, postalCode: string, opening: Week])[] = [
  ['S01', 'London Covent Garden', 'URBAN', 51.5117, -0.124, '14 Long Acre', 'London', 'WC2E 9LH', LONG],
  ['S02', 'Manchester Arndale', 'URBAN', 53.4839, -2.2388, '49 Market Street', 'Manchester', 'M4 3AH', LONG],
  ['S03', 'Birmingham Bullring', 'URBAN', 52.4777, -1.8933, '7 St Martins Walk', 'Birmingham', 'B5 4BU', LONG],
  ['S04', 'Leeds Trinity', 'URBAN', 53.7968, -1.5446, '27 Albion Street', 'Leeds', 'LS1 5AT', PAST_MIDNIGHT],
  ['S05', 'Glasgow Buchanan', 'URBAN', 55.8617, -4.2532, '102 Buchanan Street', 'Glasgow', 'G1 2NG', LONG],
  ['S06', 'Bristol Cribbs', 'SUBURBAN', 51.5258, -2.5962, '3 Merlin Road', 'Bristol', 'BS34 5DG', ALWAYS],
  ['S07', 'Cardiff Queen Street', 'URBAN', 51.4822, -3.1745, '88 Queen Street', 'Cardiff', 'CF10 2GR', SHORT],
  ['S08', 'Norwich Chapelfield', 'REGIONAL', 52.6243, 1.2906, '5 Merchants Hall', 'Norwich', 'NR2 1SU', SHORT],
  ['S09', 'Exeter Princesshay', 'REGIONAL', 50.7245, -3.5286, '21 Bedford Street', 'Exeter', 'EX1 1GJ', SHORT],
  ['S10', 'Inverness Eastgate', 'RURAL', 57.4787, -4.2214, '11 Eastgate', 'Inverness', 'IV2 3PP', NO_SUNDAY],
  ['S11', 'Newcastle Eldon', 'URBAN', 54.9756, -1.6152, '60 Percy Street', 'Newcastle upon Tyne', 'NE1 7JB', LONG],
  ['S12', 'Kendal Highgate', 'RURAL', 54.3263, -2.7476, '34 Highgate', 'Kendal', 'LA9 4SX', SHORT],
];

const others: readonly WorldPlace[] = [
  {
    ...UK,
    code: 'W1',
    name: 'Daventry fulfillment center',
    kind: 'WAREHOUSE',
    zone: 'REGIONAL',
    latitude: 52.2785,
    longitude: -1.1638,
    street: '2 Danes Way',
    city: 'Daventry',
    postalCode: 'NN11 8PR',
    openingPeriods: ALWAYS,
    ids: { wms: 'wh-daventry' },
  },
  {
    ...UK,
    code: 'W2',
    name: 'Wakefield fulfillment center',
    kind: 'WAREHOUSE',
    zone: 'SUBURBAN',
    latitude: 53.7023,
    longitude: -1.4275,
    street: '9 Express Way',
    city: 'Wakefield',
    postalCode: 'WF6 2TZ',
    openingPeriods: SHIFTS,
    ids: { wms: 'wh-wakefield' },
  },
  {
    ...UK,
    code: 'SUP1',
    name: 'Stoke drop-ship supplier',
    kind: 'SUPPLIER',
    zone: 'REGIONAL',
    latitude: 53.0027,
    longitude: -2.1794,
    street: '40 Kiln Lane',
    city: 'Stoke-on-Trent',
    postalCode: 'ST1 5SQ',
    openingPeriods: OFFICE,
    ids: { wms: 'wh-supplier-stoke' },
  },
  {
    ...UK,
    code: 'FBA',
    name: 'Marketplace fulfillment network',
    kind: 'MARKETPLACE_WAREHOUSE',
    zone: 'REGIONAL',
    latitude: 52.6921,
    longitude: -1.2063,
    street: '1 Amazon Way',
    city: 'Coalville',
    postalCode: 'LE67 1GQ',
    openingPeriods: ALWAYS,
    ids: { marketplace: 'FBA-GB' },
  },
];

/** Where a store of a data set lies; `name` carries no brand. */
export interface StoreSite {
  readonly name: string;
  readonly town: string;
  readonly latitude: number;
  readonly longitude: number;
}

/**
 * The retailer's places: stores S01..S12 (S06 never closes, S10 is shut on Sundays, S04 closes past midnight on
 * weekends), warehouses W1 and W2, supplier SUP1, marketplace warehouse FBA.
 *
 * @param sites - twelve sites that take the stores' geography over; the rest of each store stays
 */
export function buildPlaces(sites: readonly StoreSite[] | null): readonly WorldPlace[] {
  const places = stores.map(([code, name, zone, latitude, longitude, street, city, postalCode, opening], index) => {
    const place: WorldPlace = {
      ...UK,
      code,
      name,
      kind: 'STORE',
      zone,
      latitude,
      longitude,
      street,
      city,
      postalCode,
      openingPeriods: opening,
      ids: { pos: `L${code}MORTAR` },
    };
    const site = sites?.[index];
    if (site === undefined) return place;
    // The list has neither street nor postcode: another town's would be a lie.
    const { town, ...spot } = site;
    return { ...place, ...spot, street: 'High Street', city: town, postalCode: '' };
  });
  return [...places, ...others];
}
