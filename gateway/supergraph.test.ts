import { expect, it } from 'vitest';

import { composeSubgraphs } from './composition.ts';
import { readNarrowedFields } from './supergraph.ts';

it('tells which fields are of a narrower type in a subgraph than in the supergraph', () => {
  const linked = (sdl: string) =>
    `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable"]) ${sdl}`;
  const media = 'interface Media { id: ID! } interface Printed implements Media { id: ID! }';
  const book = 'type Book implements Media & Printed @key(fields: "id") { id: ID! @shareable next';
  const root = (type: string) =>
    `type Query { one: ${type} @shareable many: [${type}!]! @shareable alike: Book @shareable }`;
  const supergraph = composeSubgraphs([
    { name: 'a-1', sdl: linked(`${root('Book')} ${media} ${book}: Book @shareable }`) },
    { name: 'b', sdl: linked(`${root('Media')} ${media} ${book}: Media @shareable }`) },
    { name: 'c', sdl: linked(`${root('Printed')} ${media} ${book}: Printed @shareable }`) },
  ]);
  expect(readNarrowedFields(supergraph)).toEqual(
    new Map([
      ['a-1 Book.next', 'Book'],
      ['c Book.next', 'Printed'],
      ['a-1 Query.one', 'Book'],
      ['c Query.one', 'Printed'],
      ['a-1 Query.many', 'Book'],
      ['c Query.many', 'Printed'],
    ]),
  );
});
