import { parse } from 'graphql';
import { afterAll, describe, expect, it } from 'vitest';

import { openPlanner } from './open-planner.ts';
import { createPlannerThread } from './planner-thread.ts';
import { composeSubgraphs } from '#gateway/composition.ts';
import { hasErrorCode } from '#gateway/http/request-error.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable"])\n';
const supergraph = composeSubgraphs(
  ['a', 'b', 'c', 'd', 'e'].map((name) => ({
    name,
    sdl: `${LINK} ${name === 'a' ? 'type Query { t: T }' : ''} type T @key(fields: "id") { id: ID! ${name}: Int n: T @shareable }`,
  })),
);
/** Minutes of planning. */
const HARD = `{ t ${'{ n '.repeat(10)}{ a b }${' }'.repeat(10)} }`;
const patient = createPlannerThread(supergraph);
afterAll(patient.close);

describe('createPlannerThread', () => {
  it('plans as the planner of the process does', async () => {
    const text = 'query Q($on: Boolean!) { t { a n { b @include(if: $on) ...F } } } fragment F on T { c }';
    const { plan } = openPlanner(supergraph, { withDocuments: false });
    expect(await patient.plan(text, 'Q')).toEqual(structuredClone(plan(parse(text), 'Q')));
  });

  it('gives a document up that takes too long, and goes on with what waited', async () => {
    const thread = createPlannerThread(supergraph, { planMs: 1_500 });
    const answers = await Promise.allSettled([
      thread.plan('{ t { a } }', undefined),
      thread.plan(HARD, undefined),
      thread.plan('{ t { b } }', undefined),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(answers[1]).toMatchObject({ reason: { extensions: { code: 'LIMIT_COST' } } });
    await thread.close();
  });

  it('lets no more wait than it is told, and refuses what waits when it is closed', async () => {
    const thread = createPlannerThread(supergraph, { maxWaiting: 2 });
    const waiting = [thread.plan(HARD, undefined), thread.plan('{ t { a } }', undefined)];
    const refusals = Promise.allSettled(waiting);
    await expect(thread.plan('{ t { b } }', undefined)).rejects.toSatisfy((error) => hasErrorCode(error, 'OVERLOADED'));
    await thread.close();
    expect(await refusals).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  });

  it('tells a supergraph that does not load, to each who asks', async () => {
    const thread = createPlannerThread('type Query { a: Int }');
    await expect(thread.plan('{ a }', undefined)).rejects.toThrow(/supergraph|core|join/i);
    await expect(thread.plan('{ a }', undefined)).rejects.toThrow(/supergraph|core|join/i);
    await thread.close();
  });
});
