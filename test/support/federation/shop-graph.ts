import { buildSubgraphSchema } from '@apollo/subgraph';
import { defaultTypeResolver, execute, type GraphQLSchema, parse } from 'graphql';

import { composeSubgraphs } from '#gateway/composition.ts';
import type { SubgraphSource } from '#gateway/executor/subgraph-calls.ts';
import { createDocumentRunner } from '#platform/execution/run-document.ts';

// The four subgraphs and the query of the public federation gateway benchmark (the-guild-org/federation-benchmarks).
const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@external", "@requires", "@provides", "@shareable"])`;

const users = Array.from({ length: 6 }, (_, index) => ({
  id: `${index + 1}`,
  name: `Name ${index + 1}`,
  username: `@user${index + 1}`,
}));
const products = Array.from({ length: 9 }, (_, index) => ({
  upc: `${index + 1}`,
  name: `Product ${index + 1}`,
  price: 899 - index * 31,
  weight: 100 + index * 250,
}));
const reviews = Array.from({ length: 11 }, (_, index) => ({
  id: `${index + 1}`,
  body: `Review ${index + 1}`,
  authorId: `${(index % 2) + 1}`,
  upc: `${(index % 4) + 1}`,
}));

interface ReviewRow {
  readonly authorId: string;
  readonly upc: string;
}
interface UserRef {
  readonly id: string;
}
interface ProductRef {
  readonly upc: string;
  readonly price?: number;
  readonly weight?: number;
}

const DEFINITIONS: Readonly<Record<string, readonly [sdl: string, resolvers: object]>> = {
  accounts: [
    `type Query { users: [User] } type User @key(fields: "id") { id: ID! name: String username: String @shareable }`,
    {
      Query: { users: () => users },
      User: { __resolveReference: ({ id }: UserRef) => ({ ...users.find((user) => user.id === id) }) },
    },
  ],
  inventory: [
    `type Product @key(fields: "upc") { upc: String! weight: Int @external price: Int @external inStock: Boolean shippingEstimate: Int @requires(fields: "price weight") } type Query { stocked: Int }`,
    {
      Product: {
        __resolveReference: (row: ProductRef) => ({ ...row }),
        inStock: ({ upc }: ProductRef) => Number(upc) % 2 === 0,
        shippingEstimate: ({ price = 0, weight = 0 }: ProductRef) => (price > 1000 ? 0 : weight / 2),
      },
    },
  ],
  products: [
    `type Query { topProducts(first: Int = 5): [Product] } type Product @key(fields: "upc") { upc: String! name: String price: Int weight: Int }`,
    {
      Query: { topProducts: (_row: unknown, { first }: { readonly first: number }) => products.slice(0, first) },
      Product: { __resolveReference: ({ upc }: ProductRef) => ({ ...products.find((row) => row.upc === upc) }) },
    },
  ],
  reviews: [
    `type Review @key(fields: "id") { id: ID! body: String author: User @provides(fields: "username") product: Product } type User @key(fields: "id") { id: ID! username: String @external reviews: [Review] } type Product @key(fields: "upc") { upc: String! reviews: [Review] } type Query { reviewed: Int }`,
    {
      Review: {
        author: ({ authorId }: ReviewRow) => ({ id: authorId, username: `@user${authorId}` }),
        product: ({ upc }: ReviewRow) => ({ upc }),
      },
      User: {
        __resolveReference: ({ id }: UserRef) => ({ id }),
        reviews: ({ id }: UserRef) => reviews.filter(({ authorId }) => authorId === id),
      },
      Product: {
        __resolveReference: ({ upc }: ProductRef) => ({ upc }),
        reviews: (row: ProductRef) => reviews.filter(({ upc }) => upc === row.upc),
      },
    },
  ],
};

export const HEAVY_QUERY = `
fragment User on User { id username name }
fragment Review on Review { id body }
fragment Product on Product { inStock name price shippingEstimate upc weight }
query TestQuery {
  users { ...User reviews { ...Review product { ...Product reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } } } } }
  topProducts { ...Product reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } } }
}`;

export const SMALL_QUERY = '{ topProducts(first: 2) { name inStock reviews { body } } }';

/** The benchmark's subgraphs in this process, their schemas and supergraph. */
export function createShopGraph() {
  const modules = Object.entries(DEFINITIONS).map(([name, [sdl, resolvers]]) => ({
    name,
    sdl: `${LINK}\n${sdl}`,
    resolvers,
  }));
  const schemas = new Map<string, GraphQLSchema>(
    modules.map(({ name, sdl, resolvers }) => {
      const parts = [{ typeDefs: parse(sdl), resolvers }] as Parameters<typeof buildSubgraphSchema>[0];
      return [name, buildSubgraphSchema(parts)];
    }),
  );
  /** As the product's own subgraphs run documents. */
  const sources: SubgraphSource[] = [...schemas].map(([name, schema]) => {
    const run = createDocumentRunner(schema, { typeResolver: defaultTypeResolver });
    return {
      name,
      execute: async ({ document, variables }) => {
        const { data, errors } = await run({ document, variables, context: {} });
        return { data, errors, refusals: [], degraded: [] };
      },
    };
  });
  /** By graphql's own execution. */
  const plainSources: SubgraphSource[] = [...schemas].map(([name, schema]) => ({
    name,
    execute: async ({ document, variables }) => {
      const result = await execute({ schema, document, variableValues: variables, contextValue: {} });
      return { data: result.data ?? null, errors: result.errors ?? [], refusals: [], degraded: [] };
    },
  }));
  return { supergraphSdl: composeSubgraphs(modules), schemas, sources, plainSources };
}
