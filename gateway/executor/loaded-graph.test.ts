import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';

import { loadGraph } from './loaded-graph.ts';
import { composeSubgraphs } from '#gateway/composition.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable"])\n';
const shareable = Array.from({ length: 14 }, (_, index) => `f${index}: Int @shareable`).join(' ');
const five = Array.from({ length: 5 }, (_, index) => ({
  name: `s${index}`,
  sdl: `${LINK} type Query { t: T @shareable } type T @key(fields: "id") { id: ID! ${shareable} n: T @shareable }`,
}));
const graph = loadGraph(composeSubgraphs(five));
const sourceOf = (text: string, queryHash = text) => ({ queryHash, document: parse(text), operationName: undefined });

describe('loadGraph', () => {
  it('compiles an operation once, by hash and name', () => {
    const one = graph.compile(sourceOf('{ t { id } }'));
    expect(graph.compile(sourceOf('{ t { id } }'))).toBe(one);
    expect(graph.compile(sourceOf('{ t { id } }', 'pruned'))).not.toBe(one);
    graph.compile(sourceOf('{ t { id } }'));
    expect(graph.mostUsed(1).map(({ queryHash }) => queryHash)).toEqual(['{ t { id } }']);
  });

  it('keeps no more operations than memory allows', () => {
    const fields = Array.from({ length: 14 }, (_, index) => `f${index}`).join(' ');
    for (let index = 0; index < 400; index += 1)
      graph.compile(
        sourceOf(
          `{ ${Array.from({ length: 10 }, (_, at) => `a${at}_${index}: __typename`).join(' ')} t { ${fields} } }`,
        ),
      );
    const largest = `{ ${Array.from({ length: 300 }, (_, at) => `a${at}: __typename #${'x'.repeat(60_000)}\n`).join(' ')} }`;
    expect(graph.compile(sourceOf(largest)).bytes).toBeGreaterThan(30 * 2 ** 20);
    expect(graph.mostUsed(1_000).length).toBeLessThan(400);
  });

  it('refuses what the planner gives up on with LIMIT_COST', () => {
    const bomb = Array.from(
      { length: 40 },
      (_, level) => `fragment F${level} on T { a: n { ...F${level + 1} } b: n { ...F${level + 1} } }`,
    );
    const text = `{ t { ...F0 } } ${bomb.join(' ')} fragment F40 on T { id }`;
    expect(() => graph.compile(sourceOf(text))).toThrow('selects too much');
  });
});
