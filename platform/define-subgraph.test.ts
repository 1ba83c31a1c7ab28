import { describe, expect, it } from 'vitest';

import { aPeopleSubgraph, aRequest, ask, people } from '#test/support/people-subgraph.ts';
import type { Verdict } from '#schema/model/consent.ts';
import type { SubgraphResult } from './subgraph.ts';

const entities = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Person { id email note } } }`;
const references = (...ids: readonly string[]) => ({
  r: ids.map((id) => ({ __typename: 'Person', id, email: 'forged@x.test' })),
});
const summary = (result: SubgraphResult) =>
  result.errors.map((error) => ({ path: error.path?.join('.'), code: error.extensions['code'] }));

describe.each(['shield', 'guard'] as const)('a subgraph guarded by the %s', (engine) => {
  it('serves a governed field the decider allows and records nothing', async () => {
    const { subgraph } = aPeopleSubgraph({ engine });
    const result = await ask(subgraph, '{ people { id email } }');
    expect(result.errors).toEqual([]);
    expect(result.refusals).toEqual([]);
    expect(JSON.stringify(result.data)).toContain('e2@x.test');
  });

  it('answers null and one notice per withheld row, under aliases too, and throws no error', async () => {
    const decide = async (subjects: readonly string[]): Promise<Verdict> =>
      subjects.includes('sub_2') ? { allowed: false, reason: 'CONSENT_REQUIRED' } : { allowed: true };
    const { subgraph } = aPeopleSubgraph({ engine, decide });
    const result = await ask(subgraph, '{ people { id mail: email } }');
    expect(result.errors).toEqual([]);
    expect(JSON.parse(JSON.stringify(result.data))).toEqual({
      people: [
        { id: '1', mail: 'e1@x.test' },
        { id: '2', mail: null },
        { id: '3', mail: 'e3@x.test' },
      ],
    });
    expect(result.refusals).toEqual([
      {
        coordinate: 'Person.email',
        purpose: 'MARKETING',
        reason: 'CONSENT_REQUIRED',
        rowKey: 'sub_2',
        path: ['people', 1, 'mail'],
      },
    ]);
  });

  it('guards entity references with one batch read, and never echoes the representation', async () => {
    const decide = async (): Promise<Verdict> => ({ allowed: false, reason: 'RESTRICTED' });
    const { subgraph, calls } = aPeopleSubgraph({ engine, decide });
    const result = await ask(subgraph, entities, aRequest(), references('3', '1', 'nobody', '2'));
    expect(JSON.parse(JSON.stringify(result.data?.['_entities']))).toEqual([
      { id: '3', email: null, note: 'n3' },
      { id: '1', email: null, note: 'n1' },
      null,
      { id: '2', email: null, note: 'n2' },
    ]);
    expect(calls.reads).toBe(1);
    expect(result.refusals.map((refusal) => refusal.path.join('.'))).toEqual([
      '_entities.0.email',
      '_entities.1.email',
      '_entities.3.email',
    ]);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('ledger down'))],
    [
      'throws',
      () => {
        throw new Error('ledger down');
      },
    ],
    ['answers nothing', () => Promise.resolve(undefined as unknown as Verdict)],
  ])('refuses with LEDGER_UNAVAILABLE when the decider %s', async (_how, decide) => {
    const { subgraph } = aPeopleSubgraph({ engine, decide });
    const result = await ask(subgraph, '{ people { email note } }');
    expect(result.refusals.map((refusal) => refusal.reason)).toEqual(Array(3).fill('LEDGER_UNAVAILABLE'));
    expect(JSON.stringify(result.data)).not.toContain('@');
    expect(result.errors).toEqual([]);
  });

  it.each([
    ['is missing', undefined],
    ['is not a list', 'sub_1'],
    ['is empty', []],
    ['has an entry that is no text', ['sub_1', 7]],
  ])('refuses when the list of subjects of a row %s', async (_how, subjects) => {
    const { subgraph } = aPeopleSubgraph({ engine, rows: people.map((row) => ({ ...row, subjects })) });
    const result = await ask(subgraph, '{ people { email } }');
    expect(JSON.stringify(result.data)).not.toContain('@');
    expect(result.refusals.map((refusal) => refusal.reason)).toEqual(Array(3).fill('CONSENT_REQUIRED'));
  });

  it.each([
    ['no purpose is declared', { purpose: null }],
    ['the field does not serve the purpose', { purpose: 'PERSONALIZATION' as const }],
    ['the role never serves the purpose', { purpose: 'SERVICE_SUPPORT' as const }],
  ])('refuses with PURPOSE_NOT_ALLOWED without asking the decider when %s', async (_why, over) => {
    let asked = 0;
    const decide = async (): Promise<Verdict> => {
      asked += 1;
      return { allowed: true };
    };
    const { subgraph } = aPeopleSubgraph({ engine, decide });
    const result = await ask(subgraph, '{ people { email } }', aRequest(over));
    expect(result.refusals.map((refusal) => refusal.reason)).toEqual(Array(3).fill('PURPOSE_NOT_ALLOWED'));
    expect(asked).toBe(0);
  });

  it('answers null and SCOPE_REQUIRED with the scopes when one is missing, before the resolver runs', async () => {
    const { subgraph, calls } = aPeopleSubgraph({ engine });
    const result = await ask(subgraph, '{ person(id: "1") { id } text }', aRequest({}, []));
    expect(JSON.parse(JSON.stringify(result.data))).toEqual({ person: null, text: 'ok' });
    expect(result.errors[0]?.extensions).toEqual({ code: 'SCOPE_REQUIRED', scopes: [['customers:read']] });
    expect(calls.reads).toBe(0);
  });

  it.each([
    [['privacy:admin'], true],
    [['customers:write', 'customers:read'], true],
    [['customers:write'], false],
    [[], false],
  ] as const)('opens a field for one complete list of scopes: %j -> %s', async (scopes, opens) => {
    const { subgraph } = aPeopleSubgraph({ engine });
    const result = await ask(subgraph, '{ people { secret } }', aRequest({}, scopes));
    expect(JSON.stringify(result.data).includes('s1')).toBe(opens);
  });

  it('keeps the code and system of a known error, and hides the message of every other', async () => {
    const log: unknown[] = [];
    const { subgraph } = aPeopleSubgraph({ engine, log });
    const result = await ask(subgraph, '{ upstream boom badText own }');
    expect(result.errors.map((error) => [error.path, error.message, error.extensions])).toEqual(
      expect.arrayContaining([
        [['upstream'], 'A connected system did not answer in time.', { code: 'UPSTREAM_TIMEOUT', system: 'crm' }],
        [['boom'], 'Something went wrong on our side.', { code: 'INTERNAL_SERVER_ERROR' }],
        [['badText'], 'Something went wrong on our side.', { code: 'INTERNAL_SERVER_ERROR' }],
        [['own'], 'Something went wrong on our side.', { code: 'INTERNAL_SERVER_ERROR' }],
      ]),
    );
    expect(JSON.stringify(result)).not.toMatch(/hunter2|@x\.test/);
    expect(log).toHaveLength(3);
    expect(JSON.stringify(log)).not.toContain('c6@x.test');
    expect(log).toContainEqual(expect.objectContaining({ facts: expect.objectContaining({ requestId: 'req-1' }) }));
  });

  it('names the variable or argument that is wrong', async () => {
    const { subgraph } = aPeopleSubgraph({ engine });
    const variable = await ask(subgraph, 'query ($n: Int!) { echo(limit: $n) }', aRequest(), { n: 'many' });
    expect(summary(variable)).toEqual([{ path: undefined, code: 'BAD_USER_INPUT' }]);
    expect(variable.errors[0]?.message).toContain('$n');
    const argument = await ask(subgraph, '{ echo(limit: "many") }');
    expect(summary(argument)).toEqual([{ path: 'echo', code: 'BAD_USER_INPUT' }]);
  });

  it('answers what is ready and DEADLINE_EXCEEDED for the rest when the request is stopped', async () => {
    const { subgraph } = aPeopleSubgraph({ engine });
    const stop = new AbortController();
    const pending = ask(subgraph, '{ slow people { id late } }', aRequest({ signal: stop.signal }));
    setImmediate(() => stop.abort());
    const result = await pending;
    expect(JSON.parse(JSON.stringify(result.data))).toEqual({
      slow: null,
      people: [
        { id: '1', late: 'in time' },
        { id: '2', late: null },
        { id: '3', late: 'in time' },
      ],
    });
    expect(summary(result)).toEqual([
      { path: 'slow', code: 'DEADLINE_EXCEEDED' },
      { path: 'people.1.late', code: 'DEADLINE_EXCEEDED' },
    ]);
  });

  it('starts nothing after the deadline', async () => {
    const { subgraph, calls } = aPeopleSubgraph({ engine });
    const result = await ask(subgraph, '{ person(id: "1") { id } }', aRequest({ deadlineAtMs: Date.now() - 1 }));
    expect(summary(result)).toEqual([{ path: 'person', code: 'DEADLINE_EXCEEDED' }]);
    expect(calls.reads).toBe(0);
  });

  it('makes loaders once a request and a decider once a fetch', async () => {
    const { subgraph, calls } = aPeopleSubgraph({ engine });
    const request = aRequest();
    await ask(subgraph, '{ person(id: "1") { id } }', request);
    await ask(subgraph, '{ person(id: "1") { id } }', request);
    await ask(subgraph, '{ person(id: "1") { id } }', aRequest());
    expect(calls).toEqual({ reads: 2, loaders: 2, deciders: 3 });
  });

  it('never rejects, whatever it is asked', async () => {
    const { subgraph } = aPeopleSubgraph({ engine });
    const twice = await ask(subgraph, 'query a { text } query b { text }');
    expect(twice.errors).toHaveLength(1);
    const broken = await subgraph.execute({ document: {} as never, variables: {}, request: aRequest() });
    expect(summary(broken)).toEqual([{ path: expect.anything(), code: 'INTERNAL_SERVER_ERROR' }]);
  });
});
