import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';

import { loadGraph } from './loaded-graph.ts';
import { composeSubgraphs } from '#gateway/composition.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable"])\n';
const shareable = Array.from({ length: 14 }, (_, index) => `f${index}: Int @shareable`).join(' ');
const five = Array.from({ length: 5 }, (_, index) => ({
  name: `s${index}`,
  sdl: `${LINK} ${index === 0 ? 'type Query { t: T }' : ''} type T @key(fields: "id") { id: ID! own${index}: Int ${shareable} n: T @shareable }`,
}));
const supergraph = composeSubgraphs(five);
const graph = await loadGraph(supergraph);
const doubling = Array.from(
  { length: 40 },
  (_, level) => `fragment F${level} on T { a: n { ...F${level + 1} } b: n { ...F${level + 1} } }`,
).join(' ');
const sourceOf = (text: string, queryHash = text) => ({ queryHash, document: parse(text), operationName: undefined });
/** Minutes of planning; fields that all five have in place of their own ones would take milliseconds. */
const HARD = `{ t ${'{ n '.repeat(10)}{ own0 own1 }${' }'.repeat(10)} }`;
const WAIT = { caller: 'anyone', signal: new AbortController().signal };

describe('loadGraph', () => {
  it('compiles an operation once, by hash and name', async () => {
    const one = await graph.compile(sourceOf('{ t { id } }'), WAIT);
    expect(graph.compile(sourceOf('{ t { id } }'), WAIT)).toBe(one);
    expect(graph.compile(sourceOf('{ t { id } }', 'pruned'), WAIT)).not.toBe(one);
    await graph.compile(sourceOf('{ t { id } }'), WAIT);
    expect(graph.mostUsed(1).map(({ queryHash }) => queryHash)).toEqual(['{ t { id } }']);
  });

  it('keeps no more operations than memory allows', async () => {
    const names = (count: number, tail = '') =>
      Array.from({ length: count }, (_, at) => `a${at}: __typename${tail}`).join(' ');
    for (let index = 0; index < 400; index += 1)
      // oxlint-disable-next-line no-await-in-loop -- one after the other fills the cache in order
      await graph.compile(sourceOf(`{ ${names(10)} t { f0 f1 f2 } } # ${index}${'x'.repeat(60_000)}`), WAIT);
    const largest = await graph.compile(sourceOf(`{ ${names(300, ` #${'x'.repeat(60_000)}\n`)} }`), WAIT);
    expect(largest.bytes).toBeGreaterThan(30 * 2 ** 20);
    expect(graph.mostUsed(1_000).length).toBeLessThan(400);
  });

  it('keeps no more operations than 2,000, however small', async () => {
    const own = await loadGraph(supergraph);
    const { document } = sourceOf('{ __typename }');
    for (let index = 0; index < 2_010; index += 1)
      // oxlint-disable-next-line no-await-in-loop -- one after the other fills the cache in order
      await own.compile({ queryHash: String(index), document, operationName: undefined }, WAIT);
    const kept = own.mostUsed(5_000).map(({ queryHash }) => Number(queryHash));
    expect(kept).toHaveLength(2_000);
    // Those asked last.
    expect(Math.min(...kept)).toBe(10);
  });

  it.each([
    {
      what: 'fragments that double',
      by: 'once by the planner',
      text: `{ t { ...F0 } } ${doubling} fragment F40 on T { id }`,
      planMs: 2_000,
      tries: 1,
    },
    {
      what: 'ten levels of a field that five subgraphs answer',
      by: 'twice by the clock',
      text: HARD,
      planMs: 200,
      tries: 2,
    },
  ])(
    'refuses $what with LIMIT_COST, plans nothing else in its thread, and remembers it when refused $by',
    async ({ text, planMs, tries }) => {
      const impatient = await loadGraph(supergraph, { planMs });
      for (let tried = 0; tried < tries; tried += 1) {
        const compiling = impatient.compile(sourceOf(text), WAIT);
        expect(compiling).toBeInstanceOf(Promise);
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await expect(compiling).rejects.toThrow('selects too much');
      }
      expect(() => impatient.compile(sourceOf(text), WAIT)).toThrow('selects too much');
      expect(impatient.compile(sourceOf('{ t { id } }'), WAIT)).not.toBeInstanceOf(Promise);
      await impatient.close();
    },
  );

  it('plans in its thread what is heavy, once for all who ask meanwhile, and keeps it', async () => {
    const text = `{ t { n { n { f0 f1 f2 f3 } } } }`;
    const waits = [WAIT, WAIT, { ...WAIT, signal: AbortSignal.timeout(1) }];
    const answers = await Promise.allSettled(waits.map(async (wait) => graph.compile(sourceOf(text), wait)));
    const compiled = await graph.compile(sourceOf(text), WAIT);
    const values = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : null));
    // Not alike, but the same one.
    expect(values.map((value) => value === compiled)).toEqual([true, true, false]);
    expect(answers[2]).toMatchObject({ reason: { extensions: { code: 'DEADLINE_EXCEEDED' } } });
    expect(compiled.plan).not.toBeNull();
    expect(graph.compile(sourceOf(text), WAIT)).toBe(compiled);
    await graph.close();
  });

  it('lets go of who has no time left, and does not plan for him', async () => {
    const patient = await loadGraph(supergraph, { planMs: 60_000 });
    const controller = new AbortController();
    const wait = { caller: 'gone', signal: controller.signal };
    const compiling = Promise.resolve(patient.compile(sourceOf(HARD), wait));
    const after = patient.compile(sourceOf('{ t { n { n { f0 f1 f2 f4 } } } }'), WAIT);
    controller.abort();
    await expect(compiling).rejects.toThrow('not ready in time');
    // The thread is free at once for who waited behind.
    expect((await after).plan).not.toBeNull();
    expect(() => patient.compile(sourceOf(HARD), wait)).toThrow('not ready in time');
    // It was given up, not refused: whoever asks again is planned for.
    const again = Promise.allSettled([patient.compile(sourceOf(HARD), WAIT)]);
    await patient.close();
    expect(await again).toMatchObject([{ reason: { extensions: { code: 'OVERLOADED' } } }]);
  });
});
