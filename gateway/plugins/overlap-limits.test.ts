import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';

import { HOSTILE_REQUESTS } from '#test/support/hostile-documents.ts';
import { countComparisons, createOverlapLimits } from './overlap-limits.ts';

const count = (text: string): number => countComparisons(parse(text), 1_000_000);
const times = (many: number, make: (index: number) => string): string =>
  Array.from({ length: many }, (_, at) => make(at)).join(' ');
const fragments = (many: number, body: string): string =>
  `{ ${times(many, (at) => `...F${at}`)} } ${times(many, (at) => `fragment F${at} on Query { ${body} }`)}`;

describe('comparisons of fields that must be mergeable', () => {
  it.each<readonly [string, string, number]>([
    ['no two fields of one name', '{ a { b } c { b } }', 0],
    ['three of one name', '{ a a a }', 3],
    ['two of one name, and what is below them', '{ a { b } a { b } }', 1 + 0.2 + 1],
    ['a fifth for each name looked for', '{ a { b c d } a { e } }', 1 + 3 * 0.2],
    [
      'a fifth for spreads that were compared before',
      '{ a { ...F } a { ...F } a { ...F } } fragment F on A { b }',
      3 + 12 * 0.2,
    ],
    ['inline fragments, taken apart', '{ ... { a } ... { a } }', 1],
  ])('counts %s', (_, text, expected) => {
    expect(count(text)).toBe(expected);
  });

  it('grows with the square of overlapping fields, and of fragments of one place', () => {
    expect(count(`{ ${times(40, () => 'a')} }`)).toBe((40 * 39) / 2);
    expect(count(fragments(40, 'a { b }')) / count(fragments(20, 'a { b }'))).toBeGreaterThan(3.5);
  });

  it('ends at the most that is asked for, and with fragments in a circle', () => {
    expect(countComparisons(parse(`{ ${times(100, () => 'a')} }`), 50)).toBe(50);
    expect(count('{ ...A } fragment A on Query { a ...B } fragment B on Query { a ...A }')).toBeGreaterThan(0);
  });
});

describe('the limit on overlaps', () => {
  const check = createOverlapLimits();
  const of = (name: string): string =>
    (JSON.parse(HOSTILE_REQUESTS.find((request) => request.name === name)?.body ?? '{}') as { query: string }).query;

  it.each([
    'selections that overlap',
    'fragments in a circle',
    '70 fragments of overlapping lists',
    'spreads of the same fragments',
  ])('refuses %s, each time', (name) => {
    for (const _ of [1, 2]) expect(() => check(of(name), 2_000)).toThrow(/too many fields and fragments/);
  });

  it.each([
    [30, 12],
    [40, 16],
    [60, 12],
  ])('takes a page of %i components with %i fields each, many of them shared', (components, fields) => {
    const own = (component: number): string => times(fields - 4, (at) => `field${(component * 3 + at) % 40}`);
    const page = `{ item { ${times(components, (at) => `...C${at}`)} } } ${times(components, (at) => `fragment C${at} on Item { id ${own(at)} images { url width height } }`)}`;
    expect(() => check(page, 2_000)).not.toThrow();
  });

  it('leaves to the parser what is not GraphQL', () => {
    expect(() => check('{ '.repeat(400), 2_000)).not.toThrow();
  });
});
