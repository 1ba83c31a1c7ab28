import { describe, expect, it } from 'vitest';

import { composeSubgraphs } from '#gateway/composition.ts';
import { defineSubgraph } from '#platform/define-subgraph.ts';
import { batchLoader, referenceResolver } from '#platform/references.ts';
import { ourContestant, question } from '#test/support/federation/contestants.ts';
import { answered, createScriptedEngine } from '#test/support/federation/scripted-engine.ts';
import { serveSubgraphs } from '#test/support/federation/served-subgraph.ts';
import { decidersOf } from '#test/support/requests.ts';

/** A shop, a till and the stock that both change; every read goes through a loader of the request. */
function stockAndShop() {
  let stock = 1;
  const shop = defineSubgraph({
    name: 'shop',
    typeDefs:
      'type Query { ping: Int } type Mutation { touch(turn: Int): Product } type Product @key(fields: "id") { id: ID! }',
    deciders: decidersOf(),
    createLoaders: () => ({}),
    resolvers: { Query: { ping: () => 1 }, Mutation: { touch: () => ({ id: '1' }) } },
  });
  const inventory = defineSubgraph({
    name: 'inventory',
    typeDefs: `type Query { pong: Int } type Mutation { setStock(to: Int!): Product }
type Product @key(fields: "id") { id: ID! stock: Int }`,
    deciders: decidersOf(),
    createLoaders: () => ({
      stocks: batchLoader<string, { readonly id: string; readonly stock: number }>(async (ids) =>
        ids.map((id) => ({ id, stock })),
      ),
    }),
    resolvers: {
      Query: { pong: () => 1 },
      Mutation: {
        setStock: async (_row, { to }, { loaders }) => {
          // What a careful resolver asks before it changes something must not be shown afterwards.
          await loaders.stocks.load('1');
          stock = to;
          return { id: '1' };
        },
      },
      Product: {
        __resolveReference: referenceResolver('id', ({ loaders }) => loaders.stocks),
        stock: async ({ id }, _args, { loaders }) => (await loaders.stocks.load(id))?.stock,
      },
    },
  });
  const till = defineSubgraph({
    name: 'till',
    typeDefs: 'type Query { drawer: Int } type Mutation { sell: Int }',
    deciders: decidersOf(),
    createLoaders: () => ({}),
    resolvers: { Query: { drawer: () => 1 }, Mutation: { sell: () => (stock -= 1) } },
  });
  return [shop, inventory, till];
}

const CHANGING = `mutation {
  a: touch(turn: 1) { stock } b: setStock(to: 11) { stock } c: setStock(to: 12) { stock } d: touch(turn: 2) { stock }
  sell e: touch(turn: 3) { stock }
}`;
const CHANGED = { a: { stock: 1 }, b: { stock: 11 }, c: { stock: 12 }, d: { stock: 12 }, sell: 11, e: { stock: 11 } };

describe('the fields of a mutation', () => {
  it('see what those before them changed, of an entity that was read already', async () => {
    let stock = 1;
    const product = { __typename: 'Product', id: '1' };
    const { ask, fetches } = await createScriptedEngine({
      shop: {
        sdl: 'type Query { ping: Int } type Mutation { touch(turn: Int): Product } type Product @key(fields: "id") { id: ID! }',
        answer: () => answered({ t1: product, t2: product }),
      },
      inventory: {
        sdl: 'type Query { pong: Int } type Mutation { setStock(to: Int!): Int } type Product @key(fields: "id") { id: ID! stock: Int }',
        answer: ({ variables }) => {
          if (variables['representations'] !== undefined) return answered({ _entities: [{ stock }] });
          stock += 10;
          return answered({ setStock: stock });
        },
      },
    });
    const { data } = await ask(
      'mutation { t1: touch(turn: 1) { stock } setStock(to: 11) t2: touch(turn: 2) { stock } }',
    );
    expect(data).toEqual({ t1: { stock: 1 }, setStock: 11, t2: { stock: 11 } });
    expect(fetches.filter(({ variables }) => 'representations' in variables)).toHaveLength(2);
  });

  it('see it through the loaders of subgraphs of this process', async () => {
    const subgraphs = stockAndShop();
    const ours = await ourContestant(composeSubgraphs(subgraphs), subgraphs);
    expect(await ours.ask(question(CHANGING))).toMatchObject({ data: CHANGED, paths: [] });
  });

  it('see it through the loaders of subgraphs of other processes', async () => {
    const subgraphs = stockAndShop();
    await using served = await serveSubgraphs(subgraphs);
    const ours = await ourContestant(composeSubgraphs(subgraphs), served.sources);
    expect(await ours.ask(question(CHANGING))).toMatchObject({ data: CHANGED, paths: [] });
  });
});
