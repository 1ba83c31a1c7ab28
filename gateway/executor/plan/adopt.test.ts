import fc from 'fast-check';
import { buildSchema, parse } from 'graphql';
import { describe, expect, it } from 'vitest';

import { adopt, createAdoptionRoom } from './adopt.ts';
import { readFetchSelection } from './answer-fields.ts';
import { createRow, isRow } from './row.ts';
import { createTypeRelations } from './type-relations.ts';

const types = createTypeRelations(
  buildSchema('interface Media { id: ID } type Book implements Media { id: ID } type Query { a: Media b: Book }'),
);
const adopting = { types, room: createAdoptionRoom() };
const fieldsOf = (text: string) => readFetchSelection(parse(text)).fields;
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('adopt', () => {
  it('takes over what was asked and nothing else', () => {
    const row = createRow();
    adopt(row, { a: { b: 1, c: 2 }, d: 3 }, fieldsOf('{ a { b } x: d }'), adopting);
    expect(plain(row)).toEqual({ a: { b: 1 } });
  });

  it('merges objects and lists of equal length, and replaces what does not match', () => {
    const row = createRow();
    const fields = fieldsOf('{ list { a b } one { a b } leaf }');
    adopt(row, { list: [{ a: 1 }, null], one: { a: 1 }, leaf: 1 }, fields, adopting);
    adopt(row, { list: [{ b: 2 }, { a: 3 }], one: { b: 2 }, leaf: { deep: true } }, fields, adopting);
    expect(plain(row)).toEqual({ list: [{ a: 1, b: 2 }, { a: 3 }], one: { a: 1, b: 2 }, leaf: { deep: true } });
    adopt(row, { list: [{ a: 9 }], one: 'text' }, fields, adopting);
    expect(plain(row)).toMatchObject({ list: [{ a: 9 }], one: 'text' });
  });

  it('keeps a concrete type name from the name of its interface', () => {
    const row = createRow();
    const fields = fieldsOf('{ __typename }');
    adopt(row, { __typename: 'Book' }, fields, adopting);
    adopt(row, { __typename: 'Media' }, fields, adopting);
    expect(row['__typename']).toBe('Book');
  });

  it('treats the names of objects’ own as any other key', () => {
    const row = createRow();
    const fields = fieldsOf('{ constructor: a { x } __proto__: b { x } toString: c }');
    adopt(row, JSON.parse('{"__proto__":{"x":1},"constructor":{"x":2}}') as object, fields, adopting);
    expect(Object.keys(row)).toEqual(['constructor', '__proto__']);
    expect(JSON.stringify(row)).toBe('{"constructor":{"x":2},"__proto__":{"x":1}}');
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
    adopt(row, {}, fields, adopting);
    expect('toString' in row).toBe(false);
  });

  it('gives up on lists nested without end', () => {
    const deep = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) as unknown;
    const row = createRow();
    adopt(row, { a: deep }, fieldsOf('{ a { x } }'), adopting);
    expect(JSON.stringify(row).length).toBeLessThan(100);
  });

  it.each([
    ['each field that is asked, there or not', { a: 1 }, '{ a b }', 2],
    [
      'each field of other types a sixteenth',
      { a: 1 },
      `{ a ${'... on T { b } '.repeat(2)} ... on U { c } }`,
      1 + 2 / 16,
    ],
    ['a row', { a: { b: 1 } }, '{ a { b } }', 2],
    ['each entry of a list and each field of its rows', { a: [{ b: 1 }, null] }, '{ a { b } }', 4],
    ['each entry of a list of leaves', { a: [1, 2, 3] }, '{ a }', 4],
    ['each value within a scalar', { a: { b: [1, 2], c: 'text' } }, '{ a }', 5],
    ['each 64 characters of a text', { a: 'x'.repeat(640) }, '{ a }', 11],
    ['nothing that was not asked', { a: 1, c: 1 }, '{ a }', 1],
  ])('takes room for %s', (_what, answer, asked, count) => {
    const room = { values: 100 };
    adopt(createRow(), answer, fieldsOf(asked), { types, room });
    expect(100 - room.values).toBe(count);
  });

  it('never lets two rows share an object or a list', () => {
    const leaf = fc.oneof(fc.integer(), fc.constant(null));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('value'), { maxLength: 3 }), tie('object')),
      object: fc.dictionary(fc.constantFrom('a', 'b'), tie('value'), { maxKeys: 2 }),
    }));
    const nested = (depth: number): string => (depth === 0 ? '' : `{ a ${nested(depth - 1)} b ${nested(depth - 1)} }`);
    const fields = fieldsOf(nested(6));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b'), value, { maxKeys: 2 }), (answer) => {
        const one = createRow();
        const other = createRow();
        adopt(one, answer, fields, adopting);
        adopt(other, answer, fields, adopting);
        const seen = new Set(containers(one));
        expect(containers(other).some((container) => seen.has(container))).toBe(false);
        expect(plain(one)).toEqual(plain(other));
      }),
    );
  });
});

/** Objects and lists of a row, itself included. */
function containers(value: unknown): object[] {
  if (Array.isArray(value)) return [value, ...value.flatMap(containers)];
  return isRow(value) ? [value, ...Object.values(value).flatMap(containers)] : [];
}
