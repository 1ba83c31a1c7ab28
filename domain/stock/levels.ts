import type { AuthorityConfig } from '#schema/model/configuration.ts';
import type { Provenance, QuantityFigure } from '#schema/model/figures.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { StockReading } from '#schema/model/records.ts';
import { quarantineReason, type StatedStock } from './atp.ts';
import { nameIn, type Place } from './locations.ts';
import type { ItemStockBySystem, SystemStock } from './stock-reader.ts';

/** Why nothing is offered. */
export type NoAvailabilityReason =
  | 'NO_AUTHORITY'
  | 'UPSTREAM_UNAVAILABLE'
  | 'CHANNEL_EXCLUDED'
  | 'QUARANTINED'
  | 'UNKNOWN_SKU';

/** What is known of one item at one place: the authority's statement, and the others' beside it. */
export interface PlaceStock {
  readonly place: Place;
  /** The authority's statement; null: there is none, `reason` says why. Quarantined figures are here and not offered. */
  readonly stated: (StatedStock & { readonly incoming: number | null; readonly provenance: Provenance }) | null;
  /** The authority names the place for this item; false: `stated` is the zero of a complete answer without it. */
  readonly named: boolean;
  /** Null: `stated` may be offered. */
  readonly reason: NoAvailabilityReason | null;
  /** The system whose failure is behind UPSTREAM_UNAVAILABLE or behind a last-seen figure. */
  readonly failedSystem: string | null;
  /** Other systems' figures for the same stock; never added to anything. */
  readonly witnesses: readonly QuantityFigure[];
}

/** Kind of place -> the systems whose figures count there: each at the places that are its own. */
export type Authorities = ReadonlyMap<string, readonly string[]>;

export function toAuthorities(configured: readonly AuthorityConfig[]): Authorities {
  const pairs = configured.flatMap(({ system, locationKinds }) => locationKinds.map((kind) => ({ kind, system })));
  const byKind = Map.groupBy(pairs, ({ kind }) => kind);
  return new Map([...byKind].map(([kind, entries]) => [kind, entries.map(({ system }) => system)]));
}

/** The one system whose figure counts at the place: of those of its kind the place's own, else the first that knows it. */
function authorityAt(place: Place, authorities: Authorities): string | undefined {
  const able = authorities.get(place.kind) ?? [];
  return place.names.find(({ system }) => able.includes(system))?.system;
}

export interface ItemStockFacts {
  readonly bySystem: ItemStockBySystem;
  /** The canonical system's company-wide figure. */
  readonly companyTotal: QuantityFigure | null;
  /** Connector of each system. */
  readonly connectors: ReadonlyMap<string, string>;
}

/** The stock of one item at one place, as its authority states it. Pure. */
export function stockAt(place: Place, facts: ItemStockFacts, authorities: Authorities): PlaceStock {
  const authority = authorityAt(place, authorities);
  const witnesses = witnessesOf(place, facts, authority ?? null);
  const name = authority === undefined ? null : nameIn(place, authority);
  const stock = authority === undefined ? undefined : facts.bySystem.get(authority);
  const without = (reason: NoAvailabilityReason, failedSystem: string | null = null): PlaceStock => ({
    place,
    stated: null,
    named: false,
    reason,
    failedSystem,
    witnesses,
  });
  if (authority === undefined || name === null || stock === undefined) return without('NO_AUTHORITY');
  if (stock.kind === 'NOT_CARRIED') return without('UNKNOWN_SKU');
  const reading = stock.readings.find(({ locationExternalId }) => locationExternalId === name);
  const stated = toStated(reading) ?? emptyPlace(reading, stock, facts.connectors.get(authority) ?? '', authority);
  if (stated === null) return without('UPSTREAM_UNAVAILABLE', authority);
  const failedSystem = stock.kind === 'PARTIAL' ? authority : null;
  const quarantined = quarantineReason(stated) !== null;
  return {
    place,
    stated,
    named: reading !== undefined,
    reason: quarantined ? 'QUARANTINED' : null,
    failedSystem,
    witnesses,
  };
}

function toStated(reading: StockReading | undefined): PlaceStock['stated'] {
  if (reading === undefined || reading.onHand === null) return null;
  const { onHand, committed, incoming, nets, provenance } = reading;
  return { onHand, committed, incoming, nets, provenance };
}

/** A complete answer that does not name the place says that none is there, as of when it was read. */
function emptyPlace(
  reading: StockReading | undefined,
  stock: SystemStock,
  connector: string,
  system: string,
): PlaceStock['stated'] {
  if (reading !== undefined || stock.kind !== 'COMPLETE') return null;
  const source = { system: toSystemId(system), connector, reference: null, sequence: null };
  const { observedAt } = stock;
  const lane = stock.readings[0]?.provenance.lane ?? 'REALTIME';
  return {
    onHand: 0,
    committed: 0,
    incoming: null,
    nets: [],
    provenance: { asOf: observedAt, observedAt, source, lane, stale: false, degraded: false, inputs: [] },
  };
}

function witnessesOf(place: Place, facts: ItemStockFacts, authority: string | null): readonly QuantityFigure[] {
  const others = place.names.flatMap(({ system, externalId }) => {
    const stock = facts.bySystem.get(system);
    if (system === authority || stock === undefined || stock.kind === 'NOT_CARRIED') return [];
    const reading = stock.readings.find(({ locationExternalId }) => locationExternalId === externalId);
    return toFigure(reading?.onHand ?? null, reading?.provenance) ?? [];
  });
  return facts.companyTotal === null ? others : [...others, facts.companyTotal];
}

/** A figure as it can be shown (GraphQL integers have 32 bits); null: nothing is stated, or it cannot be shown. */
export function toFigure(value: number | null, provenance: Provenance | undefined): QuantityFigure | null {
  if (value === null || provenance === undefined) return null;
  return Number.isInteger(value) && Math.abs(value) <= 2_147_483_647 ? { value, bound: null, provenance } : null;
}
