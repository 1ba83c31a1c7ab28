import { MortarError } from '#platform/errors.ts';
import { distanceKm, type Point } from './distance.ts';
import type { Place } from './locations.ts';

/** Where to search from: exactly one of `point`, `postalCode` and `location`. */
export interface NearQuery {
  readonly point?: Point | null;
  readonly postalCode?: string | null;
  /** ISO 3166-1 alpha-2 of the postal code. */
  readonly country?: string | null;
  /** Id of a place. */
  readonly location?: string | null;
  readonly withinKm?: number | null;
}

export interface PlaceAtDistance {
  readonly place: Place;
  /** Null: not searched by distance, or the place's position is unknown. */
  readonly distanceKm: number | null;
}

const bad = (message: string): MortarError => new MortarError('BAD_USER_INPUT', { message });

/**
 * The point a search starts from. A postal code is resolved from the places' own codes: the same code, else the same
 * outward part (GB); their middle when there are several.
 * @throws {MortarError} BAD_USER_INPUT when not exactly one start is given, or it is not known.
 */
export function resolveStart(near: NearQuery, places: readonly Place[]): Point {
  const given = [near.point, near.postalCode, near.location].filter((value) => value != null);
  if (given.length !== 1) throw bad('`near` needs exactly one of `point`, `postalCode` and `location`.');
  if (near.withinKm != null && !(near.withinKm > 0 && near.withinKm <= 20_040)) {
    throw bad('`near.withinKm` must be more than 0 and at most 20040 (half the circumference of the earth).');
  }
  if (near.point != null) return checkedPoint(near.point);
  if (near.location != null) {
    const place = places.find(({ id }) => id === near.location);
    const position = place === undefined ? null : positionOf(place);
    if (position === null) throw bad('`near.location` is not a location whose position is known.');
    return position;
  }
  return resolvePostalCode(near.postalCode ?? '', near.country ?? null, places);
}

function checkedPoint({ latitude, longitude }: Point): Point {
  if (Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) return { latitude, longitude };
  throw bad('`near.point` must have a latitude of -90 to 90 and a longitude of -180 to 180 degrees.');
}

function resolvePostalCode(postalCode: string, country: string | null, places: readonly Place[]): Point {
  const wanted = compact(postalCode);
  const inCountry = places.filter((place) => country === null || place.country === country.toUpperCase());
  const withCode = inCountry.flatMap((place) => {
    const position = positionOf(place);
    return place.postalCode === null || position === null ? [] : [{ place, code: compact(place.postalCode), position }];
  });
  const exact = withCode.filter(({ code }) => code === wanted);
  const outward = withCode.filter(({ place, code }) => place.country === 'GB' && outwardOf(code) === outwardOf(wanted));
  const found = exact.length > 0 ? exact : outward;
  if (wanted === '' || found.length === 0) {
    throw bad(
      '`near.postalCode` is not known here: only postal codes (or GB districts) of our own locations are. Give a point instead.',
    );
  }
  const mean = (pick: (point: Point) => number) =>
    found.reduce((sum, { position }) => sum + pick(position), 0) / found.length;
  return { latitude: mean((point) => point.latitude), longitude: mean((point) => point.longitude) };
}

const compact = (code: string): string => code.replaceAll(/[\s-]/g, '').toUpperCase();

/** The district of a British postal code: `SW1A` of `SW1A1AA`; a district stays what it is. */
function outwardOf(code: string): string {
  return /\d[A-Z]{2}$/.test(code) && code.length >= 5 ? code.slice(0, -3) : code;
}

/** WGS 84 position; null: unknown. */
export function positionOf(place: Pick<Place, 'latitude' | 'longitude'>): Point | null {
  const { latitude, longitude } = place;
  return latitude === null || longitude === null ? null : { latitude, longitude };
}

/** Places nearest first, those of unknown position last or, under `withinKm`, not at all; without a start in id order. */
export function searchPlaces(
  places: readonly Place[],
  start: Point | null,
  withinKm: number | null,
): readonly PlaceAtDistance[] {
  if (start === null) return places.map((place) => ({ place, distanceKm: null }));
  const measured = places.map((place) => {
    const position = positionOf(place);
    return { place, distanceKm: position === null ? null : distanceKm(start, position) };
  });
  const within = measured.filter(({ distanceKm: km }) => withinKm === null || (km !== null && km <= withinKm));
  const rank = ({ distanceKm: km }: PlaceAtDistance): number => km ?? Number.MAX_VALUE;
  return within.toSorted((a, b) => rank(a) - rank(b) || (a.place.id < b.place.id ? -1 : 1));
}
