import { getOperationAST, parse } from 'graphql';
import { describe, expect, it } from 'vitest';

import { createOperationWeigher } from './plan-weight.ts';
import { apiSchemaOf } from '#gateway/api-schema.ts';
import { composeSubgraphs } from '#gateway/composition.ts';
import { readSupergraph } from '#gateway/supergraph.ts';
import { largestDocument } from '#test/support/hostile-documents.ts';
import { composeChain, composeInterfaceBomb, INTERFACE_BOMBS } from '#test/support/hostile-supergraphs.ts';

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable", "@external", "@requires", "@interfaceObject"])\n';
const supergraph = composeSubgraphs([
  {
    name: 'a',
    sdl: `${LINK} type Query { t: T @shareable } interface N { n: T } type T implements N @key(fields: "id") { id: ID! a: Money @shareable n: T @shareable w: Int } type Money @shareable { amount: Int }`,
  },
  {
    name: 'b',
    sdl: `${LINK} type Query { t: T @shareable, abstract: N } interface N { n: T } type T implements N @key(fields: "id") { id: ID! a: Money @shareable n: T @shareable w: Int @external x: Int @requires(fields: "w") } type Money @shareable { amount: Int }`,
  },
]);

const THREE = [0, 1, 2];
const ofThree = (fields: string, own: string, interfacesOf: (type: number) => string = () => 'N'): string =>
  `${LINK} interface N { id: ID! ${fields} } ${THREE.map((type) => `type T${type} implements ${interfacesOf(type)} @key(fields: "id") { id: ID! ${own} }`).join(' ')}`;
/** Three types of two subgraphs, and of a third that answers `elsewhere` as well as the second. */
const anInterface = composeSubgraphs([
  {
    name: 'a',
    sdl: `${ofThree('next: N x: Int shared: N', 'next: N x: Int shared: N @shareable', (type) => ['N & Known & Found', 'N & Known', 'N'][type] ?? '')} interface Known { id: ID! next: N } interface Found { id: ID! next: N } type Query { nodes: [N] }`,
  },
  {
    name: 'b',
    sdl: `${ofThree('related: N later: N shared: N elsewhere: Int', 'related: N x: Int @external later: N @requires(fields: "x") shared: N @shareable elsewhere: Int @shareable', (type) => (type === 2 ? 'N' : 'N & Found'))} interface Found { id: ID! }`,
  },
  { name: 'c', sdl: ofThree('elsewhere: Int', 'elsewhere: Int @shareable') },
]);
const anInterfaceObject = composeSubgraphs([
  {
    name: 'a',
    sdl: `${LINK} type Query { nodes: [N] } interface N @key(fields: "id") { id: ID! next: N x: Int } ${THREE.map((type) => `type T${type} implements N @key(fields: "id") { id: ID! next: N x: Int }`).join(' ')}`,
  },
  { name: 'b', sdl: `${LINK} type N @key(fields: "id") @interfaceObject { id: ID! related: N }` },
]);

/** Products of so many types; both subgraphs show them on a page. */
const aCatalog = (types: number): string =>
  composeSubgraphs(
    ['a', 'b'].map((name) => {
      const shown = (directive: string) =>
        `brand: Brand ${directive} maker: Maker ${directive} price: Price ${directive} kind: Kind ${directive} label: Label ${directive}`;
      const products = Array.from(
        { length: types },
        (_, type) =>
          `type T${type} implements Item @key(fields: "id") { id: ID! ${shown('@shareable')} ${name}${type}: Int }`,
      );
      return {
        name,
        sdl: `${LINK} ${name === 'a' ? 'type Query { items: [Item] }' : ''} interface Item { id: ID! ${shown('')} } ${products.join(' ')}
          type Brand @key(fields: "id") { id: ID! name: String @shareable }
          type Maker @key(fields: "id") { id: ID! name: String @shareable country: Country @shareable maker: Maker @shareable }
          type Country { code: String @shareable region: Region @shareable }
          type Region { code: String @shareable }
          type Price { amount: Int @shareable tax: Tax @shareable }
          type Tax { amount: Int @shareable }
          type Label { of: Brand @shareable }
          type Kind { name: String @shareable ${name}: Int }`,
      };
    }),
  );
const PAGE =
  '{ items { id brand { id name } maker { id name country { code region { code } } } price { amount tax { amount } } } }';

const KEYS_OF_SEVEN = Array.from({ length: 7 }, (_, key) => `k${key + 1}`);

function weigherOf(sdl: string) {
  const weigh = createOperationWeigher(sdl, apiSchemaOf(sdl));
  return (text: string, most = 1_000): number => {
    const document = parse(text);
    const operation = getOperationAST(document);
    if (operation === null || operation === undefined) throw new Error('no operation');
    return Number(weigh(document, operation, most).toFixed(1));
  };
}

describe('createOperationWeigher', () => {
  const weigh = weigherOf(supergraph);
  const weighInterface = weigherOf(anInterface);
  const weighObject = weigherOf(anInterfaceObject);
  it.each([
    ['a root field of two subgraphs', '{ t { __typename } }', 2 + 2],
    ['multiplied at each level', '{ t { n { n { w } } } }', 2 + 4 + 8 + 8],
    ['what a field needs first, where that is more than its ways', '{ t { x } }', 2 + 2.3],
    ['values on their way', '{ t { a { amount } } }', 2 + 4 + 4],
    ['an interface’s object once, however many ways its types have', '{ abstract { n { w } } }', 0.1 + 0.1 + 0.3],
    ['fragments, unfolded', '{ t { ...F ...F } } fragment F on T { n { w } }', 2 + 2 * (0.1 + 4 + 4)],
  ])('counts %s', (_, text, expected) => {
    expect(weigh(text)).toBe(expected);
  });

  it.each([
    [
      'types multiplied where a subgraph does not answer the interface',
      '{ nodes { related { next { x } } } }',
      0.1 + 3 + 9 + 9,
    ],
    ['the interface alone where it does', '{ nodes { next { next { x } } } }', 4 * 0.1],
    ['a leaf at hand once, however many types', '{ nodes { id } }', 0.1 + 3],
    ['each way of one type with each of the others', '{ nodes { elsewhere } }', 0.1 + 3 * 2 ** 3],
    ['what needs other fields first, type by type', '{ nodes { related { later { x } } } }', 0.1 + 3 + 9 + 27],
    [
      'types combined where both answer, and the interface beside them',
      '{ nodes { shared { x } } }',
      0.1 + 9 * 3 + 9 * 9,
    ],
    ['one type of an interface', '{ nodes { ... on T0 { related { x } } } }', 2 * 0.1 + 0.3 + 3],
    ['another interface that its subgraph can tell', '{ nodes { ... on Known { next { x } } } }', 4 * 0.1],
    ['another interface that it cannot, type by type', '{ nodes { ... on Found { next { x } } } }', 0.1 + 0.1 + 2 + 2],
    ['a leaf at hand once, where each type is followed', '{ nodes { ... on Found { id } } }', 0.1 + 0.1 + 2 * 3],
    [
      'each way of one of those with each of the other',
      '{ nodes { ... on Found { ... on N { elsewhere } } } }',
      3 * 0.1 + 2 * 2 ** 2,
    ],
    [
      'each way of all that is followed together',
      '{ nodes { related { shared { id } } } }',
      0.1 + 3 + 9 ** 3 * (9 + 9 * 3),
    ],
    ['one type of those', '{ nodes { ... on Found { ... on T0 { next { x } } } } }', 5 * 0.1],
  ])('counts %s', (_, text, expected) => {
    expect(weighInterface(text, 1e6)).toBe(Number(expected.toFixed(1)));
  });

  it.each([
    ['to', '{ nodes { related { id } } }'],
    ['from', '{ nodes { related { next { x } } } }'],
  ])('counts an interface once on the way %s a subgraph that knows it as an object', (_, text) => {
    expect(weighObject(text)).toBeLessThan(3);
  });

  it('weighs the interface’s bombs beyond what is planned at once', () => {
    const bomb = weigherOf(composeInterfaceBomb());
    const weights = INTERFACE_BOMBS.map(({ body }) => bomb((JSON.parse(body) as { readonly query: string }).query));
    expect(Math.min(...weights)).toBe(1_000);
  });

  it.each([2, 3, 5])('lets a page of %i types that both subgraphs show be planned at once', (types) => {
    const own = weigherOf(aCatalog(types));
    expect(own('{ items { id brand { id name } } }')).toBe(6.2);
    expect(own(PAGE)).toBeLessThan(50);
  });

  it.each([
    ['a value that is only listed, by a hundredth of its ways', '{ items { maker { __typename } } }', 41.2],
    ['an object of leaves that both answer as one of the interface', '{ items { brand { __typename } } }', 0.3],
    ['a value that is all where it is, and nothing below', '{ items { price { tax { amount } } } }', 4.4],
    ['a value of an entity listed, once', '{ items { maker { country { region { code } } } } }', 1077.3],
    ['a value that leads to an entity, as what is listed', '{ items { label { __typename } } }', 41.2],
    ['leaves that differ from one subgraph to the other, as what is listed', '{ items { kind { __typename } } }', 41.2],
  ])('counts %s', (_, text, expected) => {
    expect(weigherOf(aCatalog(8))(text, 1e6)).toBe(expected);
  });

  it.each([
    ['8 types with what both answer', 8, '{ items { maker { country { code } } } }'],
    ['5 types, three levels of what both answer', 5, '{ items { maker { maker { maker { id } } } } }'],
  ])('weighs %s beyond what is planned at once', (_, types, text) => {
    expect(weigherOf(aCatalog(types))(text)).toBeGreaterThan(50);
  });

  it.each([
    ['a field of another subgraph three times', '{ t { next1 { __typename } } }', 0.1 + 0.3 + 0.1],
    ['what it needs first, and what that needs', '{ t { later0 later1 later2 } }', 0.1 + 0.1 + 2.3 + 6.3],
  ])('counts %s', (_, text, expected) => {
    expect(weigherOf(composeChain(3, () => ['id']))(text)).toBe(Number(expected.toFixed(1)));
  });

  it.each([
    ['what it needs of an object, and what that needs', '{ t { f } }', 0.1 + 12.3],
    ['each chain it needs on its own', '{ t { g } }', 0.1 + 56.3],
  ])('counts %s', (_, text, expected) => {
    const links = [
      'x0: Int',
      'x0: Int @external x1: Int @requires(fields: "x0")',
      'x1: Int @external x2: Int @requires(fields: "x1")',
    ];
    const sdl = composeSubgraphs([
      ...links.map((fields, graph) => ({
        name: `o${graph}`,
        sdl: `${LINK} type O @key(fields: "id") { id: ID! ${fields} }`,
      })),
      {
        name: 'root',
        sdl: `${LINK} type Query { t: T } type T @key(fields: "id") { id: ID! o: O } type O @key(fields: "id") { id: ID! }`,
      },
      ...['f: Int @requires(fields: "o { x2 }")', 'f: Int @external g: Int @requires(fields: "o { x2 } f")'].map(
        (fields, graph) => ({
          name: `t${graph}`,
          sdl: `${LINK} type T @key(fields: "id") { id: ID! o: O @external ${fields} } type O @key(fields: "id") { id: ID! x2: Int @external }`,
        }),
      ),
    ]);
    expect(weigherOf(sdl)(text)).toBe(Number(expected.toFixed(1)));
  });

  it.each([
    ['keys that lead from one subgraph to the next alone', 6, (graph: number) => [`k${graph}`, `k${graph + 1}`]],
    ['keys that but one other subgraph knows', 8, (graph: number) => (graph === 0 ? KEYS_OF_SEVEN : [`k${graph}`])],
  ])('weighs %s beyond what is planned at once, once a value', (_, graphs, keysOf) => {
    const own = weigherOf(composeChain(graphs, keysOf));
    const one = own('{ t { next1 { own1 } } }', 1e6);
    expect(one).toBeGreaterThan(200);
    expect(own('{ t { next1 { own1 } own2 own3 } }', 1e6) - one).toBeLessThan(1);
    const inFragments = '{ t { ... on T { next1 { own1 } } ...F own2 } } fragment F on T { own3 }';
    expect(own(inFragments, 1e6) - one).toBeLessThan(2);
    expect(own('{ t { own0 } }')).toBe(0.2);
  });

  it('counts nothing for keys that all subgraphs know', () => {
    const keys = KEYS_OF_SEVEN.slice(0, 4);
    expect(weigherOf(composeChain(4, () => keys))('{ t { own1 own2 own3 } }')).toBe(1);
  });

  it('ends counting at the most that is asked for, also where nothing is unfolded', () => {
    const doubling = Array.from({ length: 60 }, (_, at) => `fragment F${at} on T { ...F${at + 1} ...F${at + 1} }`);
    expect(weigh(`{ t { ...F0 } } ${doubling.join(' ')} fragment F60 on T { id }`, 200)).toBe(200);
  });

  it('weighs the largest operation over the product’s own supergraph below 200', () => {
    const ours = readSupergraph();
    const { query } = JSON.parse(largestDocument(ours).body) as { readonly query: string };
    expect(weigherOf(ours)(query)).toBeLessThan(200);
  });
});
