import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type GraphQLError, parse } from 'graphql';
import { afterAll, describe, expect, it } from 'vitest';

import { openPlanner } from './open-planner.ts';
import { createPlannerThread, type PlanRequest } from './planner-thread.ts';
import { composeSubgraphs } from '#gateway/composition.ts';
import { hasErrorCode } from '#gateway/http/request-error.ts';
import { threadCount } from '#test/support/threads.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable"])\n';
const supergraph = composeSubgraphs(
  ['a', 'b', 'c', 'd', 'e'].map((name) => ({
    name,
    sdl: `${LINK} ${name === 'a' ? 'type Query { t: T }' : ''} type T @key(fields: "id") { id: ID! ${name}: Int n: T @shareable }`,
  })),
);
/** Minutes of planning. */
const HARD = `{ t ${'{ n '.repeat(10)}{ a b }${' }'.repeat(10)} }`;
const asked = (text: string, more: Partial<PlanRequest> = {}): PlanRequest => ({
  text,
  operationName: undefined,
  caller: 'one',
  isWanted: () => true,
  ...more,
});
const patient = createPlannerThread(supergraph);
afterAll(patient.close);

describe('createPlannerThread', () => {
  it('plans as the planner of the process does', async () => {
    const text = 'query Q($on: Boolean!) { t { a n { b @include(if: $on) ...F } } } fragment F on T { c }';
    const { plan } = await openPlanner(supergraph, { withDocuments: false });
    expect(await patient.plan(asked(text, { operationName: 'Q' }))).toEqual(structuredClone(plan(parse(text), 'Q')));
  });

  it('gives a document up that takes too long, and goes on with what waited', async () => {
    const thread = createPlannerThread(supergraph, { planMs: 1_500 });
    const answers = await Promise.allSettled([
      thread.plan(asked('{ t { a } }')),
      thread.plan(asked(HARD)),
      thread.plan(asked('{ t { b } }')),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(answers[1]).toMatchObject({ reason: { extensions: { code: 'LIMIT_COST' } } });
    await thread.close();
  });

  it('takes a plan that was ready in time, also where its own thread was held past that time', async () => {
    const thread = createPlannerThread(supergraph, { planMs: 600 });
    await thread.plan(asked('{ t { a } }'));
    const planning = thread.plan(asked('{ t { b } }'));
    // From where timers come next.
    await new Promise((resolve) => setImmediate(resolve));
    const heldUntil = performance.now() + 1_000;
    while (performance.now() < heldUntil);
    expect(await planning).toMatchObject({ kind: 'QueryPlan' });
    await thread.close();
  });

  it('lets no more wait than it is told, and refuses what waits when it is closed', async () => {
    const thread = createPlannerThread(supergraph, { maxWaiting: 2 });
    const waiting = [thread.plan(asked(HARD)), thread.plan(asked('{ t { a } }'))];
    const refusals = Promise.allSettled(waiting);
    await expect(thread.plan(asked('{ t { b } }'))).rejects.toSatisfy((error) => hasErrorCode(error, 'OVERLOADED'));
    await thread.close();
    expect(await refusals).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  });

  it('plans for callers in turn, and lets one of them wait with no more than his share', async () => {
    const thread = createPlannerThread(supergraph, { planMs: 400, maxOfCaller: 2 });
    const answered: string[] = [];
    const ask = (caller: string, text: string) =>
      thread.plan(asked(text, { caller })).then(
        () => answered.push(caller),
        (error: GraphQLError) => answered.push(`${caller} ${String(error.extensions['code'])}`),
      );
    // Loads the supergraph, so that the first of what follows runs and the others wait.
    await thread.plan(asked('{ t { a } }'));
    const much = [1, 2, 3, 4].map(() => ask('greedy', HARD));
    await Promise.all([...much, ask('modest', '{ t { b } }')]);
    expect(answered).toEqual([
      'greedy OVERLOADED',
      'greedy LIMIT_COST',
      'modest',
      'greedy LIMIT_COST',
      'greedy LIMIT_COST',
    ]);
    await thread.close();
  });

  it('drops what nobody waits for any longer, and what runs as soon as somebody else needs the thread', async () => {
    const thread = createPlannerThread(supergraph, { planMs: 60_000 });
    await thread.plan(asked('{ t { a } }'));
    let wanted = true;
    const isWanted = (): boolean => wanted;
    const left = Promise.allSettled([
      thread.plan(asked(HARD, { isWanted })),
      thread.plan(asked('{ t { b } }', { isWanted })),
    ]);
    wanted = false;
    thread.review();
    expect(await thread.plan(asked('{ t { c } }', { caller: 'other' }))).toMatchObject({ kind: 'QueryPlan' });
    expect(await left).toMatchObject([1, 2].map(() => ({ reason: { extensions: { code: 'DEADLINE_EXCEEDED' } } })));
    await thread.close();
  });

  it('finishes what nobody waits for while nobody else needs the thread', async () => {
    await patient.plan(asked('{ t { c } }'));
    let wanted = true;
    const running = patient.plan(asked('{ t { n { n { c } } } }', { isWanted: () => wanted }));
    wanted = false;
    patient.review();
    expect(await running).toMatchObject({ kind: 'QueryPlan' });
  });

  it('is ended when another supergraph is served, once nobody waits for it', async () => {
    await patient.close();
    const thread = createPlannerThread(supergraph);
    const planning = thread.plan(asked('{ t { n { a b } } }'));
    thread.retire();
    expect(await planning).toMatchObject({ kind: 'QueryPlan' });
    await expect.poll(threadCount).toBe(0);
    let wanted = true;
    const left = Promise.allSettled([thread.plan(asked(HARD, { isWanted: () => wanted }))]);
    await expect.poll(threadCount).toBe(1);
    wanted = false;
    thread.review();
    expect(await left).toMatchObject([{ reason: { extensions: { code: 'DEADLINE_EXCEEDED' } } }]);
    await expect.poll(threadCount).toBe(0);
  });

  it('tells a supergraph that does not load, to each who asks', async () => {
    const thread = createPlannerThread('type Query { a: Int }');
    await expect(thread.plan(asked('{ a }'))).rejects.toThrow(/supergraph|core|join/i);
    await expect(thread.plan(asked('{ a }'))).rejects.toThrow(/supergraph|core|join/i);
    await thread.close();
  });

  it('keeps a process alive while it plans, and no longer', async () => {
    const script = `
      import(${JSON.stringify(new URL('planner-thread.ts', import.meta.url).href)}).then(async (module) => {
        const thread = module.createPlannerThread(process.env.SUPERGRAPH);
        const request = { text: '{ t { a } }', operationName: undefined, caller: 'one', isWanted: () => true };
        console.log((await thread.plan(request)).kind);
      });`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--eval', script], {
      env: { ...process.env, SUPERGRAPH: supergraph },
      timeout: 15_000,
    });
    expect(stdout.trim()).toBe('QueryPlan');
  });
});
