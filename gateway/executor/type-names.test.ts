import { describe, expect, it } from 'vitest';

import { answered, createScriptedEngine, errorAt, type Script } from '#test/support/federation/scripted-engine.ts';

const MEDIA = `
  type Query { any: Any media: Media shelf: [Media] book: Book }
  union Any = Book | Disc
  interface Media @key(fields: "id") { id: ID! }
  type Book implements Media @key(fields: "id") { id: ID! pages: Int }
  type Disc implements Media @key(fields: "id") { id: ID! minutes: Int }
`;
const RATING = `
  type Query { best: Media }
  type Media @key(fields: "id") @interfaceObject { id: ID! rating: Int next: Media }
`;
const graph = (media: unknown, rating: Script = () => answered(null)) =>
  createScriptedEngine({
    media: { sdl: MEDIA, answer: () => answered(media) },
    rating: { sdl: RATING, answer: rating },
  });

describe('an object whose type was asked and not told', () => {
  it.each([
    ['{ any { ... on Book { pages } } }', { any: { pages: 3 } }, { any: null }, 'any'],
    ['{ any { ... on Book { pages } } }', { any: { __typename: null, pages: 3 } }, { any: null }, 'any'],
    ['{ media { id ... on Book { pages } } }', { media: { id: '1' } }, { media: null }, 'media'],
    [
      '{ shelf { id } }',
      { shelf: [{ id: '1' }, { __typename: 'Disc', id: '2' }] },
      { shelf: [null, { id: '2' }] },
      'shelf.0',
    ],
  ])('is null with an error where it may be of several: %s', async (text, told, data, place) => {
    const { ask } = await graph(told);
    expect(await ask(text)).toMatchObject({ data, errors: [`${place} INTERNAL_SERVER_ERROR media`] });
  });

  it('is of the one type it may be of', async () => {
    const { ask, fetches } = await graph({ book: { id: '1', pages: 3 } });
    expect(await ask('{ book { pages rating } }')).toMatchObject({ data: { book: { pages: 3, rating: null } } });
    expect(fetches.map(({ text }) => text)).toEqual(['{ book { __typename id pages } }']);
  });
});

describe('a field that is of one type in its subgraph and of an interface or a union in others', () => {
  const book = { id: '1', pages: 3 };
  const fields = 'any: Book @shareable media: Book @shareable shelf: [Book!] @shareable';
  const narrow = `
    type Query { ${fields} mixed: [Any] }
    union Any = Book | Disc
    type Book @key(fields: "id") { id: ID! pages: Int sequel: Book @shareable }
    type Disc @key(fields: "id") { id: ID! minutes: Int next: Disc @shareable }
  `;
  const wide = `
    type Query { any: Any @shareable media: Media @shareable shelf: [Media!] @shareable wide: Media }
    union Any = Book | Disc
    interface Media { id: ID! }
    type Book implements Media @key(fields: "id") { id: ID! sequel: Media @shareable }
    type Disc implements Media @key(fields: "id") { id: ID! }
  `;
  const narrowed = (told: unknown, entity: unknown = null) =>
    createScriptedEngine({
      narrow: {
        sdl: narrow,
        answer: ({ variables }) =>
          answered(variables['representations'] === undefined ? told : { _entities: [entity] }),
      },
      other: {
        sdl: 'interface Media { id: ID! } type Disc implements Media @key(fields: "id") { id: ID! next: Media @shareable }',
        answer: () => answered(null),
      },
      wide: { sdl: wide, answer: () => answered({ wide: { __typename: 'Disc', id: '9' } }) },
    });

  it.each([
    ['{ any { ... on Book { pages } } }', { any: book }, { any: { pages: 3 } }],
    ['{ media { id ... on Book { pages } } }', { media: book }, { media: { id: '1', pages: 3 } }],
    [
      '{ shelf { ...B } } fragment B on Book { pages }',
      { shelf: [book, book] },
      { shelf: [{ pages: 3 }, { pages: 3 }] },
    ],
    [
      '{ m: media { ... on Book { sequel { ... on Book { pages } } } } }',
      { m: { sequel: book } },
      { m: { sequel: { pages: 3 } } },
    ],
  ])('is of that one, which nobody asks: %s', async (text, told, data) => {
    const { ask, fetches } = await narrowed(told);
    expect(await ask(text)).toMatchObject({ data, errors: [] });
    expect(fetches.map(({ text: asked }) => asked.includes('__typename'))).toEqual([false]);
  });

  it('is of its own where fields of two types have one key', async () => {
    const mixed = [
      { __typename: 'Book', x: { pages: 3 } },
      { __typename: 'Disc', x__alias_0: { minutes: 7 } },
    ];
    const { ask } = await narrowed({ mixed });
    const text =
      '{ mixed { ... on Book { x: sequel { ... on Book { pages } } } ... on Disc { x: next { ... on Disc { minutes } } } } }';
    const data = { mixed: [{ x: { pages: 3 } }, { x: { minutes: 7 } }] };
    expect(await ask(text)).toMatchObject({ data, errors: [] });
  });

  it('is so also of entities', async () => {
    const { ask, fetches } = await narrowed({}, { next: { minutes: 7 } });
    expect(await ask('{ wide { ... on Disc { next { ... on Disc { minutes } } } } }')).toMatchObject({
      data: { wide: { next: { minutes: 7 } } },
      errors: [],
    });
    expect(fetches.map(({ subgraph }) => subgraph)).toEqual(['wide', 'narrow']);
  });

  it('is of that of its own entity, where entities of several types are asked at once', async () => {
    const entities = 'type Book implements Media @key(fields: "id") { id: ID!';
    const sdl = (own: string) => `interface Media { id: ID! } ${own} ${own.replace('Book', 'Disc')}`;
    const sequels = [{ sequel: { id: 'b', pages: 3 } }, { sequel: { id: 'd', minutes: 7 } }, { sequel: null }];
    const sequelErrors = [errorAt(['_entities', 2, 'sequel'])];
    const rows = ['Book', 'Disc', 'Book'].map((name, at) => ({ __typename: name, id: String(at) }));
    for (const errors of [[], sequelErrors]) {
      const { ask } = await createScriptedEngine({
        entry: {
          sdl: `type Query { rows: [Media] } ${sdl(`${entities} }`)}`,
          answer: () => answered({ rows }),
        },
        narrow: {
          sdl: `
            type Book @key(fields: "id") { id: ID! pages: Int sequel: Book @shareable }
            type Disc @key(fields: "id") { id: ID! minutes: Int sequel: Disc @shareable }
          `,
          answer: () => answered({ _entities: structuredClone(sequels) }, { errors }),
        },
        wide: { sdl: sdl(`${entities} sequel: Media @shareable }`), answer: () => answered(null) },
      });
      const text =
        '{ rows { ... on Book { sequel { __typename ... on Book { pages } } } ... on Disc { sequel { ... on Disc { minutes } } } } }';
      const data = {
        rows: [{ sequel: { __typename: 'Book', pages: 3 } }, { sequel: { minutes: 7 } }, { sequel: null }],
      };
      expect(await ask(text)).toMatchObject({
        data,
        errors: errors.map(() => 'rows.2.sequel UPSTREAM_UNAVAILABLE narrow'),
      });
    }
  });

  it('is of the name that was told, should it be another', async () => {
    const { ask } = await narrowed({ media: { __typename: 'Disc', id: '1' } });
    expect(await ask('{ media { __typename id } }')).toMatchObject({
      data: { media: { __typename: 'Disc', id: '1' } },
    });
  });

  it('is so also below a field that its subgraph narrows to an interface', async () => {
    const people = `
      interface Actor { id: ID! }
      interface Media { id: ID! }
    `;
    const sdl = (x: string, author: string, name = '') => `
      ${people}
      type Person implements Actor { id: ID! @shareable ${name} }
      type Query { x: ${x} @shareable }
      interface Printed implements Media { id: ID! author: ${author} }
      type Book implements Printed & Media { id: ID! @shareable author: ${author} @shareable }
    `;
    const x = { __typename: 'Book', author: { id: 'a', name: 'Ada' } };
    const { ask, fetches } = await createScriptedEngine({
      narrow: { sdl: sdl('Printed', 'Person', 'name: String'), answer: () => answered({ x }) },
      wide: { sdl: sdl('Media', 'Actor'), answer: () => answered(null) },
    });
    const text = '{ x { ... on Printed { author { id ... on Person { name } } } } }';
    expect(await ask(text)).toMatchObject({ data: { x: { author: { id: 'a', name: 'Ada' } } }, errors: [] });
    expect(fetches.map(({ text: asked }) => asked)).toEqual(['{ x { __typename author { name id } } }']);
  });
});

describe('an interface that a subgraph knows as an object', () => {
  const best = { id: '1', rating: 5, next: { id: '2', rating: 4 } };

  it('needs no type where nobody asked one', async () => {
    const { ask, fetches } = await graph({}, () => answered({ best }));
    expect(await ask('{ best { rating next { rating } } }')).toMatchObject({
      data: { best: { rating: 5, next: { rating: 4 } } },
      errors: [],
    });
    expect(fetches.map(({ text }) => text)).toEqual(['{ best { rating next { rating } } }']);
  });

  it('needs none either where the client’s own condition left it out', async () => {
    const { ask } = await graph({}, () => answered({ best }));
    const text = 'query ($on: Boolean!) { best { id ... @include(if: $on) { __typename } } }';
    expect(await ask(text, { variables: { on: false } })).toMatchObject({ data: { best: { id: '1' } }, errors: [] });
  });

  it.each([
    ['best { id rating } best @include(if: $on) { __typename }', { id: '1', rating: 5 }],
    ['best { id rating } ... @include(if: $on) { best { __typename } }', { id: '1', rating: 5 }],
    ['best { next { rating } next @include(if: $on) { ... on Book { pages } } }', { next: { rating: 4 } }],
    [
      'best { next { rating } } ... @include(if: $on) { best { next { ... on Book { pages } } } }',
      { next: { rating: 4 } },
    ],
  ])('nor where one of several places left it out: %s', async (selection, told) => {
    const { ask } = await graph({}, () => answered({ best }));
    const answer = await ask(`query ($on: Boolean!) { ${selection} }`, { variables: { on: false } });
    expect(answer).toMatchObject({ data: { best: told }, errors: [] });
  });

  it('nor where only objects of another type were asked for it', async () => {
    const sdl = `
      type Query { places: [Place] }
      union Place = Shelf | Box
      type Shelf { top: Media }
      type Box { top: Media }
      type Media @key(fields: "id") @interfaceObject { id: ID! rating: Int }
    `;
    const { ask } = await createScriptedEngine({
      media: { sdl: MEDIA, answer: () => answered(null) },
      rating: { sdl, answer: () => answered({ places: [{ __typename: 'Box', top: { rating: 4 } }] }) },
    });
    const text = '{ places { ... on Shelf { top { __typename } } ... on Box { top { rating } } } }';
    expect(await ask(text)).toMatchObject({ data: { places: [{ top: { rating: 4 } }] }, errors: [] });
  });

  it('may be told by its own name', async () => {
    const { ask } = await graph({}, () => answered({ best: { __typename: 'Media', ...best } }));
    expect(await ask('{ best { rating ... on Book { pages } } }')).toMatchObject({ data: { best: { rating: 5 } } });
  });
});
