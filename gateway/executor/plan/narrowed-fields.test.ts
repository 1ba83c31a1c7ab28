import { buildSchema, parse } from 'graphql';
import { expect, it } from 'vitest';

import { nameNarrowedRows } from './narrowed-fields.ts';
import { createTypeRelations } from './type-relations.ts';

it('names rows of object types alone, and finds those below a narrower interface', () => {
  const schema = buildSchema(`
    type Query { x: Media }
    interface Media { id: ID }
    interface Printed implements Media { id: ID author: Actor }
    interface Actor { id: ID }
    type Person implements Actor { id: ID }
  `);
  const narrowed = new Map([
    ['shop Query.x', 'Printed'],
    ['shop Printed.author', 'Person'],
  ]);
  const types = createTypeRelations(schema, narrowed);
  const document = parse('{ x { author { id } } }');
  expect(nameNarrowedRows(document, { subgraph: 'shop', types })).toEqual([
    { kind: 'RowNaming', path: ['x', 'author', '__typename'], typeName: 'Person' },
  ]);
  expect(nameNarrowedRows(document, { subgraph: 'another', types })).toEqual([]);
});
