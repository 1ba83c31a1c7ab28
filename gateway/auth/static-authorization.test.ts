import { buildSchema, GraphQLError, getOperationAST, parse, print, validate } from 'graphql';
import { describe, expect, it } from 'vitest';

import { denialOf, type Denial, type PolicyMap } from './coordinate-policy.ts';
import { readCoordinates } from './document-coordinates.ts';
import { createPruner, pruneDocument, restoreDenied, selectedDenials } from './static-authorization.ts';
import type { Principal } from '#schema/model/request.ts';

const schema = buildSchema(`
  type Query { customer(id: ID!): Customer party: Party any: [U!]! }
  interface Party { id: ID! email: String }
  union U = Customer | Company
  type Customer implements Party { id: ID! email: String name: String address: Address friends: [Customer!]! }
  type Company implements Party { id: ID! email: String }
  type Address { street: String }
`);
const email: Denial = { kind: 'SCOPE', coordinate: 'Customer.email', scopes: [['customers:read']] };
const address: Denial = { kind: 'PURPOSE', coordinate: 'Customer.address' };
const policy: PolicyMap = new Map([
  [
    'Customer.email',
    {
      authenticated: false,
      scopes: [['customers:read'], ['privacy:admin']],
      personalData: {
        coordinate: 'Customer.email',
        category: 'contact.email',
        purposes: ['MARKETING', 'SERVICE_SUPPORT'],
      },
    },
  ],
]);
const principal = (more: Partial<Principal>): Principal => ({
  client: 'c',
  role: 'marketer',
  scopes: new Set(['customers:read']),
  purposes: [],
  customer: null,
  stores: [],
  recipient: null,
  ...more,
});
const prune = (text: string, denials: readonly Denial[]) => pruneDocument(schema, parse(text), denials);

function coordinates(text: string) {
  const document = parse(text);
  const operation = getOperationAST(document);
  if (operation === null || operation === undefined) throw new GraphQLError('no operation');
  return readCoordinates(schema, document, operation);
}

describe('denialOf', () => {
  it('asks for one complete list of scopes', () => {
    expect(
      denialOf('Customer.email', policy, {
        principal: principal({ scopes: new Set(['orders:read']) }),
        purpose: 'MARKETING',
      }),
    ).toMatchObject({ kind: 'SCOPE' });
    expect(denialOf('Customer.email', policy, { principal: principal({}), purpose: 'MARKETING' })).toBeNull();
  });

  it('refuses a purpose the field never serves, a cell that is never open, and no purpose', () => {
    expect(denialOf('Customer.email', policy, { principal: principal({}), purpose: 'PERSONALIZATION' })).toMatchObject({
      kind: 'PURPOSE',
    });
    expect(
      denialOf('Customer.email', policy, { principal: principal({ role: 'partner' }), purpose: 'MARKETING' }),
    ).toMatchObject({ kind: 'PURPOSE' });
    expect(denialOf('Customer.email', policy, { principal: principal({}), purpose: null })).toMatchObject({
      kind: 'PURPOSE',
    });
    expect(denialOf('Customer.id', policy, { principal: principal({}), purpose: null })).toBeNull();
  });
});

describe('readCoordinates', () => {
  it('follows fragments and spreads abstract types over their possible types', () => {
    const { coordinates: found, introspectionOnly } = coordinates('{ party { ...F } } fragment F on Party { email }');
    expect([...found]).toEqual(
      expect.arrayContaining(['Query.party', 'Party.email', 'Customer.email', 'Company.email']),
    );
    expect(introspectionOnly).toBe(false);
  });

  it('knows an introspection-only operation, and one that hides a field in a fragment', () => {
    expect(coordinates('{ __schema { types { name } } __typename }').introspectionOnly).toBe(true);
    expect(coordinates('{ __typename ...F } fragment F on Query { party { id } }').introspectionOnly).toBe(false);
  });
});

describe('pruneDocument', () => {
  it.each([
    ['alias', '{ customer(id: 1) { mail: email } }', '__deny_0_mail: __typename'],
    ['fragment', '{ customer(id: 1) { ...F } } fragment F on Customer { email }', '__deny_0_email: __typename'],
    ['interface', '{ party { email } }', '__deny_0_email: __typename'],
    ['union', '{ any { ... on Customer { x: email } ... on Company { x: email } } }', '__deny_0_x: __typename'],
    ['nesting', '{ customer(id: 1) { friends { friends { email } } } }', '__deny_0_email: __typename'],
  ])('replaces a denied field behind %s and stays valid', (_, text, expected) => {
    const { document } = prune(text, [email]);
    expect(print(document)).toContain(expected);
    expect(validate(schema, document)).toEqual([]);
    expect(print(document).replaceAll(/__deny_\w+/g, '')).not.toMatch(/Customer \{\s+(x: )?email/);
  });

  it('keeps another type’s field under the same key, directives, and drops sub-selections', () => {
    const text =
      'query Q($a: Boolean!) { any { ... on Customer { x: address @skip(if: $a) { street } } ... on Company { id } } }';
    expect(print(prune(text, [address]).document)).toContain('__deny_0_x: __typename @skip(if: $a)');
  });

  it('neither mutates the shared document nor keeps its hash', () => {
    const document = parse('{ customer(id: 1) { email } }');
    const before = print(document);
    const pruned = createPruner(schema)('hash', document, [email]);
    expect(print(document)).toBe(before);
    expect(pruned.queryHash).not.toBe('hash');
  });

  it('caches by document and denied set, so one caller’s pruning never serves another', () => {
    const pruner = createPruner(schema);
    const document = parse('{ customer(id: 1) { email address { street } } }');
    const first = pruner('hash', document, [email]);
    expect(pruner('hash', document, [email])).toBe(first);
    expect(pruner('hash', document, [email, address]).queryHash).not.toBe(first.queryHash);
  });
});

describe('restoreDenied', () => {
  it('puts nulls back in place with their paths', () => {
    const answer = { any: [{ id: '1', __deny_0_mail: 'Customer', b: 1 }, { __deny_0_mail: 'Customer' }] };
    const { data, cells } = restoreDenied(answer, [email]);
    expect(JSON.stringify(data)).toBe('{"any":[{"id":"1","mail":null,"b":1},{"mail":null}]}');
    expect(cells.map(({ path }) => path)).toEqual([
      ['any', 0, 'mail'],
      ['any', 1, 'mail'],
    ]);
  });

  it('lets the denial win over a value under the same key, in either order', () => {
    expect(restoreDenied({ __deny_0_x: 'C', x: 'leak' }, [email]).data).toEqual({ x: null });
    expect(restoreDenied({ x: 'leak', __deny_0_x: 'C' }, [email]).data).toEqual({ x: null });
  });
});

describe('selectedDenials', () => {
  const street: Denial = { kind: 'PURPOSE', coordinate: 'Address.street' };
  const selected = (text: string, variables: Record<string, unknown> = {}, operation?: string) =>
    selectedDenials(prune(text, [email, address, street]), operation, variables).map(({ coordinate }) => coordinate);

  it.each([
    ['an alias', '{ customer(id: 1) { x: email } }', ['Customer.email']],
    [
      'nested fragments',
      '{ any { ...F } } fragment F on Customer { friends { ...G } } fragment G on Customer { address { street } }',
      ['Customer.address'],
    ],
    ['an interface', '{ party { email } }', ['Customer.email']],
    ['nothing below another denied field', '{ customer(id: 1) { address { street } } }', ['Customer.address']],
    ['nothing skipped', '{ customer(id: 1) { id email @skip(if: true) address @include(if: false) { street } } }', []],
    [
      'nothing of a skipped fragment',
      '{ any { __typename ...F @skip(if: true) } } fragment F on Customer { email }',
      [],
    ],
    ['no denial', '{ customer(id: 1) { name } }', []],
  ])('follows %s', (_, text, expected) => {
    expect(selected(text)).toEqual(expected);
  });

  it('reads conditions from variables and their defaults, of the operation that runs', () => {
    const text =
      'query A($x: Boolean! = false) { customer(id: 1) { id email @include(if: $x) } } query B { customer(id: 1) { address { street } } }';
    expect(selected(text, {}, 'A')).toEqual([]);
    expect(selected(text, { x: true }, 'A')).toEqual(['Customer.email']);
    expect(selected(text, {}, 'B')).toEqual(['Customer.address']);
  });
});
