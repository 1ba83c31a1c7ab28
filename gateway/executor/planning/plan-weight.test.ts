import { getOperationAST, parse } from 'graphql';
import { describe, expect, it } from 'vitest';

import { createOperationWeigher } from './plan-weight.ts';
import { apiSchemaOf } from '#gateway/api-schema.ts';
import { composeSubgraphs } from '#gateway/composition.ts';
import { readSupergraph } from '#gateway/supergraph.ts';
import { largestDocument } from '#test/support/hostile-documents.ts';

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable", "@external", "@requires"])\n';
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
  it.each([
    ['a root field of two subgraphs', '{ t { __typename } }', 2 + 2],
    ['multiplied at each level', '{ t { n { n { w } } } }', 2 + 4 + 8 + 8],
    ['an external copy no subgraph answers', '{ t { x } }', 2 + 2],
    ['values on their way', '{ t { a { amount } } }', 2 + 4 + 4],
    ['the implementations of an interface', '{ abstract { n { w } } }', 0.1 + 2 + 2],
    ['fragments, unfolded', '{ t { ...F ...F } } fragment F on T { n { w } }', 2 + 2 * (0.1 + 4 + 4)],
  ])('counts %s', (_, text, expected) => {
    expect(weigh(text)).toBe(expected);
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
