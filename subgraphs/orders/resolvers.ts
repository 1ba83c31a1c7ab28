import type { GraphQLResolveInfo } from 'graphql';

import type { OrderDirectory, OrderFacet, OrderFilter, OrderPage, OrderView } from '#domain/order/order-directory.ts';
import type { OrderLine, OrderValues } from '#domain/order/order-values.ts';
import { MortarError } from '#platform/errors.ts';
import { explainingInput } from '#platform/input-errors.ts';
import { referenceResolver } from '#platform/references.ts';
import { pathOf, reportLoading } from '#platform/report-provenance.ts';
import type { ResolverMap } from '#platform/resolver-check.ts';
import type { SubgraphContext } from '#platform/subgraph.ts';
import type { Provenance, Source } from '#schema/model/figures.ts';
import type { SystemId } from '#schema/model/ids.ts';
import type { CustomerRow, OrderLoaders } from './loaders.ts';

type Context = SubgraphContext<OrderLoaders>;

interface PageInput {
  readonly first?: number | null;
  readonly after?: string | null;
}

/** A connection with what its total needs. */
interface Connection extends Readonly<Record<string, unknown>> {
  /** Null: not counted, being one customer's orders or incomplete. */
  readonly filter: OrderFilter | null;
}

export interface OrderResolverOptions {
  readonly directory: OrderDirectory;
  /** Systems whose orders were never read to the end. */
  readonly loadingSystems: () => readonly SystemId[];
}

/** Field resolvers of the orders subgraph. */
export function createOrderResolvers({ directory, loadingSystems }: OrderResolverOptions): ResolverMap<OrderLoaders> {
  const value =
    <V>(valueOf: (values: OrderValues) => V | null) =>
    async (order: OrderView, _args: unknown, context: Context, info: GraphQLResolveInfo): Promise<V | null> => {
      const values = await context.loaders.values.load(order);
      return values === null ? null : served(values, valueOf(values), { context, info });
    };

  return {
    Query: {
      order: async (_root, { id }: { id: string }, { loaders }) => (id.length > 200 ? null : loaders.orders.load(id)),
      orders: async (_root, args: PageInput & { filter?: OrderFilter | null }, { request, notices }, info) => {
        const filter = args.filter ?? {};
        const page = await explainingInput(() => directory.page({ ...toPage(args), filter }, request));
        const loading = loadingSystems();
        reportLoading(loading, { notices, info });
        // While the first load is under way the list has gaps, and nobody knows how long it is.
        return toConnection(page, loading.length === 0 ? filter : null);
      },
    },
    OrderConnection: {
      totalCount: async ({ filter }: Connection, _args, { request }) =>
        filter === null ? null : directory.count(filter, request),
    },
    Order: {
      __resolveReference: referenceResolver('id', (context: Context) => context.loaders.orders),
      channel: ({ channel }: OrderView) => (channel === null ? null : { id: channel }),
      customer: async ({ subjects: [buyer] }: OrderView, _args, { loaders }) =>
        buyer === undefined ? null : loaders.buyers.load(buyer),
      lines: value((values) => values.lines),
      total: value((values) => values.total),
      provenance: ({ references }: OrderView) => provenanceOf(references),
    },
    OrderLine: {
      product: ({ sku }: OrderLine) => (sku === null ? null : { sku }),
    },
    Customer: {
      __resolveReference: referenceResolver('id', (context: Context) => context.loaders.customers),
      orders: async ({ subjects }: CustomerRow, args: PageInput, { loaders }) => {
        const page = await explainingInput(async () => loaders.pages.load({ subjects, page: toPage(args) }));
        return page === null ? null : toConnection(page, null);
      },
    },
  };
}

function toPage(args: PageInput): { readonly first: number; readonly after: string | null } {
  const first = args.first ?? 20;
  if (first < 1 || first > 100) throw new MortarError('LIMIT_LIST');
  return { first, after: args.after ?? null };
}

function toConnection(page: OrderPage, filter: OrderFilter | null): Connection {
  return {
    edges: page.rows.map(({ view, cursor }) => ({ cursor, node: view })),
    nodes: page.rows.map(({ view }) => view),
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: page.hasPreviousPage,
      startCursor: page.rows[0]?.cursor ?? null,
      endCursor: page.rows.at(-1)?.cursor ?? null,
    },
    filter,
  };
}

/** A missing value is an error when a system that may hold it failed; a value another one gave is served and flagged. */
function served<V>(
  { failures }: OrderValues,
  answer: V | null,
  at: { readonly context: Context; readonly info: GraphQLResolveInfo },
): V | null {
  const [first] = failures;
  if (first === undefined) return answer;
  const { system, error } = first;
  if (answer === null) {
    throw error instanceof MortarError ? error : new MortarError('UPSTREAM_UNAVAILABLE', { system, cause: error });
  }
  for (const failure of failures) {
    at.context.notices.degrade({
      system: failure.system,
      lane: 'REALTIME',
      asOf: null,
      stale: false,
      degraded: true,
      path: pathOf(at.info),
    });
  }
  return answer;
}

/** Of a system's word for a state. */
const LONGEST_WORD = 100;

/** Where the state comes from: one facet, or derived from several with the oldest of their times. */
function provenanceOf(facets: readonly OrderFacet[]): Provenance | null {
  const [first] = facets;
  if (first === undefined) return null;
  const sources = facets.map(({ system, connector, externalId, sequence, state }): Source => ({
    system,
    connector,
    reference: externalId,
    sequence,
    rawValue: state.slice(0, LONGEST_WORD) || null,
  }));
  const asOfs = facets.flatMap(({ asOf }) => asOf ?? []).toSorted();
  const observed = facets.map(({ observedAt }) => observedAt).toSorted();
  const isDerived = facets.length > 1;
  return {
    // Of several the oldest, and none when one of them does not say.
    asOf: asOfs.length === facets.length ? (asOfs[0] ?? null) : null,
    observedAt: observed[0] ?? first.observedAt,
    source: isDerived ? null : (sources[0] ?? null),
    lane: isDerived ? 'DERIVED' : 'NEAR_REALTIME',
    stale: false,
    degraded: false,
    inputs: isDerived ? sources : [],
  };
}
