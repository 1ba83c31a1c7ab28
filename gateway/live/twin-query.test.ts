import { buildSchema, getOperationAST, parse, type GraphQLError, validate } from 'graphql';
import { describe, expect, it } from 'vitest';

import { toTwinQuery } from './twin-query.ts';

const schema = buildSchema(`
  type Query { person(id: ID!): Person people(ids: [ID!]!, first: Int): [Person!] }
  type Subscription { personChanged(id: ID!): Person peopleChanged(ids: [ID!]!): [Person!] foreign: Int }
  type Person { id: ID! name(upper: Boolean): String friend: Person }
`);
const live = new Map([
  ['Subscription.personChanged', { query: 'person', keys: 'id' }],
  ['Subscription.peopleChanged', { query: 'people', keys: 'ids' }],
]);

function twinOf(text: string, variables: Record<string, unknown> = {}, name?: string) {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  const operation = getOperationAST(document, name);
  if (operation === null || operation === undefined) throw new Error('no operation');
  const twin = toTwinQuery({ document, operation, variables }, { schema, live });
  expect(validate(schema, parse(twin.text))).toEqual([]);
  return { ...twin, text: twin.text.replaceAll(/\s+/g, ' ') };
}

describe('the query of a subscription', () => {
  it('has its selections, aliases and variables, under its response key', () => {
    const twin = twinOf(
      'subscription Live($id: ID!, $up: Boolean) { personChanged(id: $id) { id shown: name(upper: $up) @include(if: true) } }',
      { id: '7', up: true },
    );
    expect(twin.text).toBe(
      'query Live($id: ID!, $up: Boolean) { personChanged: person(id: $id) { id shown: name(upper: $up) @include(if: true) } }',
    );
    expect([twin.field, twin.operationName, twin.arguments]).toEqual(['personChanged', 'Live', { id: '7' }]);
    expect(twin.variablesFor(['7'])).toEqual({ id: '7', up: true });
  });

  it('follows fragments to its one field, and leaves out other operations with their fragments', () => {
    const twin = twinOf(
      `query Other { ...O } fragment O on Query { person(id: 1) { id } }
       subscription Live { ...Root } fragment Root on Subscription { ... on Subscription { a: personChanged(id: "7") { ...P } } }
       fragment P on Person { friend { ...F } } fragment F on Person { name }`,
      {},
      'Live',
    );
    expect(twin.text).toBe(
      'query Live { ...Root } fragment Root on Query { ... on Query { a: person(id: "7") { ...P } } } fragment P on Person { friend { ...F } } fragment F on Person { name }',
    );
  });

  it('takes the changed members of a list by a variable, so that its text is the same for every event', () => {
    const twin = twinOf('subscription ($changedKeys: [ID!]!) { peopleChanged(ids: $changedKeys) { id } }', {
      changedKeys: ['3', '1', '3', '2'],
    });
    expect(twin.text).toBe('query ($changedKeys_: [ID!]!) { peopleChanged: people(ids: $changedKeys_) { id } }');
    expect(twin.variablesFor(null)).toMatchObject({ changedKeys_: ['3', '1', '3', '2'] });
    expect(twin.variablesFor(['2', '3', 'x'])).toMatchObject({ changedKeys_: ['3', '3', '2'] });
    expect(twinOf('subscription { peopleChanged(ids: ["1"]) { id } }').text).toBe(
      'query ($changedKeys: [ID!]!) { peopleChanged: people(ids: $changedKeys) { id } }',
    );
  });

  it('does not exist for a field without a twin, or for variables that do not fit', () => {
    const codeOf = (run: () => unknown) => {
      try {
        return run();
      } catch (error) {
        return (error as GraphQLError).extensions['code'];
      }
    };
    expect(codeOf(() => twinOf('subscription { foreign }'))).toBe('OPERATION_RESOLUTION_FAILURE');
    const query = 'subscription ($id: ID!) { personChanged(id: $id) { id } }';
    expect(codeOf(() => twinOf(query))).toBe('BAD_USER_INPUT');
  });
});
