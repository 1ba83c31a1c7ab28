import { buildSchema, type FieldNode, Kind, parse } from 'graphql';
import { expect, it } from 'vitest';

import { createArgumentReader } from './read-arguments.ts';

const field = buildSchema('type Query { a(b: Int!, c: Int = 3): Int }').getQueryType()?.getFields()['a'];
if (field === undefined) throw new Error('the schema has this field');

const fieldOf = (text: string): FieldNode => {
  const [definition] = parse(text).definitions;
  const node = definition?.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet.selections[0] : undefined;
  if (node?.kind !== Kind.FIELD) throw new Error('the document begins with a field');
  return node;
};

it.each([
  ['with variables and defaults', 'query ($b: Int!) { a(b: $b) }', { b: 2, c: 3 }],
  ['none where they cannot be read', 'query ($n: Int = 1) { a(b: $n) }', {}],
])('reads the arguments of a written field once, %s', (_, text, expected) => {
  const read = createArgumentReader({ b: 2, n: null });
  const node = fieldOf(text);
  const values = read(field, node);
  expect(values).toEqual(expected);
  expect(read(field, node)).toBe(values);
});

it('reads another field of the same name by itself', () => {
  const read = createArgumentReader({});
  expect([read(field, fieldOf('{ a(b: 1) }')), read(field, fieldOf('{ a(b: 2) }'))]).toEqual([
    { b: 1, c: 3 },
    { b: 2, c: 3 },
  ]);
});
