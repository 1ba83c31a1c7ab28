import { type JoinedState, joinStates, openUntilMs } from './order-state.ts';
import type { OrderDirectoryTable, OrderReferenceTable, OrderTables } from './tables.ts';

/** How the facets of one order become one order. */
export interface OrderPolicy {
  /** Systems by how much their word counts for channel, place and buyer, first wins; others come last. */
  readonly precedence: readonly string[];
  /** The registered recipient of orders placed with a system, for example a marketplace's. */
  readonly recipients: Readonly<Record<string, string>>;
  /** Days after delivery or collection in which an order can be returned. */
  readonly returnDays: number;
}

export interface MergedOrder {
  readonly directory: Omit<OrderDirectoryTable, 'id' | 'order_number'>;
  readonly relation: Omit<OrderTables['order_relation'], 'order_id' | 'synced_at'>;
}

// A named profile says more than what was typed into one order, and any name more than none.
const BUYER_KINDS = ['PROFILE', 'MARKETPLACE_BUYER', 'GUEST', 'ANONYMOUS'];

/** One order of at least one facet; the answer does not depend on their order. */
export function mergeFacets(facets: readonly OrderReferenceTable[], policy: OrderPolicy): MergedOrder {
  const ordered = facets.toSorted((a, b) => precedenceOf(a, policy) - precedenceOf(b, policy) || compareKeys(a, b));
  const joined = joinStates(
    facets.map(({ state, updated_at, placed_at }) => ({ state, atMs: updated_at ?? placed_at })),
  );
  const buyer = ordered.toSorted((a, b) => BUYER_KINDS.indexOf(a.buyer_kind) - BUYER_KINDS.indexOf(b.buyer_kind))[0]!;
  const placedAt = placedAtOf(facets);
  const locationId = firstKnown(ordered, (facet) => facet.location_id);
  return {
    directory: {
      state: joined.state,
      channel: firstKnown(ordered, (facet) => facet.channel),
      placed_at: placedAt,
      subject_id: buyer.subject_id,
      location_id: locationId,
      updated_at: latest(facets.map((facet) => facet.updated_at)),
    },
    relation: {
      subject_id: buyer.subject_id,
      store: locationId,
      recipient: firstKnown(ordered, (facet) => policy.recipients[facet.system] ?? null),
      placed_at: placedAt,
      open_until: openUntilOf(joined, policy),
    },
  };
}

function openUntilOf(joined: JoinedState, policy: OrderPolicy): number {
  return openUntilMs(joined, policy.returnDays);
}

const DAY_MS = 86_400_000;

/** The earliest instant; midnights only where nobody knows better: some systems keep the day alone. */
function placedAtOf(facets: readonly OrderReferenceTable[]): number {
  const known = facets.flatMap((facet) => facet.placed_at ?? []);
  const exact = known.filter((instant) => instant % DAY_MS !== 0);
  const usable = exact.length > 0 ? exact : known;
  return usable.length === 0 ? 0 : Math.min(...usable);
}

function precedenceOf(facet: OrderReferenceTable, policy: OrderPolicy): number {
  const index = policy.precedence.indexOf(facet.system);
  return index === -1 ? policy.precedence.length : index;
}

function compareKeys(a: OrderReferenceTable, b: OrderReferenceTable): number {
  return `${a.system}\n${a.external_id}` < `${b.system}\n${b.external_id}` ? -1 : 1;
}

function firstKnown<V>(
  facets: readonly OrderReferenceTable[],
  valueOf: (facet: OrderReferenceTable) => V | null,
): V | null {
  for (const facet of facets) {
    const value = valueOf(facet);
    if (value !== null) return value;
  }
  return null;
}

function latest(instants: readonly (number | null)[]): number | null {
  const known = instants.filter((instant) => instant !== null);
  return known.length === 0 ? null : Math.max(...known);
}
