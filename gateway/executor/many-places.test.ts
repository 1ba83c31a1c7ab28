import { describe, expect, it } from 'vitest';

import { answered, createScriptedEngine, type Script } from '#test/support/federation/scripted-engine.ts';

const SHELF = `type Query { shelf: [Item] } type Item @key(fields: "id") { id: ID! }`;
const PARTS = 'type Item @key(fields: "id") { id: ID! parts: [Part] codes: [Int] } type Part { no: Int }';
const STOCK = 'type Item @key(fields: "id") { id: ID! onHand: Int }';

const each = ({ variables }: Parameters<Script>[0], answer: unknown) =>
  (variables['representations'] as readonly unknown[]).map(() => answer);

/** An item at so many places of a list; another one at each of them when their ids differ. */
const graph = (placeCount: number, parts: unknown, idOf = (_place: number) => '1') =>
  createScriptedEngine({
    shelf: {
      sdl: SHELF,
      answer: () =>
        answered({
          shelf: Array.from({ length: placeCount }, (_, place) => ({ __typename: 'Item', id: idOf(place) })),
        }),
    },
    parts: { sdl: PARTS, answer: (fetch) => answered({ _entities: each(fetch, parts) }) },
    stock: { sdl: STOCK, answer: (fetch) => answered({ _entities: each(fetch, { onHand: 3 }) }) },
  });
const rows = (count: number) => Array.from({ length: count }, () => ({ no: 1 }));

describe('answers that are more than an operation may hold', () => {
  it('end where it is full', async () => {
    const codes = Array.from({ length: 100_000 }, () => 1);
    const { ask } = await graph(20, { codes }, String);
    const { data, errors } = await ask('{ shelf { codes } }');
    const { shelf } = data as { readonly shelf: readonly Record<string, unknown>[] };
    expect(shelf.map((row) => row['codes'] !== null)).toEqual(shelf.map((_, place) => place < 10));
    expect(errors).toEqual(shelf.slice(10).map((_, row) => `shelf.${row + 10}.codes SUBGRAPH_UNAVAILABLE parts`));
  });
});

describe('rows without any of their fields', () => {
  const FIELDS = Array.from({ length: 300 }, (_, index) => `f${index}`);
  const typed = `{ ${FIELDS.map((name) => `${name}: Int`).join(' ')}`;
  const bare = (count: number) => Array.from({ length: count }, () => ({}));

  it('of one subgraph cost its fields, where there are more than an answer may hold', async () => {
    const shelf = { sdl: `type Query { shelf: [Part] own: Int } type Part ${typed} }`, answer: () => answered(data) };
    const stock = { sdl: 'type Query { onHand: Int }', answer: () => answered({ onHand: 3 }) };
    const data = { own: 1, shelf: bare(10_000) };
    const { ask } = await createScriptedEngine({ shelf, stock });
    expect(await ask(`{ onHand shelf { ${FIELDS.join(' ')} } }`)).toMatchObject({
      data: { onHand: 3, shelf: null },
      errors: ['shelf SUBGRAPH_UNAVAILABLE shelf'],
    });
    expect((await ask(`{ shelf { ${FIELDS.slice(0, 90).join(' ')} } }`)).errors).toEqual([]);
  });

  it('because they are of other types cost next to nothing, however many types there are', async () => {
    const types = Array.from({ length: 30 }, (_, type) => ({
      name: `T${type}`,
      fields: FIELDS.slice(10 * type, 10 * type + 10),
    }));
    const nodes = Array.from({ length: 10_000 }, (_, row) => {
      const { name, fields } = types[row % types.length] ?? { name: '', fields: [] };
      return { __typename: name, ...Object.fromEntries(fields.map((field) => [field, row])) };
    });
    const declared = types.map(
      ({ name, fields }) =>
        `type ${name} implements Node { id: ID ${fields.map((field) => `${field}: Int`).join(' ')} }`,
    );
    const { ask } = await createScriptedEngine({
      shelf: {
        sdl: `type Query { nodes: [Node] } interface Node { id: ID } ${declared.join(' ')}`,
        answer: () => answered({ nodes }),
      },
    });
    const asked = types.map(({ name, fields }) => `... on ${name} { ${fields.join(' ')} }`);
    const { data, errors } = await ask(`{ nodes { ${asked.join(' ')} } }`);
    expect(errors).toEqual([]);
    expect((data as { readonly nodes: readonly unknown[] }).nodes[29]).toEqual(
      Object.fromEntries(FIELDS.slice(290).map((field) => [field, 29])),
    );
  });

  it('of which others have the fields cost the answer', async () => {
    const { ask } = await createScriptedEngine({
      shelf: { sdl: SHELF, answer: () => answered({ shelf: bare(20_000) }) },
      parts: { sdl: `type Item @key(fields: "id") ${typed} id: ID! }`, answer: () => answered({ _entities: [] }) },
    });
    const refused = await ask(`{ shelf { ${FIELDS.join(' ')} } }`);
    expect(refused).toMatchObject({ data: null, errors: ['(none) LIMIT_COST undefined'] });
    expect((await ask(`{ shelf { ${FIELDS.slice(0, 90).join(' ')} } }`)).errors).toEqual([]);
  });
});

describe('an answer that is shown at many places', () => {
  it.each([
    ['rows', 'parts { no }', 'parts', { parts: rows(20_000) }],
    ['leaves', 'codes', 'codes', { codes: Array.from({ length: 20_000 }, () => 1) }],
  ])(
    'of more %s than an operation may hold is told as unanswered, and costs no other',
    async (_, asked, key, parts) => {
      const { ask } = await graph(100, parts);
      const { data, errors } = await ask(`{ shelf { onHand ${asked} } }`);
      const { shelf } = data as { readonly shelf: readonly Record<string, unknown>[] };
      const broken = shelf.flatMap((row, place) => (row[key] === null ? [place] : []));
      expect(broken.length).toBeGreaterThanOrEqual(49);
      expect(errors).toEqual(broken.map((place) => `shelf.${place}.${key} SUBGRAPH_UNAVAILABLE parts`));
      expect(new Set(shelf.map(({ onHand }) => onHand))).toEqual(new Set([3]));
    },
  );

  it('is shown at all of them when an operation may hold it', async () => {
    const { ask } = await graph(100, { parts: rows(1_000) });
    const { data, errors } = await ask('{ shelf { parts { no } } }');
    expect(errors).toEqual([]);
    expect(data).toEqual({ shelf: Array.from({ length: 100 }, () => ({ parts: rows(1_000) })) });
  });
});
