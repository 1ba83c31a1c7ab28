import {
  buildSchema,
  executeSync,
  type FieldNode,
  getIntrospectionQuery,
  type GraphQLSchema,
  Kind,
  parse,
} from 'graphql';
import { describe, expect, it } from 'vitest';

import { assertIntrospectionLimits, countIntrospected } from './introspection-limits.ts';
import { createArgumentReader } from './read-arguments.ts';
import { apiSchemaOf } from '#gateway/api-schema.ts';
import { fragmentsOf } from '#gateway/auth/document-coordinates.ts';
import { readSupergraph } from '#gateway/supergraph.ts';
import {
  EVERY_INTROSPECTION_OPTION,
  FULLEST_INTROSPECTION,
  MULTIPLIED_INTROSPECTION,
  TWICE_INTROSPECTED,
} from '#test/support/hostile-documents.ts';

const ours = apiSchemaOf(readSupergraph());
const small = buildSchema('type Query { a(b: Int): [Int!] old: Int @deprecated } enum E { X Y @deprecated }');

const asked = (schema: GraphQLSchema, text: string, variables: Record<string, unknown> = {}) => {
  const document = parse(text);
  const nodes = document.definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet.selections : [],
  );
  return {
    introspection: { schema, fragments: fragmentsOf(document), readArguments: createArgumentReader(variables) },
    nodes: nodes.filter((node): node is FieldNode => node.kind === Kind.FIELD),
    document,
  };
};
const count = (schema: GraphQLSchema, text: string, most = Infinity): number => {
  const { introspection, nodes } = asked(schema, text);
  return countIntrospected(introspection, nodes, most);
};
const check = (schema: GraphQLSchema, text: string) => () => {
  const { introspection, nodes } = asked(schema, text);
  assertIntrospectionLimits(introspection, nodes);
};

/** Fields of an answer and texts in its lists. */
function answered(value: unknown): number {
  if (Array.isArray(value))
    return value.reduce<number>(
      (sum, item) => sum + (answered(item) || Number(item !== null && typeof item !== 'object')),
      0,
    );
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, item) => sum + 1 + answered(item), 0);
}

const TOOLS: readonly (readonly [string, string])[] = [
  ['graphql’s default', getIntrospectionQuery()],
  ['GraphiQL', getIntrospectionQuery({ schemaDescription: true, inputValueDeprecation: true })],
  ['Apollo Sandbox', getIntrospectionQuery({ ...EVERY_INTROSPECTION_OPTION, typeDepth: 7 })],
  ['graphql-codegen with every option', FULLEST_INTROSPECTION],
  [
    'a tool that goes as deep as documents may',
    getIntrospectionQuery({ ...EVERY_INTROSPECTION_OPTION, typeDepth: 13 }),
  ],
];

describe('the fields an introspection answers', () => {
  it.each<readonly [string, string]>([
    ...TOOLS,
    ['aliases', '{ __schema { types { x: name y: name ...F } } } fragment F on __Type { z: fields { type { name } } }'],
    [
      'a type that is there',
      '{ __type(name: "Query") { name fields { name } old: fields(includeDeprecated: true) { name } } }',
    ],
    ['a type that is not there', '{ __type(name: "Nobody") { name fields { name } } }'],
    ['fragments in place', '{ __schema { ... { queryType { ... on __Type { name } } } __typename } }'],
  ])('are counted as they are answered: %s', (_, text) => {
    for (const schema of [ours, small])
      expect(count(schema, text)).toBe(answered(executeSync({ schema, document: parse(text) }).data));
  });

  it('follow the variables', () => {
    const { introspection, nodes } = asked(
      small,
      'query Q($d: Boolean) { __type(name: "E") { enumValues(includeDeprecated: $d) { name } } }',
      { d: true },
    );
    expect(countIntrospected(introspection, nodes, Infinity)).toBe(1 + 1 + 2);
  });

  it('are counted no further than asked for, also where they would be beyond counting', () => {
    expect(count(ours, MULTIPLIED_INTROSPECTION)).toBeGreaterThan(500_000);
    expect(count(ours, MULTIPLIED_INTROSPECTION, 1_000)).toBe(Infinity);
    const levels = Array.from(
      { length: 60 },
      (_, at) =>
        `fragment F${at} on __Type { a${at}: fields { type { ...F${at + 1} } } b${at}: fields { type { ...F${at + 1} } } }`,
    );
    expect(
      count(ours, `{ __schema { types { ...F0 } } } ${levels.join(' ')} fragment F60 on __Type { name }`, 10_000),
    ).toBeGreaterThan(10_000);
  });
});

describe('the limit on introspection', () => {
  it.each(TOOLS)('takes what tools ask: %s', (_, text) => {
    for (const schema of [ours, small]) expect(check(schema, text)).not.toThrow();
  });

  it('takes nearly all of it twice', () => {
    expect(count(ours, TWICE_INTROSPECTED) / count(ours, FULLEST_INTROSPECTION)).toBeCloseTo(2, 0);
    expect(check(ours, TWICE_INTROSPECTED)).not.toThrow();
  });

  it.each([
    ['aliases in aliases', MULTIPLIED_INTROSPECTION],
    [
      'the whole schema three times',
      `{ ${[0, 1, 2].map((at) => `a${at}: __schema { types { ...FullType } }`).join(' ')} } ${getIntrospectionQuery().slice(getIntrospectionQuery().indexOf('fragment FullType'))}`,
    ],
    [
      'every type very often',
      `{ __schema { types { ${Array.from({ length: 30 }, (_, at) => `a${at}: fields { type { fields { name } } }`).join(' ')} } } }`,
    ],
  ])('refuses %s', (_, text) => {
    expect(check(ours, text)).toThrow(/^The introspection answers more than \d+ fields/);
  });
});
