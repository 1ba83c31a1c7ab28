import { describe, expect, it } from 'vitest';

import { answered, createScriptedEngine, errorAt } from '#test/support/federation/scripted-engine.ts';

const person = (id: string) => ({ __typename: 'Person', id, name: `name-${id}` });

describe('values that do not fit', () => {
  it('tells a value nested too deep to be written at its place, and keeps the rest', async () => {
    const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
    const raw: Record<string, unknown> = {};
    const { ask, fetches } = await createScriptedEngine({
      facts: {
        sdl: 'scalar JSON type Query { one: Fact } type Fact @key(fields: "id") { id: ID! j: JSON js: [JSON] n: Int s: String }',
        answer: () => answered({ one: { __typename: 'Fact', id: '1', s: 'kept', ...raw } }),
      },
      notes: {
        sdl: 'scalar JSON type Query { ping: Int } type Fact @key(fields: "id") { id: ID! j: JSON @external n2: String @requires(fields: "j") }',
        answer: () => answered({ _entities: [{ n2: 'never' }] }),
      },
    });
    Object.assign(raw, { j: nested(20_000), js: [nested(20_000)], n: nested(20_000) });
    const { data, errors } = await ask('{ one { s j js n n2 } }');
    expect(data).toEqual({ one: { s: 'kept', j: null, js: null, n: null, n2: null } });
    expect(errors).toEqual(['j', 'js', 'n'].map((key) => `one.${key} INTERNAL_SERVER_ERROR facts`));
    expect(fetches.map(({ subgraph }) => subgraph)).toEqual(['facts']);
    Object.assign(raw, { j: nested(64), js: [nested(63)], n: 1 });
    expect(await ask('{ one { j js n } }')).toMatchObject({ data: { one: raw }, errors: [] });
  });

  it('tells a promoted null under its own service, whatever others failed at the row', async () => {
    const down = () => errorAt(undefined, 'UPSTREAM_UNAVAILABLE');
    const { ask } = await createScriptedEngine({
      people: {
        sdl: 'type Query { people: [Person] } type Person @key(fields: "id") { id: ID! }',
        answer: () => answered({ people: [person('1'), person('2')] }),
      },
      shop: {
        sdl: 'type Person @key(fields: "id") { id: ID! size: Int! }',
        answer: () => answered({ _entities: [{}, {}] }),
      },
      till: {
        sdl: 'type Person @key(fields: "id") { id: ID! sales: Int }',
        answer: () =>
          answered({ _entities: [{ sales: 1 }, { sales: 2 }] }, { errors: [down(), errorAt(['_entities', 1])] }),
      },
    });
    const { data, errors } = await ask('{ people { size sales } }');
    expect(data).toEqual({ people: [null, null] });
    expect(errors.toSorted()).toEqual([
      'people.0 UPSTREAM_UNAVAILABLE till',
      'people.0.size INTERNAL_SERVER_ERROR shop',
      'people.1 UPSTREAM_UNAVAILABLE till',
      'people.1.size INTERNAL_SERVER_ERROR shop',
    ]);
  });

  it('tells a promoted null no second time when the key its service needs failed, or its own service at the row', async () => {
    const { ask } = await createScriptedEngine({
      people: {
        sdl: 'type Query { people: [Person] } type Person @key(fields: "id") { id: ID }',
        answer: () =>
          answered({ people: [{ __typename: 'Person' }, person('2')] }, { errors: [errorAt(['people', 0, 'id'])] }),
      },
      shop: {
        sdl: 'type Person @key(fields: "id") { id: ID size: Int! }',
        answer: () => answered({ _entities: [null] }, { errors: [errorAt(['_entities', 0])] }),
      },
    });
    expect((await ask('{ people { size } }')).errors).toEqual([
      'people.0 UPSTREAM_UNAVAILABLE people',
      'people.1 UPSTREAM_UNAVAILABLE shop',
    ]);
  });
});
