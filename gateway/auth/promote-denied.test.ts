import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';

import { promoteDenied } from './promote-denied.ts';
import type { DeniedCell } from './static-authorization.ts';

const schema = buildSchema(`
  type Query { a: A list: [A] strict: [A!] never: A! thing: Thing open: Int }
  type A { id: ID! secret: String! maybe: String self: A! friends: [A!]! }
  type B { secret: String! }
  union Thing = A | B
`);

const cell = (coordinate: string): DeniedCell => ({ denial: { kind: 'SCOPE', coordinate, scopes: [] }, path: [] });

function promoted(query: string, data: unknown, coordinate = 'A.secret'): unknown {
  const document = parse(query);
  expect(validate(schema, document)).toEqual([]);
  return promoteDenied(data, [cell(coordinate)], { schema, document, operationName: undefined });
}

describe('promoteDenied', () => {
  it.each([
    ['the row', '{ open a { id secret } }', { open: 1, a: { id: '1', secret: null } }, { open: 1, a: null }],
    [
      'only the rows that were denied',
      '{ list { id secret } }',
      { list: [{ id: '1', secret: null }, null, { id: '2', secret: 'told' }] },
      { list: [null, null, { id: '2', secret: 'told' }] },
    ],
    ['a list of rows that are never null', '{ strict { secret } }', { strict: [{ secret: null }] }, { strict: null }],
    ['everything', '{ open never { secret } }', { open: 1, never: { secret: null } }, null],
    [
      'what is above, through fields that are never null',
      '{ a { self { friends { secret } } } }',
      { a: { self: { friends: [{ secret: null }] } } },
      { a: null },
    ],
    [
      'by aliases, fragments and types alike',
      '{ x: thing { ...F } } fragment F on Thing { ... on A { y: secret } ... on B { y: secret } }',
      { x: { y: null } },
      { x: null },
    ],
  ])('makes null %s', (_, query, data, expected) => {
    expect(promoted(query, data)).toEqual(expected);
  });

  it('leaves an answer as it is whose denied fields may be null', () => {
    const data = { a: { maybe: null } };
    expect(promoted('{ a { maybe } }', data, 'A.maybe')).toBe(data);
  });

  it('promotes no null that was an error before: what is not selected does not count', () => {
    expect(promoted('{ a { maybe } open }', { a: { maybe: null }, open: null })).toEqual({
      a: { maybe: null },
      open: null,
    });
  });
});
