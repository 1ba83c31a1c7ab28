import { parse, printSchema } from 'graphql';
import { describe, expect, it } from 'vitest';

import { aRequest } from '#test/support/people-subgraph.ts';
import { defineSubgraph } from './define-subgraph.ts';
import type { RequestContext } from '#schema/model/request.ts';

const typeDefs = `
  type Query {
    pets(kind: Kind = CAT, near: Near = { point: { x: 1 } }): [Pet!]
    money(amount: Decimal = "1.50"): Money
    found: Found
    when(at: DateTime): DateTime
    guarded: Int @requiresScopes(scopes: [["catalog:read"]])
  }
  type Mutation {
    first: Int
    second: Int
  }
  enum Kind { CAT DOG }
  input Point { x: Int! y: Int = 2 }
  input Near { point: Point }
  interface Pet { name: String }
  type Cat implements Pet @key(fields: "name") { name: String }
  type Dog implements Pet { name: String }
  union Found = Cat | Dog
`;

const never = new Promise<never>(() => undefined);

function build(engine: 'shield' | 'guard') {
  const calls: string[] = [];
  const subgraph = defineSubgraph({
    name: 'pets',
    typeDefs,
    engine,
    deciders: {
      forFetch: () => {
        throw new Error('no decider');
      },
    },
    createLoaders: () => ({}),
    resolvers: {
      Query: {
        pets: (_row, { kind, near }) => [{ __typename: kind === 'CAT' ? 'Cat' : 'Dog', name: JSON.stringify(near) }],
        money: (_row, { amount }) => Object.freeze({ amount, currency: 'GBP' }),
        found: () => ({ bark: true, name: 'Rex' }),
        when: (_row, { at }) => at,
        guarded: () => 7,
      },
      Mutation: {
        first: () => never,
        second: () => {
          calls.push('second');
          return 2;
        },
      },
      Found: { __resolveType: (row) => ('bark' in row ? 'Dog' : 'Cat') },
      Cat: { __resolveReference: ({ name }) => (name === 'slow' ? never : Object.freeze({ name })) },
    },
  });
  const run = async (source: string, variables: Record<string, unknown> = {}, request: RequestContext = aRequest()) => {
    const result = await subgraph.execute({ document: parse(source), variables, request });
    const errors = result.errors.map((error) => [error.path?.join('.'), error.extensions['code']]);
    return { data: JSON.parse(JSON.stringify(result.data)) as unknown, errors };
  };
  return { subgraph, run, calls };
}

describe.each(['shield', 'guard'] as const)('a schema guarded by the %s', (engine) => {
  it('keeps defaults of arguments and inputs, scalars, interfaces and unions as they were', async () => {
    const { run } = build(engine);
    const result = await run(
      'query ($at: DateTime) { pets { __typename name } money { amount currency } found { ... on Dog { name } } when(at: $at) }',
      { at: '2026-11-23T08:00:00+01:00' },
    );
    expect(result).toEqual({
      data: {
        pets: [{ __typename: 'Cat', name: '{"point":{"x":1,"y":2}}' }],
        money: { amount: '1.50', currency: 'GBP' },
        found: { name: 'Rex' },
        when: '2026-11-23T07:00:00.000Z',
      },
      errors: [],
    });
  });

  it('refuses an instant that is none before a resolver sees it', async () => {
    const { run } = build(engine);
    expect((await run('query ($at: DateTime) { when(at: $at) }', { at: 'soon' })).errors).toEqual([
      [undefined, 'BAD_USER_INPUT'],
    ]);
    expect((await run('{ when(at: "soon") }')).errors).toEqual([['when', 'BAD_USER_INPUT']]);
  });

  it('serves its ungoverned fields when no decider can be made', async () => {
    const { run } = build(engine);
    expect(await run('{ money { amount } guarded }')).toEqual({
      data: { money: { amount: '1.50' }, guarded: null },
      errors: [['guarded', 'SCOPE_REQUIRED']],
    });
  });

  it('answers the entities that are ready when the request is stopped, frozen rows too', async () => {
    const { run } = build(engine);
    const stop = new AbortController();
    const references = ['quick', 'slow'].map((name) => ({ __typename: 'Cat', name }));
    const pending = run(
      'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Cat { name } } }',
      { r: references },
      aRequest({ signal: stop.signal }),
    );
    setImmediate(() => stop.abort());
    expect(await pending).toEqual({
      data: { _entities: [{ name: 'quick' }, null] },
      errors: [['_entities.1', 'DEADLINE_EXCEEDED']],
    });
  });

  it('starts no further mutation once the request is stopped', async () => {
    const { run, calls } = build(engine);
    const stop = new AbortController();
    const pending = run('mutation { first second }', {}, aRequest({ signal: stop.signal }));
    setImmediate(() => stop.abort());
    expect(await pending).toEqual({
      data: { first: null, second: null },
      errors: [
        ['first', 'DEADLINE_EXCEEDED'],
        ['second', 'DEADLINE_EXCEEDED'],
      ],
    });
    expect(calls).toEqual([]);
  });
});

describe('both engines', () => {
  it('leave the same schema', () => {
    expect(printSchema(build('shield').subgraph.schema)).toBe(printSchema(build('guard').subgraph.schema));
  });
});
