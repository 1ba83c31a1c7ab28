import type { ChannelConfig } from '#schema/model/configuration.ts';
import type { Provenance, QuantityFigure, Source } from '#schema/model/figures.ts';
import { type AtpTerms, availableToPromise, sumTerms, toAtpTerms } from './atp.ts';
import { type NoAvailabilityReason, type PlaceStock, toFigure } from './levels.ts';
import { servesChannel, type Place } from './locations.ts';

/**
 * STRICT: we are the only allocator, or the source reserves atomically. BOUNDED: others write too, and `bound` says by
 * how much the figure may be wrong. INDICATIVE: neither. Until the graph has a path to write commits, every figure is
 * INDICATIVE: tills and the warehouse sell without asking us, and no measured bound exists to state.
 */
type Guarantee = 'STRICT' | 'BOUNDED' | 'INDICATIVE';

export interface PlaceAvailability {
  readonly place: Place;
  /** Null with a reason. */
  readonly quantity: QuantityFigure | null;
  readonly reason: NoAvailabilityReason | null;
  readonly guarantee: Guarantee;
}

export interface ItemAvailability {
  readonly sku: string;
  readonly channel: ChannelConfig;
  readonly quantity: QuantityFigure | null;
  readonly reason: NoAvailabilityReason | null;
  readonly guarantee: Guarantee;
  /** Places asked for, or else places that serve the channel and can know the item. */
  readonly places: readonly PlaceAvailability[];
  /** The sums behind `quantity`; null when nothing is offered. */
  readonly terms: (AtpTerms & { readonly cap: number | null }) | null;
  /** Systems behind a stale or last-seen figure, or (provenance null) behind none at all. */
  readonly doubts: readonly { readonly system: string; readonly provenance: Provenance | null }[];
}

export interface AvailabilityQuestion {
  readonly sku: string;
  readonly channel: ChannelConfig;
  /** Places to consider, in the order to answer in. */
  readonly stocks: readonly PlaceStock[];
  /** The caller named the places: then those that do not count are answered too, with the reason. */
  readonly named: boolean;
  /** Places are missing because their system could not be read. */
  readonly incomplete: boolean;
}

/** Reasons of a total, most telling first. */
const PRECEDENCE: readonly NoAvailabilityReason[] = [
  'UPSTREAM_UNAVAILABLE',
  'QUARANTINED',
  'NO_AUTHORITY',
  'UNKNOWN_SKU',
  'CHANNEL_EXCLUDED',
];

/** What a channel can promise of one item: the sum of what its places can promise. Pure; witnesses play no part. */
export function availabilityOf({ sku, channel, stocks, named, incomplete }: AvailabilityQuestion): ItemAvailability {
  const assessed = stocks.map((stock) => assess(stock, channel));
  const counted = assessed.flatMap((one) => (one.terms === null ? [] : [{ ...one, terms: one.terms }]));
  const places = assessed
    .filter(({ reason }) => named || (reason !== 'CHANNEL_EXCLUDED' && reason !== 'UNKNOWN_SKU'))
    .map(({ stock, quantity, reason }) => ({ place: stock.place, quantity, reason, guarantee: 'INDICATIVE' as const }));
  const serving = assessed.filter(({ reason }) => reason !== 'CHANNEL_EXCLUDED');
  // Places that could not be read are missing from the sum: it is lower than it might be, and says so.
  const partial = incomplete || serving.some(({ reason }) => reason === 'UPSTREAM_UNAVAILABLE');
  const total = counted.reduce((sum, { terms }) => sum + availableToPromise(terms), 0);
  const provenance = deriveProvenance(counted.map(({ provenance: input }) => input));
  const quantity =
    provenance === null ? null : toFigure(total, { ...provenance, degraded: provenance.degraded || partial });
  return {
    sku,
    channel,
    quantity,
    reason:
      quantity === null
        ? totalReason(
            assessed.map(({ reason }) => reason),
            incomplete,
          )
        : null,
    guarantee: 'INDICATIVE',
    places,
    terms: quantity === null ? null : { ...sumTerms(counted.map(({ terms }) => terms)), cap: null },
    doubts: serving.flatMap(({ stock }) => doubtOf(stock) ?? []),
  };
}

interface Assessed {
  readonly stock: PlaceStock;
  readonly reason: NoAvailabilityReason | null;
  readonly quantity: QuantityFigure | null;
  readonly terms: AtpTerms | null;
  readonly provenance: Provenance;
}

const NOTHING: Provenance = {
  asOf: null,
  observedAt: '',
  source: null,
  lane: 'DERIVED',
  stale: false,
  degraded: false,
  inputs: [],
};

function assess(stock: PlaceStock, channel: ChannelConfig): Assessed {
  const reason = servesChannel(stock.place, channel) ? stock.reason : 'CHANNEL_EXCLUDED';
  if (reason !== null || stock.stated === null) {
    return { stock, reason: reason ?? 'UPSTREAM_UNAVAILABLE', quantity: null, terms: null, provenance: NOTHING };
  }
  const terms = toAtpTerms(stock.stated, channel.bufferUnits);
  const { provenance } = stock.stated;
  const quantity = toFigure(availableToPromise(terms), deriveProvenance([provenance]) ?? undefined);
  return { stock, reason: null, quantity, terms, provenance };
}

function doubtOf({ stated, failedSystem }: PlaceStock): ItemAvailability['doubts'][number] | null {
  const provenance = stated?.provenance ?? null;
  if (failedSystem !== null) return { system: failedSystem, provenance };
  if (provenance === null || provenance.source === null) return null;
  return provenance.stale || provenance.degraded ? { system: provenance.source.system, provenance } : null;
}

function totalReason(reasons: readonly (NoAvailabilityReason | null)[], incomplete: boolean): NoAvailabilityReason {
  if (incomplete) return 'UPSTREAM_UNAVAILABLE';
  return PRECEDENCE.find((reason) => reasons.includes(reason)) ?? 'CHANNEL_EXCLUDED';
}

/**
 * The provenance of a figure computed from others: as old as its oldest input (of unknown age when one is), stale or
 * degraded when any is, naming every source once. Null without inputs.
 */
export function deriveProvenance(inputs: readonly Provenance[]): Provenance | null {
  if (inputs.length === 0) return null;
  const oldest = (instants: readonly string[]): string =>
    instants.reduce((a, b) => (Date.parse(b) < Date.parse(a) ? b : a));
  const asOfs = inputs.map(({ asOf }) => asOf);
  const sources = inputs.flatMap(({ source, inputs: nested }) => (source === null ? nested : [source]));
  return {
    asOf: asOfs.includes(null) ? null : oldest(asOfs.filter((asOf) => asOf !== null)),
    observedAt: oldest(inputs.map(({ observedAt }) => observedAt)),
    source: null,
    lane: 'DERIVED',
    stale: inputs.some(({ stale }) => stale),
    degraded: inputs.some(({ degraded }) => degraded),
    inputs: [...new Map(sources.map((source) => [sourceKey(source), source])).values()],
  };
}

const sourceKey = ({ system, connector, reference, sequence }: Source): string =>
  JSON.stringify([system, connector, reference, sequence]);
