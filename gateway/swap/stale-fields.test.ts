import { buildSchema, parse } from 'graphql';
import { expect, it } from 'vitest';

import { assertCurrent } from './stale-fields.ts';
import { composeSubgraphs } from '#gateway/composition.ts';
import { readSubgraphSdls } from '#gateway/subgraph-schemas.ts';
import { readSupergraph } from '#gateway/supergraph.ts';
import { buildSubgraphSchema } from '@apollo/subgraph';

const here = readSubgraphSdls().map(({ name, sdl }) => ({
  name,
  schema: buildSubgraphSchema([{ typeDefs: parse(sdl) }]),
}));

it('takes what the subgraphs of this process are composed to, with others beside them', () => {
  expect(() => assertCurrent(readSupergraph(), here)).not.toThrow();
  const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key", "@override"])
    scalar Sku type Product @key(fields: "sku") { sku: Sku! points: Int brand: String @override(from: "catalog") }`;
  const beside = composeSubgraphs([...readSubgraphSdls(), { name: 'loyalty', sdl }]);
  expect(() => assertCurrent(beside, here)).not.toThrow();
});

it('refuses a field they no longer have, and looks at no subgraph of another process', () => {
  const before = readSupergraph().replace(
    '  brand: String',
    '  oldName: String @join__field(graph: CATALOG)\n  brand: String',
  );
  expect(before).not.toBe(readSupergraph());
  expect(() => assertCurrent(before, here)).toThrow(
    'the supergraph is of another version: catalog has no Product.oldName here; compose it again',
  );
  const elsewhere = here.filter(({ name }) => name !== 'catalog');
  expect(() =>
    assertCurrent(before, [...elsewhere, { name: 'other', schema: buildSchema('type Query { a: Int }') }]),
  ).not.toThrow();
});
