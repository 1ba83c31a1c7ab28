import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';

import { readSupergraph } from './supergraph.ts';
import { assertSupported, MOST_SUPERGRAPH_CHARACTERS } from './supported-supergraph.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import:
  ["@key", "@shareable", "@override", "@policy", "@context", "@fromContext", "@authenticated", "@requiresScopes", "@tag",
   "@inaccessible", "@interfaceObject", "@cost", "@listSize"])`;

function composed(...sdls: readonly string[]): string {
  const services = sdls.map((sdl, index) => ({
    name: `s${index}`,
    url: `http://127.0.0.1:1/${index}`,
    typeDefs: parse(`${LINK} ${sdl}`),
  }));
  const { supergraphSdl, errors } = composeServices(services);
  if (supergraphSdl === undefined) throw new Error(errors?.join('\n'));
  return supergraphSdl;
}

const FEDERATION_1 = `schema @core(feature: "https://specs.apollo.dev/core/v0.1") @core(feature: "https://specs.apollo.dev/join/v0.1")
  { query: Query } type Query { a: Int }`;
const plain = composed('type Query { a: Int }');

describe('assertSupported', () => {
  it('takes our supergraph and those of others', () => {
    expect(() => assertSupported(readSupergraph())).not.toThrow();
    const rich = composed(
      `type Query { media: [Media] @listSize(assumedSize: 5) b: B @cost(weight: 3) }
       interface Media @key(fields: "id") { id: ID! } type Book implements Media @key(fields: "id") { id: ID! secret: Int @inaccessible }
       type B @authenticated { id: ID! @tag(name: "x") } directive @unused on FIELD_DEFINITION`,
      'type Media @key(fields: "id") @interfaceObject { id: ID! stars: Int @requiresScopes(scopes: [["stars"]]) }',
    );
    expect(() => assertSupported(rich)).not.toThrow();
  });

  it.each([
    ['a page', '<!doctype html><html><body>502</body></html>', 'it is not GraphQL: Syntax Error'],
    ['nothing', '', 'it is not GraphQL: Syntax Error'],
    ['30 MB', `# ${'x'.repeat(30_000_000)}`, 'it is larger than 8 MiB'],
    ['a plain schema', 'type Query { a: Int }', 'it is no supergraph: no @link to https://specs.apollo.dev/join'],
    ['a subgraph', `${LINK} type Query { a: Int }`, 'it is the schema of a subgraph: compose it'],
    ['an old subgraph', 'extend type Query { a: Int }', 'it is the schema of a subgraph: compose it'],
    ['federation 1', FEDERATION_1, 'it is of federation 1'],
    ['join v0.1', plain.replace('join/v0.5', 'join/v0.1'), 'it is of federation 1'],
    ['@policy', composed('type Query { a: Int @policy(policies: [["p"]]) }'), 'it uses @policy'],
    [
      '@policy that no link names',
      plain.replace(/a: Int/, 'a: Int @policy(policies: [["p"]])'),
      'it uses @policy, which nobody would enforce',
    ],
    [
      '@context',
      composed('type Query @context(name: "c") { a: A } type A @key(fields: "id") { id: ID! }'),
      'it uses @context and @fromContext',
    ],
    [
      '@connect',
      plain.replace('{\n  query', '  @link(url: "https://specs.apollo.dev/connect/v0.1", for: EXECUTION)\n{\n  query'),
      'it uses @connect',
    ],
    [
      'labels of @override',
      composed(
        'type Query { a: A } type A @key(fields: "id") { id: ID! x: Int @override(from: "s1", label: "percent(5)") }',
        'type A @key(fields: "id") { id: ID! x: Int }',
      ),
      'it uses @override(label: "percent(5)")',
    ],
  ])('refuses %s', (_, sdl, reason) => {
    expect(() => assertSupported(sdl)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', message: expect.stringContaining(reason) }),
    );
  });

  it('says no more than a sentence of a large text', () => {
    const large = 'x'.repeat(MOST_SUPERGRAPH_CHARACTERS + 1);
    expect(() => assertSupported(large)).toThrow(/^.{1,120}$/);
  });
});
