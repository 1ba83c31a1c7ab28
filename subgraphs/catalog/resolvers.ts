import type { GraphQLResolveInfo } from 'graphql';

import type { Catalog } from '#domain/catalog/catalog.ts';
import type { ProductFilter } from '#domain/catalog/directory.ts';
import type { SystemStatusSource } from '#domain/catalog/system-status.ts';
import type { Cursors } from '#platform/cursors.ts';
import { MortarError } from '#platform/errors.ts';
import { checkedFirst, checkedList, explainingInput } from '#platform/input-errors.ts';
import { reportLoading, reportProvenance } from '#platform/report-provenance.ts';
import type { Resolver, ResolverMap } from '#platform/resolver-check.ts';
import type { SubgraphContext } from '#platform/subgraph.ts';
import type { ItemRecord } from '#schema/model/records.ts';
import type { MoneyFigure, QuantityFigure } from '#schema/model/figures.ts';
import type { CatalogLoaders } from './loaders.ts';

export interface CatalogResolverOptions {
  readonly catalog: Catalog;
  readonly cursors: Cursors;
  readonly systems: SystemStatusSource;
}

type Context = SubgraphContext<CatalogLoaders>;
/** A product is its key until a value is asked for. */
interface ProductRef {
  readonly sku: string;
}
interface PageArgs {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly filter?: ProductFilter | null;
}

const LIST = 'products';

/** Field resolvers of the catalog subgraph. Errors: UPSTREAM_* where neither the ERP nor a snapshot has the value. */
export function createCatalogResolvers(options: CatalogResolverOptions): ResolverMap<CatalogLoaders> {
  const { catalog, systems } = options;
  return {
    Query: {
      product: async (_root, { sku }: ProductRef, { loaders }) =>
        (await loaders.products.load(sku)) === null ? null : { sku },
      products: (_root, args: PageArgs, { notices }, info) =>
        explainingInput(async () => {
          const page = await readPage(args, options);
          const system = await catalog.loadingSystem();
          if (system === null) return page;
          // The first load is under way: the list has gaps, and says so.
          reportLoading([system], { notices, info });
          return { ...page, totalCount: null };
        }),
      channels: () => catalog.channels,
      systems: () => systems.systems(),
    },
    Product: {
      __resolveReference: ({ sku }: Partial<ProductRef>) => (typeof sku === 'string' ? { sku } : null),
      title: itemField((item) => item.title),
      brand: itemField((item) => item.brand),
      category: itemField((item) => item.category),
      productType: itemField((item) => item.productType),
      baseUnit: itemField((item) => item.baseUnit),
      hazardous: itemField((item) => item.hazardous),
      references: ({ sku }: ProductRef, _args, { loaders }) => loaders.references.load(sku),
      price: ({ sku }: ProductRef, { channel }: { channel: string }, { loaders, notices }, info) =>
        explainingInput(async () => {
          const figure = await loaders.prices(channel).load(sku);
          reportProvenance(figure?.provenance, { notices, info });
          return figure;
        }),
      listings: ({ sku }: ProductRef, _args, { loaders }) => loaders.listings.load(sku),
    },
    Listing: {
      price: reportedFigure('price'),
      publishedQuantity: reportedFigure('publishedQuantity'),
    },
    Channel: {
      // A slug that is no longer configured (an old order's) keeps its id and loses the rest.
      __resolveReference: ({ id }: { id?: unknown }) =>
        typeof id === 'string' ? (catalog.channels.find((channel) => channel.id === id) ?? { id }) : null,
    },
  };
}

function itemField(pick: (item: ItemRecord) => string | boolean | null): Resolver<CatalogLoaders> {
  return async ({ sku }: ProductRef, _args: unknown, { loaders, notices }: Context, info: GraphQLResolveInfo) => {
    const item = await loaders.products.load(sku);
    if (item === null) return null;
    reportProvenance(item.provenance, { notices, info });
    return pick(item);
  };
}

type Figures = { readonly [name in 'price' | 'publishedQuantity']: MoneyFigure | QuantityFigure | Error | null };

function reportedFigure(name: keyof Figures): Resolver<CatalogLoaders> {
  return (listing: Figures, _args: unknown, { notices }: Context, info: GraphQLResolveInfo) => {
    const figure = listing[name];
    if (figure instanceof Error) throw figure;
    reportProvenance(figure?.provenance, { notices, info });
    return figure;
  };
}

async function readPage({ first, after, filter }: PageArgs, { catalog, cursors }: CatalogResolverOptions) {
  const rows = checkedFirst(first);
  const wanted = checkedFilter(filter ?? {});
  const [position] = after == null ? [null] : cursors.open(LIST, after);
  const { skus, hasNextPage } = await catalog.directory.page(rows, position === null ? null : String(position), wanted);
  const edges = skus.map((sku) => ({ cursor: cursors.seal(LIST, [sku]), node: { sku } }));
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage,
      hasPreviousPage: after != null,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    // Called by graphql only where the count is asked for.
    totalCount: () => (wanted.text == null ? catalog.directory.count(wanted) : null),
  };
}

function checkedFilter(filter: ProductFilter): ProductFilter {
  if (filter.skus != null) checkedList(filter.skus, 'filter.skus');
  const length = filter.text?.trim().length;
  if (length !== undefined && (length < 1 || length > 100)) {
    throw new MortarError('BAD_USER_INPUT', { message: '`filter.text` must have 1 to 100 characters.' });
  }
  return filter;
}
