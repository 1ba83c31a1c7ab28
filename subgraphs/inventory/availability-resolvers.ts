import type { GraphQLResolveInfo } from 'graphql';

import type { Catalog } from '#domain/catalog/catalog.ts';
import type { ItemAvailability, PlaceAvailability } from '#domain/stock/availability.ts';
import type { PlaceDirectory } from '#domain/stock/location-registry.ts';
import type { NearQuery, PlaceAtDistance } from '#domain/stock/location-search.ts';
import type { Stock } from '#domain/stock/stock.ts';
import { checkedFirst, checkedList, explainingInput } from '#platform/input-errors.ts';
import { pathOf } from '#platform/report-provenance.ts';
import type { ResolverMap } from '#platform/resolver-check.ts';
import type { SubgraphContext } from '#platform/subgraph.ts';
import type { InventoryLoaders } from './loaders.ts';
import { placesUnder, reportedDirectory } from './location-resolvers.ts';

type Context = SubgraphContext<InventoryLoaders>;

export interface AvailabilityResolverOptions {
  readonly stock: Stock;
  readonly catalog: Pick<Catalog, 'channel'>;
}

interface Scope {
  readonly channel: string;
  readonly near?: NearQuery | null;
  readonly locations?: readonly string[] | null;
}
type AvailabilityArgs = Scope & { readonly skus: readonly string[] };

/** An availability with the places it was asked about. */
interface AvailabilityRow extends ItemAvailability {
  readonly found: readonly PlaceAtDistance[];
  readonly ordered: boolean;
}

/** Resolvers of availability. Expected outcomes are reasons, not errors. */
export function createAvailabilityResolvers({ stock, catalog }: AvailabilityResolverOptions) {
  const ask = async (sku: string, scope: Scope, around: { context: Context; directory: PlaceDirectory }) => {
    const { context, directory } = around;
    const channel = catalog.channel(scope.channel);
    // A product nobody can tell of costs its own entry only, and says so in its reason.
    const facts = await context.loaders.facts.load(sku).catch(toError);
    const named = scope.locations != null;
    const found = placesUnder(scope.near, namedPlaces(scope.locations, directory), directory.places);
    // Places somebody named and we know cannot be missing.
    const allKnown = scope.locations?.every((id) => directory.byId.has(id)) ?? false;
    const incomplete = directory.failures.length > 0 && !allKnown;
    const places = found.map(({ place }) => place);
    const answer = stock.availability({ sku, channel, facts, places, named, incomplete });
    return { ...answer, found, ordered: named || scope.near != null };
  };

  return {
    Query: {
      availability: (_root: unknown, args: AvailabilityArgs, context: Context, info: GraphQLResolveInfo) =>
        explainingInput(async () => {
          checkedList(args.skus, 'skus');
          checkedList(args.locations ?? [], 'locations');
          catalog.channel(args.channel);
          const directory = await reportedDirectory(context, info);
          placesUnder(args.near, [], directory.places);
          return args.skus.map((sku) => ask(sku, args, { context, directory }));
        }),
    },
    Product: {
      availability: ({ sku }: { sku: string }, { channel }: Scope, context: Context, info: GraphQLResolveInfo) =>
        explainingInput(async () => {
          catalog.channel(channel);
          return ask(sku, { channel }, { context, directory: await reportedDirectory(context, info) });
        }),
    },
    Availability: {
      product: ({ sku }: AvailabilityRow) => ({ sku }),
      channel: ({ channel }: AvailabilityRow) => ({ id: channel.id }),
      quantity(row: AvailabilityRow, _args: unknown, { notices }: Context, info: GraphQLResolveInfo) {
        const path = pathOf(info);
        for (const [system, { provenance }] of new Map(row.doubts.map((doubt) => [doubt.system, doubt]))) {
          const { asOf = null, lane = 'REALTIME', stale = true } = provenance ?? {};
          notices.degrade({ system, lane, asOf, stale, degraded: provenance?.degraded ?? true, path });
        }
        return row.quantity;
      },
      locations: (row: AvailabilityRow, { first }: { first?: number | null }) =>
        explainingInput(() => placeRows(row).slice(0, checkedFirst(first))),
      explain: ({ terms }: AvailabilityRow) => terms,
    },
  } satisfies ResolverMap<InventoryLoaders>;
}

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error('unknown', { cause: error }));

/** The places named, in the order named, each once, unknown ids left out; all places when none is named. */
function namedPlaces(ids: readonly string[] | null | undefined, { places, byId }: PlaceDirectory) {
  return ids == null ? places : [...new Set(ids)].flatMap((id) => byId.get(id) ?? []);
}

function placeRows({ places, found, ordered }: AvailabilityRow) {
  const distances = new Map(found.map(({ place, distanceKm }) => [place.id, distanceKm]));
  const units = ({ quantity }: PlaceAvailability): number => quantity?.value ?? -1;
  const sorted = ordered ? places : places.toSorted((a, b) => units(b) - units(a));
  return sorted.map((row) => ({
    ...row,
    location: { place: row.place, distanceKm: distances.get(row.place.id) ?? null },
  }));
}
