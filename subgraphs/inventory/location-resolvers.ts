import type { GraphQLResolveInfo } from 'graphql';

import type { PlaceDirectory } from '#domain/stock/location-registry.ts';
import {
  type NearQuery,
  type PlaceAtDistance,
  positionOf,
  resolveStart,
  searchPlaces,
} from '#domain/stock/location-search.ts';
import type { Place } from '#domain/stock/locations.ts';
import type { Stock } from '#domain/stock/stock.ts';
import type { Cursors } from '#platform/cursors.ts';
import { MortarError } from '#platform/errors.ts';
import { explainingInput } from '#platform/input-errors.ts';
import { pathOf } from '#platform/report-provenance.ts';
import type { ResolverMap } from '#platform/resolver-check.ts';
import type { SubgraphContext } from '#platform/subgraph.ts';
import type { InventoryLoaders } from './loaders.ts';
import { type PageArgs, pageOf } from './pages.ts';

type Context = SubgraphContext<InventoryLoaders>;
interface LocationsArgs extends PageArgs {
  readonly near?: NearQuery | null;
  readonly kinds?: readonly string[] | null;
}

export interface LocationResolverOptions {
  readonly stock: Stock;
  readonly cursors: Cursors;
}

/** Resolvers of places. Errors: UPSTREAM_* where an unknown id may belong to a system that cannot be read. */
export function createLocationResolvers({ stock, cursors }: LocationResolverOptions) {
  return {
    Query: {
      location: async (_root: unknown, { id }: { id: string }, context: Context, info: GraphQLResolveInfo) =>
        findLocation(id, await reportedDirectory(context, info)),
      locations: (_root: unknown, args: LocationsArgs, context: Context, info: GraphQLResolveInfo) =>
        explainingInput(async () => locationPage(args, await reportedDirectory(context, info), cursors)),
    },
    Location: {
      __resolveReference: async ({ id }: { id?: unknown }, { loaders }: Context) =>
        typeof id === 'string' ? findLocation(id, await loaders.directory()) : null,
      id: ({ place }: PlaceAtDistance) => place.id,
      name: ({ place }: PlaceAtDistance) => place.name,
      kind: ({ place }: PlaceAtDistance) => place.kind,
      zone: ({ place }: PlaceAtDistance) => place.zone,
      position: ({ place }: PlaceAtDistance) => positionOf(place),
      timeZone: ({ place }: PlaceAtDistance) => place.timeZone,
      openNow: ({ place }: PlaceAtDistance) => stock.openingOf(place)?.openNow ?? null,
      nextOpening: ({ place }: PlaceAtDistance) => stock.openingOf(place)?.nextOpening ?? null,
    },
  } satisfies ResolverMap<InventoryLoaders>;
}

/** The places; systems whose places are old or missing are told to the caller. */
export async function reportedDirectory(context: Context, info: GraphQLResolveInfo): Promise<PlaceDirectory> {
  const directory = await context.loaders.directory();
  const path = pathOf(info);
  const lane = 'REALTIME' as const;
  for (const old of directory.degraded) context.notices.degrade({ ...old, lane, degraded: true, path });
  for (const failure of directory.failures) {
    const system = failure instanceof MortarError ? failure.system : undefined;
    if (system !== undefined) {
      context.notices.degrade({ system, lane, asOf: null, stale: true, degraded: true, path });
    }
  }
  return directory;
}

function findLocation(id: string, directory: PlaceDirectory): PlaceAtDistance | null {
  const place = directory.byId.get(id);
  if (place !== undefined) return { place, distanceKm: null };
  // The id may belong to a system that cannot be read: that it does not exist would be a guess.
  const [failure] = directory.failures;
  if (failure !== undefined) throw failure;
  return null;
}

/** The places under `near`, else all, as found from its start. @throws {MortarError} BAD_USER_INPUT for a bad start. */
export function placesUnder(near: NearQuery | null | undefined, places: readonly Place[], all: readonly Place[]) {
  if (near == null) return searchPlaces(places, null, null);
  return searchPlaces(places, resolveStart(near, all), near.withinKm ?? null);
}

function locationPage(args: LocationsArgs, directory: PlaceDirectory, cursors: Cursors) {
  const kinds = args.kinds == null ? null : new Set(args.kinds);
  const wanted = directory.places.filter(({ kind }) => kinds === null || kinds.has(kind));
  const found = placesUnder(args.near, wanted, directory.places);
  const rank = (km: number | null): number => km ?? Number.MAX_VALUE;
  const page = pageOf(found, {
    args,
    cursors,
    list: args.near == null ? 'locations' : 'locations-near',
    positionOf: ({ place, distanceKm }) => [distanceKm, place.id],
    isAfter: ({ place, distanceKm }, [km, id]) => {
      const difference = args.near == null ? 0 : rank(distanceKm) - rank(typeof km === 'number' ? km : null);
      return difference > 0 || (difference === 0 && place.id > String(id));
    },
  });
  return { ...page, totalCount: directory.failures.length > 0 ? null : found.length };
}
