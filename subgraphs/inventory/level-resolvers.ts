import type { GraphQLResolveInfo } from 'graphql';

import { type PlaceStock, toFigure } from '#domain/stock/levels.ts';
import { parseStockLevelId, type Stock, stockLevelId } from '#domain/stock/stock.ts';
import type { Cursors } from '#platform/cursors.ts';
import { MortarError } from '#platform/errors.ts';
import { checkedList, explainingInput } from '#platform/input-errors.ts';
import { reportProvenance } from '#platform/report-provenance.ts';
import type { Resolver, ResolverMap } from '#platform/resolver-check.ts';
import type { SubgraphContext } from '#platform/subgraph.ts';
import type { InventoryLoaders } from './loaders.ts';
import { reportedDirectory } from './location-resolvers.ts';
import { type PageArgs, pageOf } from './pages.ts';

type Context = SubgraphContext<InventoryLoaders>;
interface StockArgs extends PageArgs {
  readonly locations?: readonly string[] | null;
}
interface LevelRow extends PlaceStock {
  readonly sku: string;
}

export interface LevelResolverOptions {
  readonly stock: Stock;
  readonly cursors: Cursors;
}

/** Resolvers of stock levels. Errors: UPSTREAM_UNAVAILABLE where the authority neither answers nor ever did. */
export function createLevelResolvers({ stock, cursors }: LevelResolverOptions) {
  return {
    Product: {
      __resolveReference: ({ sku }: { sku?: unknown }) => (typeof sku === 'string' ? { sku } : null),
      stock: ({ sku }: { sku: string }, args: StockArgs, context: Context, info: GraphQLResolveInfo) =>
        explainingInput(async () => {
          const wanted = args.locations == null ? null : new Set(checkedList(args.locations, 'locations'));
          const directory = await reportedDirectory(context, info);
          const facts = await context.loaders.facts.load(sku);
          const places = directory.places.filter(({ id }) => wanted === null || wanted.has(id));
          const rows = facts === null ? [] : stock.levels(facts, places).map((level) => ({ ...level, sku }));
          const page = pageOf<LevelRow>(rows, {
            args,
            cursors,
            list: `stock:${sku}`,
            positionOf: ({ place }) => [place.id],
            isAfter: ({ place }, [id]) => place.id > String(id),
          });
          return { ...page, totalCount: directory.failures.length > 0 ? null : rows.length };
        }),
    },
    StockLevel: {
      async __resolveReference({ id }: { id?: unknown }, { loaders }: Context): Promise<LevelRow | null> {
        const key = typeof id === 'string' ? parseStockLevelId(id) : null;
        if (key === null) return null;
        const [directory, facts] = await Promise.all([loaders.directory(), loaders.facts.load(key.sku)]);
        const place = directory.byId.get(key.location);
        return place === undefined || facts === null ? null : { ...stock.levelAt(facts, place), sku: key.sku };
      },
      id: ({ sku, place }: LevelRow) => stockLevelId(sku, place.id),
      product: ({ sku }: LevelRow) => ({ sku }),
      location: ({ place }: LevelRow) => ({ place, distanceKm: null }),
      onHand: statedFigure(({ onHand }) => onHand),
      committed: statedFigure(({ committed }) => committed),
      incoming: statedFigure(({ incoming }) => incoming),
      inFlight: () => null,
      held: () => null,
    },
  } satisfies ResolverMap<InventoryLoaders>;
}

type Stated = NonNullable<PlaceStock['stated']>;

function statedFigure(pick: (stated: Stated) => number | null): Resolver<InventoryLoaders> {
  return (row: LevelRow, _args: unknown, { notices }: Context, info: GraphQLResolveInfo) => {
    const { stated, reason, failedSystem } = row;
    if (stated === null) {
      if (failedSystem === null) return null;
      throw new MortarError('UPSTREAM_UNAVAILABLE', { system: failedSystem });
    }
    // Quarantined: shown as stated, marked as not to be relied on.
    const degraded = stated.provenance.degraded || reason === 'QUARANTINED';
    const figure = toFigure(pick(stated), { ...stated.provenance, degraded });
    reportProvenance(figure?.provenance, { notices, info });
    return figure;
  };
}
