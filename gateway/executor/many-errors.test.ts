import { describe, expect, it } from 'vitest';

import { readResult } from './remote/read-result.ts';
import { answered, createScriptedEngine, errorAt, type Script } from '#test/support/federation/scripted-engine.ts';

const PEOPLE = `type Query { people: [Person] numbers: [Int] strict: [Int!] } type Person @key(fields: "id") { id: ID! }`;
const SHOP = 'type Person @key(fields: "id") { id: ID! a: Int b: Int c: Int must: Int! }';
const TILL = 'type Person @key(fields: "id") { id: ID! sales: Int }';

const person = (id: string) => ({ __typename: 'Person', id });
const persons = (count: number, kinds = count) =>
  Array.from({ length: count }, (_, row) => person(String(row % kinds)));
const entities = ({ variables }: Parameters<Script>[0]) =>
  (variables['representations'] as readonly unknown[]).map(() => ({ a: 1 }));
const down: Script = () => Promise.reject(new Error('down'));

/** As many errors as one operation tells place by place, and what each fetch has beside. */
const MOST = 10_000;
const OWN = 100;

const graph = (people: Script, shop: Script, till: Script = down) =>
  createScriptedEngine({
    people: { sdl: PEOPLE, answer: people },
    shop: { sdl: SHOP, answer: shop },
    till: { sdl: TILL, answer: till },
  });
const of = (errors: readonly string[], subgraph: string) => errors.filter((error) => error.endsWith(` ${subgraph}`));

describe('many errors', () => {
  it('of a whole answer are told once a kind at each field they cost', async () => {
    const errors = Array.from({ length: 1_000 }, (_, index) => errorAt(undefined, index % 2 === 0 ? 'ONE' : 'OTHER'));
    const { ask } = await graph(
      () => answered({ people: persons(100) }),
      () => answered(null, { errors }),
    );
    const told = await ask('{ people { a b c } }');
    expect(told.errors).toHaveLength(100 * 3 * 2);
    expect(new Set(told.errors.map((error) => error.split(' ')[1]))).toEqual(new Set(['ONE', 'OTHER']));
  });

  it('of a whole answer are told in five kinds at most', async () => {
    const errors = Array.from({ length: 1_000 }, (_, index) => errorAt(undefined, `KIND_${index}`));
    const { ask } = await graph(
      () => answered({ people: persons(1) }),
      () => answered(null, { errors }),
    );
    expect((await ask('{ people { a } }')).errors).toHaveLength(5);
  });

  it('of one entity shown at many places are bounded, and no subgraph silences another', async () => {
    const errors = Array.from({ length: 1_000 }, () => errorAt(['_entities', 0, 'a']));
    const { ask } = await graph(
      () => answered({ people: persons(100, 1) }),
      (fetch) => answered({ _entities: entities(fetch) }, { errors }),
    );
    const told = await ask('{ people { a sales } }');
    // Whichever of the two comes first has what both share.
    expect(told.errors.length).toBeLessThanOrEqual(MOST + 2 * OWN);
    expect(of(told.errors, 'shop').length).toBeGreaterThanOrEqual(OWN);
    expect(of(told.errors, 'till')).toHaveLength(100);
  });

  it('that are not told do not come back as nulls nobody told of', async () => {
    const { ask } = await graph(() => answered({ people: persons(12_000) }), down);
    const told = await ask('{ people { a must } }');
    expect(told.errors).toHaveLength(MOST + OWN);
    expect(new Set(told.errors.map((error) => error.split(' ')[1]))).toEqual(new Set(['SUBGRAPH_UNAVAILABLE']));
  });

  it('for values that do not fit are bounded', async () => {
    const wrong = Array.from({ length: 20_000 }, () => 'wrong');
    const { ask } = await graph(() => answered({ numbers: wrong, strict: [1, 'wrong'] }), down);
    const { data, errors } = await ask('{ numbers strict }');
    expect(errors).toHaveLength(MOST);
    // Also what is found beyond is promoted.
    expect(data).toMatchObject({ strict: null });
  });

  it('have no path when it is longer than any of an answer', () => {
    const told = (steps: number) =>
      readResult(JSON.stringify({ data: {}, errors: [{ message: 'm', path: Array(steps).fill(0) }] })).errors[0]?.path;
    expect(told(64)).toHaveLength(64);
    expect(told(65)).toBeUndefined();
  });
});
