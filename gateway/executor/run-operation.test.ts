import fc from 'fast-check';
import { Kind } from 'graphql';
import { describe, expect, it } from 'vitest';

import { aRequestOf } from '#test/support/requests.ts';
import { answered, createScriptedEngine, errorAt, type Script } from '#test/support/federation/scripted-engine.ts';

const PEOPLE = `
type Query { person(id: ID!): Person people: [Person] strict: Strict all: [Person!]! }
type Mutation { first(x: Int): Int third: Int }
type Person @key(fields: "id") { id: ID! name: String friend: Person }
type Strict { must: Person! }
`;
const SHOP = `
type Query { item: Item }
type Mutation { second: Int }
type Item { title: String! }
type Person @key(fields: "id") { id: ID! points: Int rank(by: String): Rank size: Int! }
type Rank @key(fields: "id") { id: ID! place: Int }
`;
const RANKS = `type Rank @key(fields: "id") { id: ID! note(of: String): String } type Query { ranks: Int }`;

const person = (id: string) => ({ __typename: 'Person', id, name: `name-${id}` });
const representations = (variables: Readonly<Record<string, unknown>>) =>
  variables['representations'] as { readonly id: string }[];
const never: Script = () => new Promise(() => undefined);

/** People 1, 2, 1: one entity at two places. */
const peopleAnswer: Script = () => answered({ people: [person('1'), person('2'), person('1')], all: [person('1')] });
const points: Script = ({ variables }) =>
  answered({ _entities: representations(variables).map(({ id }) => ({ points: Number(id) * 10, size: 1 })) });

const graph = (people: Script, shop: Script, options = {}) =>
  createScriptedEngine({ people: { sdl: PEOPLE, answer: people }, shop: { sdl: SHOP, answer: shop } }, options);

describe('entities', () => {
  it('asks for each entity once and shows it at every place', async () => {
    const { ask, fetches } = await graph(peopleAnswer, points);
    expect(await ask('{ people { id points } }')).toMatchObject({
      data: {
        people: [
          { id: '1', points: 10 },
          { id: '2', points: 20 },
          { id: '1', points: 10 },
        ],
      },
      errors: [],
    });
    expect(fetches.map(({ variables }) => variables['representations'])).toEqual([
      undefined,
      [
        { __typename: 'Person', id: '1' },
        { __typename: 'Person', id: '2' },
      ],
    ]);
  });

  it('asks two branches of a plan in one call when they want the same of a subgraph', async () => {
    const { ask, fetches } = await graph(peopleAnswer, points);
    await ask('{ a: people { points } all { points } }');
    expect(fetches.filter(({ subgraph }) => subgraph === 'shop')).toHaveLength(1);
  });

  it('tells an entity’s errors and notices at every place that shows it', async () => {
    const { ask } = await graph(peopleAnswer, ({ variables }) => {
      const [refused] = [
        { coordinate: 'Person.points', purpose: null, reason: 'CONSENT_REQUIRED', rowKey: 'one' } as const,
      ];
      const source = { system: 'crm', lane: 'REALTIME', asOf: null, stale: true, degraded: true } as const;
      return answered(
        { _entities: representations(variables).map(() => ({ points: null })) },
        {
          errors: [errorAt(['_entities', 0, 'points'])],
          refusals: [{ ...refused, path: ['_entities', 0, 'points'] }],
          degraded: [{ ...source, path: ['_entities', 1, 'points'] }],
        },
      );
    });
    const answer = await ask('{ people { points } }');
    expect(answer.errors).toEqual([
      'people.0.points UPSTREAM_UNAVAILABLE shop',
      'people.2.points UPSTREAM_UNAVAILABLE shop',
    ]);
    expect(answer.consent).toMatchObject([
      {
        count: 1,
        paths: [
          ['people', 0, 'points'],
          ['people', 2, 'points'],
        ],
      },
    ]);
    expect(answer.provenance).toMatchObject([{ paths: [['people', 1, 'points']] }]);
  });

  it('shows each place its own arguments, whatever other places of the same entity ask', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('x', 'y', 'z'), { minLength: 2, maxLength: 5 }), async (wanted) => {
        const { ask } = await createScriptedEngine({
          people: { sdl: PEOPLE, answer: ({ document }) => answered(rootsOf(document)) },
          shop: {
            sdl: SHOP,
            answer: ({ variables }) =>
              answered({
                _entities: representations(variables).map(() => ({ rank: { __typename: 'Rank', id: 'r' } })),
              }),
          },
          ranks: {
            sdl: RANKS,
            answer: ({ text, variables }) => {
              const of = /note\(of:"(\w)"\)/.exec(text)?.[1];
              return answered({ _entities: representations(variables).map(() => ({ note: `note ${of}` })) });
            },
          },
        });
        const roots = wanted.map((of, index) => `p${index}: person(id: "1") { rank { note(of: "${of}") } }`);
        const { data, errors } = await ask(`{ ${roots.join(' ')} }`);
        expect(errors).toEqual([]);
        expect(data).toEqual(
          Object.fromEntries(wanted.map((of, index) => [`p${index}`, { rank: { note: `note ${of}` } }])),
        );
      }),
      { numRuns: 15 },
    );
  });
});

function rootsOf(document: Parameters<Script>[0]['document']): Record<string, unknown> {
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION);
  const fields = operation?.selectionSet.selections.flatMap((node) => (node.kind === Kind.FIELD ? [node] : [])) ?? [];
  return Object.fromEntries(fields.map((node) => [node.alias?.value ?? node.name.value, person('1')]));
}

describe('failing subgraphs', () => {
  it.each([
    ['throws', () => Promise.reject(new Error('at http://10.0.0.1')), 'SUBGRAPH_UNAVAILABLE'],
    ['never answers', never, 'DEADLINE_EXCEEDED'],
    ['answers nothing', () => undefined, 'SUBGRAPH_UNAVAILABLE'],
    ['answers HTML', () => answered('<html>'), 'SUBGRAPH_UNAVAILABLE'],
    ['answers too few', () => answered({ _entities: [] }), 'SUBGRAPH_UNAVAILABLE'],
  ] as const)('costs only its own fields when it %s', async (_how, shop, code) => {
    const { ask } = await graph(peopleAnswer, shop, { fetchMs: 30 });
    const answer = await ask('{ people { id name points } }');
    expect(answer.data).toMatchObject({ people: [{ id: '1', name: 'name-1', points: null }, {}, { points: null }] });
    expect(answer.errors).toEqual([0, 2, 1].map((row) => `people.${row}.points ${code} shop`));
  });

  it('answers when the client leaves, although a subgraph goes on for a minute', async () => {
    const asked = Promise.withResolvers<void>();
    const client = new AbortController();
    const { ask } = await graph(
      peopleAnswer,
      () => {
        asked.resolve();
        return never(undefined as never);
      },
      { fetchMs: 60_000 },
    );
    const request = aRequestOf({ signal: client.signal, deadlineAtMs: Date.now() + 60_000 });
    const answer = ask('{ people { id points } }', { request });
    await asked.promise;
    client.abort();
    expect((await answer).errors).toHaveLength(3);
  });

  it('tells errors of keys the client did not select at the row', async () => {
    const { ask } = await graph(
      () => answered({ people: [null, person('2')] }, { errors: [errorAt(['people', 0, 'id'])] }),
      points,
    );
    expect((await ask('{ people { points } }')).errors).toEqual(['people.0 UPSTREAM_UNAVAILABLE people']);
  });

  it('promotes a null to the nearest nullable place and tells it once', async () => {
    const { ask } = await graph(
      () => answered({ strict: { must: null }, all: [person('1')] }),
      ({ variables }) => answered({ _entities: representations(variables).map(() => ({ points: 1, size: null })) }),
    );
    expect(await ask('{ strict { must { id } } }')).toMatchObject({
      data: { strict: null },
      errors: ['strict.must INTERNAL_SERVER_ERROR people'],
    });
    expect(await ask('{ all { points size } }')).toMatchObject({
      data: null,
      errors: ['all.0.size INTERNAL_SERVER_ERROR shop'],
    });
  });

  it('adds no second error to a null the subgraph has told of', async () => {
    const { ask } = await graph(peopleAnswer, () => Promise.reject(new Error('down')));
    expect(await ask('{ all { size } }')).toMatchObject({
      data: null,
      errors: ['all.0.size SUBGRAPH_UNAVAILABLE shop'],
    });
  });

  it('nulls values of a wrong kind with an error each', async () => {
    const { ask } = await graph(
      () => answered({ people: 'many', strict: [1], all: [{ __typename: 'Secret', id: '1', name: { a: 1 } }] }),
      points,
    );
    const answer = await ask('{ people { id } strict { must { id } } }');
    expect(answer.data).toEqual({ people: null, strict: null });
    expect(answer.errors).toEqual(['people INTERNAL_SERVER_ERROR people', 'strict INTERNAL_SERVER_ERROR people']);
    expect((await ask('{ all { name } }')).errors).toEqual(['all.0.name INTERNAL_SERVER_ERROR people']);
    // No such type is in the schema; its name is not repeated.
    expect((await ask('{ all { points } }')).errors).toEqual(['all.0 INTERNAL_SERVER_ERROR people']);
  });
});

describe('time', () => {
  it('starts nothing for a client that left, nor after the deadline', async () => {
    const { ask, fetches } = await graph(peopleAnswer, points);
    const left = new AbortController();
    left.abort();
    for (const request of [aRequestOf({ signal: left.signal }), aRequestOf({ deadlineAtMs: Date.now() - 1 })]) {
      const answer = await ask('{ people { id } }', { request });
      expect(answer).toMatchObject({ data: { people: null }, errors: ['people DEADLINE_EXCEEDED people'] });
    }
    expect(fetches).toEqual([]);
  });

  it('ends a running fetch when the client leaves, and tells the subgraph so', async () => {
    const client = new AbortController();
    let told = 0;
    const { ask } = await graph(({ waiting }) => {
      waiting.onOver = () => (told += Number(waiting.isOver));
      client.abort();
      return new Promise(() => undefined);
    }, points);
    const answer = await ask('{ people { id } }', { request: aRequestOf({ signal: client.signal }) });
    expect(answer.errors).toEqual(['people DEADLINE_EXCEEDED people']);
    expect(told).toBe(1);
  });
});

describe('operations', () => {
  it('runs mutations one after the other, in the client’s order', async () => {
    const order: string[] = [];
    const running = { now: 0, most: 0 };
    const slowly: Script = async ({ text }) => {
      running.now += 1;
      running.most = Math.max(running.most, running.now);
      await new Promise((resolve) => setImmediate(resolve));
      running.now -= 1;
      const names = [...text.matchAll(/first|second|third/g)].map(([name]) => name);
      order.push(...names);
      return answered(Object.fromEntries(names.map((name) => [name, order.length])));
    };
    const { ask } = await graph(slowly, slowly);
    expect((await ask('mutation { first(x: 1) second third }')).data).toEqual({ first: 1, second: 2, third: 3 });
    expect(order).toEqual(['first', 'second', 'third']);
    expect(running.most).toBe(1);
  });

  it('obeys @skip and @include with variables and defaults, without a fetch for what is left out', async () => {
    const { ask, fetches } = await graph(peopleAnswer, points);
    const text = `query ($with: Boolean = false, $name: Boolean!) { people { id points @include(if: $with) name @skip(if: $name) } }`;
    expect((await ask(text, { variables: { name: true } })).data).toMatchObject({ people: [{ id: '1' }, {}, {}] });
    expect(fetches.map(({ subgraph }) => subgraph)).toEqual(['people']);
    const both = await ask(text, { variables: { name: false, with: true } });
    expect(both.data).toMatchObject({ people: [{ id: '1', points: 10, name: 'name-1' }, {}, {}] });
  });

  it('leaves a field out of a merged selection whose guard does not hold', async () => {
    const { ask } = await graph(peopleAnswer, points);
    const text = 'query ($on: Boolean!) { people { id } people @include(if: $on) { name } }';
    const { data } = await ask(text, { variables: { on: false } });
    expect(Object.keys((data as { people: object[] }).people[0] ?? {})).toEqual(['id']);
  });

  it('answers introspection itself, beside fields of subgraphs and in the order asked', async () => {
    const { ask, fetches } = await graph(peopleAnswer, points);
    const { data } = await ask(
      'query ($n: String!) { ...R people { id } t: __type(name: $n) { name } q: __typename } fragment R on Query { __schema { queryType { name } } }',
      {
        variables: { n: 'Person' },
      },
    );
    expect(Object.keys(data as object)).toEqual(['__schema', 'people', 't', 'q']);
    expect(data).toMatchObject({ __schema: { queryType: { name: 'Query' } }, t: { name: 'Person' }, q: 'Query' });
    expect(fetches).toHaveLength(1);
  });

  it('refuses variables that do not fit before anything is fetched', async () => {
    const { ask, fetches } = await graph(peopleAnswer, points);
    const answer = await ask('query ($id: ID!) { person(id: $id) { id } }');
    expect([answer.data, answer.errors.length, fetches.length]).toEqual([undefined, 1, 0]);
  });

  it('keeps the caller’s own variable named representations from entity fetches', async () => {
    const { ask } = await graph(peopleAnswer, points);
    await expect(
      ask('query ($representations: String) { people { rank(by: $representations) { place } } }'),
    ).rejects.toThrow('representations');
  });
});

describe('update', () => {
  it('serves the new supergraph, and the old one when the new is bad', async () => {
    const { engine, ask, compose } = await graph(peopleAnswer, points);
    await ask('{ people { id points } }');
    await expect(engine.update('type Query { a: Int }')).rejects.toThrow(/join|core|supergraph/);
    await expect(engine.update(compose().replaceAll('"shop"', '"lost"'))).rejects.toThrow('lost, which is not wired');
    expect((await ask('{ people { id } }')).errors).toEqual([]);
    const schemas: string[][] = [];
    engine.onLoad(({ apiSchema }) => schemas.push(Object.keys(apiSchema.getQueryType()?.getFields() ?? {})));
    await engine.update(compose().replace('item: Item', 'thing: Item'));
    expect(schemas.map((fields) => fields.includes('thing'))).toEqual([false, true]);
    expect((await ask('{ people { id points } }')).errors).toEqual([]);
  });
});
