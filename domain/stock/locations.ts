import type { RetailConfig, LocationConfig } from '#schema/model/configuration.ts';
import { type ExternalRef, locationIdOf, toSystemId } from '#schema/model/ids.ts';
import type { LocationRecord } from '#schema/model/records.ts';
import type { OpeningHours } from './opening-hours.ts';

/** A place with what the configuration adds to it. */
export interface Place extends LocationRecord {
  /** Its names in all systems, the home system's first. */
  readonly names: readonly ExternalRef[];
  /** Null: every channel that lists its kind. */
  readonly onlyChannels: readonly string[] | null;
  /** Null: hours or time zone unknown. */
  readonly hours: OpeningHours | null;
}

/**
 * The places: what systems say, completed and corrected by the configuration, which may also add places no system
 * describes. A system's record of a place that is configured as another's alias is that other place. In id order.
 */
export function mergePlaces(
  records: readonly LocationRecord[],
  configured: readonly LocationConfig[],
): readonly Place[] {
  const aliases = new Set(configured.flatMap((place) => place.aliases ?? []).map(nameKey));
  const bySource = new Map(records.map((record) => [nameKey(record), record]));
  const byConfig = new Map(configured.map((place) => [nameKey(place), place]));
  const keys = new Set([...bySource.keys(), ...byConfig.keys()]);
  return [...keys]
    .filter((key) => !aliases.has(key))
    .flatMap((key) => toPlace(bySource.get(key), byConfig.get(key)) ?? [])
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

const nameKey = (ref: { readonly system: string; readonly externalId: string }): string =>
  `${ref.system}\n${ref.externalId}`;

function toPlace(record: LocationRecord | undefined, config: LocationConfig | undefined): Place | null {
  const home = record ?? config;
  const kind = config?.kind ?? record?.kind;
  // A configured place without a kind only completes what its system says, and the system does not say it.
  if (home === undefined || kind === undefined) return null;
  const ref: ExternalRef = { system: toSystemId(home.system), externalId: home.externalId };
  const timeZone = config?.timeZone ?? record?.timeZone ?? null;
  const openingPeriods = config?.openingPeriods ?? record?.openingPeriods ?? [];
  const aliases = (config?.aliases ?? []).map((alias) => ({ ...alias, system: toSystemId(alias.system) }));
  return {
    ...ref,
    id: locationIdOf(ref),
    name: config?.name ?? record?.name ?? null,
    kind,
    zone: config?.zone ?? record?.zone ?? null,
    latitude: config?.latitude ?? record?.latitude ?? null,
    longitude: config?.longitude ?? record?.longitude ?? null,
    postalCode: config?.postalCode ?? record?.postalCode ?? null,
    country: config?.country ?? record?.country ?? null,
    timeZone,
    openingPeriods,
    names: [ref, ...aliases],
    onlyChannels: config?.onlyChannels ?? null,
    hours: timeZone === null || openingPeriods.length === 0 ? null : { timeZone, openingPeriods },
  };
}

/** The id by which `system` knows the place; null: it does not. */
export function nameIn(place: Place, system: string): string | null {
  return place.names.find((name) => name.system === system)?.externalId ?? null;
}

/** Whether stock at the place may be offered on the channel. */
export function servesChannel(
  place: Pick<Place, 'kind' | 'onlyChannels'>,
  channel: RetailConfig['channels'][number],
): boolean {
  const open = place.onlyChannels === null || place.onlyChannels.includes(channel.id);
  return open && channel.locationKinds.includes(place.kind);
}
