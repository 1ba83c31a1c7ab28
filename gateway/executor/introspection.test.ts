import { parse, print } from 'graphql';
import { expect, it } from 'vitest';

import { withoutIntrospection } from './introspection.ts';
import { answered, createScriptedEngine } from '#test/support/federation/scripted-engine.ts';

const SHOP = 'type Query { items: [Item] } type Item { id: ID! }';
const items = [{ __typename: 'Item', id: '1' }];

it.each<readonly [string, string, object]>([
  ['alone', '{ __type(name: "Item") { ...T } } fragment T on __Type { isOneOf }', {}],
  ['beside fields', '{ __type(name: "Item") { isOneOf } items { id } }', { items: [{ id: '1' }] }],
  ['in a fragment', '{ ...R } fragment R on Query { ... { __type(name: "Item") { isOneOf } } }', {}],
])('answers what the planner does not know of introspection, %s', async (_, query, fetched) => {
  const { ask } = await createScriptedEngine({ shop: { sdl: SHOP, answer: () => answered({ items }) } });
  expect(await ask(query)).toMatchObject({ errors: [], data: { __type: { isOneOf: null }, ...fetched } });
});

it('plans all but introspection and its fragments', () => {
  const text =
    '{ a: __schema { types { ...T } } items { __typename } } fragment T on __Type { name } fragment I on Item { id }';
  const planned = '{ __typename items { __typename } } fragment I on Item { id }';
  expect(print(withoutIntrospection(parse(text)))).toBe(print(parse(planned)));
});
