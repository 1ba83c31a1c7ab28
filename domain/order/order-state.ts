import type { OrderState } from '#schema/model/records.ts';

/** What one system says of an order. */
export interface StateFacet {
  readonly state: OrderState;
  /** Epoch milliseconds of the system's last change; null: it does not say. */
  readonly atMs: number | null;
}

export interface JoinedState {
  readonly state: OrderState;
  /** Epoch milliseconds since when, as far as any system says; null: none does. */
  readonly atMs: number | null;
}

// How far an order has come. Systems lag behind each other, so the furthest one is right; of alternatives in one phase
// (pickup or shipment) the later in this list.
const PROGRESS: readonly OrderState[] = [
  'UNKNOWN',
  'RECEIVED',
  'VALIDATED',
  'PAYMENT_AUTHORIZED',
  'HELD',
  'SOURCED',
  'RELEASED',
  'PICKING',
  'PICKED',
  'PACKED',
  'READY_FOR_PICKUP',
  'HANDED_OVER',
  'IN_TRANSIT',
  'COLLECTED',
  'DELIVERED',
  'RETURN_REQUESTED',
  'RETURN_RECEIVED',
  'REFUNDED',
];
const PICKING = PROGRESS.indexOf('PICKING');
const HANDED_OVER = PROGRESS.indexOf('HANDED_OVER');

/**
 * The state of an order from what its systems say, by precedence and time:
 * 1. a cancellation counts unless goods were handed over and no system canceled after that;
 * 2. a hold counts while nothing was picked and no system spoke later;
 * 3. else the furthest progress counts; equal progress keeps the earliest time.
 * Does not depend on the order of the facets. No facet: UNKNOWN.
 */
export function joinStates(facets: readonly StateFacet[]): JoinedState {
  const progressing = facets.filter((facet) => facet.state !== 'CANCELED');
  const furthest = furthestOf(progressing);
  const cancellation = latestOf(facets.filter((facet) => facet.state === 'CANCELED'));
  if (cancellation !== null && cancels(cancellation, furthest)) return cancellation;
  const hold = latestOf(progressing.filter((facet) => facet.state === 'HELD'));
  if (hold !== null && progressOf(furthest) < PICKING && timeOf(hold) >= timeOf(latestOf(progressing))) return hold;
  return furthest ?? { state: 'UNKNOWN', atMs: null };
}

function cancels(cancellation: StateFacet, furthest: StateFacet | null): boolean {
  if (progressOf(furthest) < HANDED_OVER) return true;
  // Money given back after a cancellation tells more than the cancellation.
  if (furthest?.state === 'REFUNDED') return false;
  return timeOf(cancellation) > timeOf(furthest);
}

function furthestOf(facets: readonly StateFacet[]): StateFacet | null {
  return facets.reduce<StateFacet | null>((best, facet) => {
    const lead = progressOf(facet) - progressOf(best);
    return best === null || lead > 0 || (lead === 0 && startOf(facet) < startOf(best)) ? facet : best;
  }, null);
}

function latestOf(facets: readonly StateFacet[]): StateFacet | null {
  return facets.reduce<StateFacet | null>(
    (latest, facet) => (latest === null || timeOf(facet) > timeOf(latest) ? facet : latest),
    null,
  );
}

const progressOf = (facet: StateFacet | null): number => (facet === null ? -1 : PROGRESS.indexOf(facet.state));
const timeOf = (facet: StateFacet | null): number => facet?.atMs ?? Number.NEGATIVE_INFINITY;
const startOf = (facet: StateFacet): number => facet.atMs ?? Number.POSITIVE_INFINITY;

/** Far enough for any order, and exact in every database: 2286-11-20. */
export const OPEN_END_MS = 9_999_999_999_000;

const CLOSED: ReadonlySet<OrderState> = new Set(['CANCELED', 'REFUNDED', 'UNKNOWN']);
const COMPLETED: ReadonlySet<OrderState> = new Set(['COLLECTED', 'DELIVERED']);
const DAY_MS = 86_400_000;

/**
 * Until when the order gives a basis to use the buyer's details, as epoch milliseconds: while it is worked on or being
 * returned without end; `returnDays` after it was delivered or collected; not at all once canceled, refunded or unknown.
 * An unknown time counts as long ago: nothing stays open by mistake.
 */
export function openUntilMs(joined: JoinedState, returnDays: number): number {
  if (CLOSED.has(joined.state)) return joined.atMs ?? 0;
  if (COMPLETED.has(joined.state)) return joined.atMs === null ? 0 : joined.atMs + returnDays * DAY_MS;
  return OPEN_END_MS;
}
