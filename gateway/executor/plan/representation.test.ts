import type { FetchDataRewrite, QueryPlanSelectionNode } from '@apollo/query-planner';
import { buildSchema, parse } from 'graphql';
import { describe, expect, it } from 'vitest';

import { readFetchSelection } from './answer-fields.ts';
import { compileEntityGroups, compileRepresentation } from './representation.ts';
import { addRewrittenFields, applyRewrites, rewritePath } from './rewrites.ts';
import { createRow, type Row } from './row.ts';
import { createTypeRelations } from './type-relations.ts';

const types = createTypeRelations(
  buildSchema(
    'interface Media { id: ID } type Book implements Media { id: ID } type Film { id: ID } type Query { a: Media f: Film }',
  ),
);
const field = (name: string, selections?: QueryPlanSelectionNode[]): QueryPlanSelectionNode => ({
  kind: 'Field',
  name,
  ...(selections === undefined ? {} : { selections }),
});
const on = (typeCondition: string, ...selections: QueryPlanSelectionNode[]): QueryPlanSelectionNode => ({
  kind: 'InlineFragment',
  typeCondition,
  selections,
});

describe('compileRepresentation', () => {
  const represent = compileRepresentation(
    [on('Media', field('__typename'), field('id')), on('Book', field('author', [field('name')]))],
    types,
  );

  it('holds the key and required fields of the row’s own type, lists and nulls as they are', () => {
    const row = { __typename: 'Book', id: '1', title: 'x', author: [{ name: 'a', age: 3 }, null] };
    expect(represent(row)).toEqual({ __typename: 'Book', id: '1', author: [{ name: 'a' }, null] });
    expect(represent({ __typename: 'Book', id: '1', author: null })).toEqual({
      __typename: 'Book',
      id: '1',
      author: null,
    });
  });

  it('is none for other types and for rows that lack the key', () => {
    expect(represent({ __typename: 'Film', id: '1' })).toBeNull();
    expect(represent({ __typename: 'Book', author: null })).toBeNull();
    expect(represent({ id: '1', author: null })).toBeNull();
  });

  it('leaves out what a fragment cannot find', () => {
    expect(represent({ __typename: 'Book', id: '1' })).toEqual({ __typename: 'Book', id: '1' });
  });

  it('reads nothing that a row only inherits', () => {
    const inherit = compileRepresentation([on('Book', field('__typename'), field('constructor'))], types);
    expect(inherit(Object.assign(createRow(), { __typename: 'Book' }))).toBeNull();
  });
});

describe('rewrites', () => {
  const rename: FetchDataRewrite = {
    kind: 'KeyRenamer',
    path: ['list', '... on Book', 'size__alias_0'],
    renameKeyTo: 'size',
  };

  it('rename keys of the named type, and values that count as false too', () => {
    const data = { list: [{ __typename: 'Book', size__alias_0: 0 }, { __typename: 'Film', size__alias_0: 2 }, null] };
    applyRewrites([rename], data, types);
    expect(data).toEqual({ list: [{ __typename: 'Book', size: 0 }, { __typename: 'Film', size__alias_0: 2 }, null] });
  });

  it('set values on representations', () => {
    const representation = { __typename: 'Book', id: '1' };
    applyRewrites(
      [{ kind: 'ValueSetter', path: ['... on Book', '__typename'], setValueTo: 'Media' }],
      representation,
      types,
    );
    expect(representation).toEqual({ __typename: 'Media', id: '1' });
  });

  it('make room for renamed keys and rename them in error paths', () => {
    const { fields } = readFetchSelection(parse('{ list { ... on Book { size__alias_0 { x } } } }'));
    addRewrittenFields(fields, [rename]);
    expect(fields.get('list')?.fields?.get('size')?.fields?.has('x')).toBe(true);
    expect(rewritePath(['list', 3, 'size__alias_0', 'x'], [rename])).toEqual(['list', 3, 'size', 'x']);
    expect(rewritePath(['list', 3, 'size'], [rename])).toEqual(['list', 3, 'size']);
  });
});

describe('groups of rows', () => {
  const film = [on('Media', field('__typename'), field('id')), on('Film', field('id'), field('year'))];
  const groups = () => compileEntityGroups(film, types)?.<Row>();

  it('are of one entity each: same type, same values of the same kind', () => {
    const values = [
      ['1', 2],
      ['1', 2],
      [1, 2],
      ['1', null],
      ['1', false],
      ['12', ''],
      ['1', '2'],
    ];
    const known = groups();
    const rows = values.map(([id, year], at): Row => ({ __typename: 'Film', id, year, at }));
    expect(new Set(rows.map((row) => known?.groupOf(row, () => row))).size).toBe(6);
    const book = { __typename: 'Book', id: '1', year: 2 };
    expect(known?.groupOf(book, () => book)).toBe(book);
  });

  it('leave what is missing, nested or of no type to the representation', () => {
    const known = groups();
    const rows: Row[] = [
      { __typename: 'Film', id: '1' },
      { __typename: 'Book', id: ['1'] },
      { __typename: 'Book', id: {} },
      { id: '1' },
    ];
    for (const row of rows) expect(known?.groupOf(row, () => row)).toBeUndefined();
    expect(compileEntityGroups([on('Book', field('author', [field('name')]))], types)).toBeNull();
    expect(compileEntityGroups([field('id')], types)).toBeNull();
  });

  it('are made once, also where the row names no entity', () => {
    const known = groups();
    let made = 0;
    const make = (): null => {
      made += 1;
      return null;
    };
    const row = { __typename: 'Book', id: '1' };
    expect([known?.groupOf(row, make), known?.groupOf({ ...row }, make), made]).toEqual([null, null, 1]);
  });
});
