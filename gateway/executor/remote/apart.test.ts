import { expect, it } from 'vitest';

import { composeSubgraphs } from '#gateway/composition.ts';
import { createRequestTrace } from '#gateway/trace/request-trace.ts';
import { adoptTracePart } from '#gateway/trace/trace-part.ts';
import type { RequestContext } from '#schema/model/request.ts';
import { ourContestant, question } from '#test/support/federation/contestants.ts';
import { serveSubgraphs } from '#test/support/federation/served-subgraph.ts';
import { aPeopleSubgraph, aRequest } from '#test/support/people-subgraph.ts';

it('answers through HTTP and a signed context what it answers in one process', async () => {
  const { subgraph } = aPeopleSubgraph({
    decide: (subjects) =>
      Promise.resolve(subjects.includes('sub_2') ? { allowed: false, reason: 'CONSENT_REQUIRED' } : { allowed: true }),
  });
  const sdl = composeSubgraphs([subgraph]);
  await using served = await serveSubgraphs([subgraph]);
  const apart = served.remote.find({ name: subgraph.name, url: '' });
  if (apart === null) throw new Error('its address is configured');
  const [here, there] = await Promise.all([
    ourContestant(sdl, [subgraph], aRequest),
    ourContestant(sdl, [apart], aRequest),
  ]);
  const asked = question('{ people { id email secret } upstream boom badText }');
  const answer = await there.ask(asked);
  expect(answer).toEqual(await here.ask(asked));
  expect(answer.data).toMatchObject({ people: [{ id: '1', email: 'e1@x.test' }, { email: null }, {}] });
  expect(answer.paths).toContain('people.0.secret');
});

it('hands what a subgraph apart did back to the trace of the request, with its bytes on the wire', async () => {
  const { subgraph } = aPeopleSubgraph({
    decide: (subjects) =>
      Promise.resolve(subjects.includes('sub_2') ? { allowed: false, reason: 'CONSENT_REQUIRED' } : { allowed: true }),
  });
  await using served = await serveSubgraphs([subgraph]);
  const apart = served.remote.find({ name: subgraph.name, url: '' });
  if (apart === null) throw new Error('its address is configured');
  const traces = [subgraph, apart].map(() => createRequestTrace('request-1', Date.now()));
  const [here, there] = await Promise.all(
    [subgraph, apart].map(async (source, index) => {
      const request = (): RequestContext => ({ ...aRequest(), trace: traces[index] ?? createRequestTrace('', 0) });
      const { ask } = await ourContestant(composeSubgraphs([subgraph]), [source], request);
      await ask(question('{ people { id email } }'));
      return traces[index]?.record(Date.now());
    }),
  );
  expect(there?.decisions).toEqual([{ coordinate: 'Person.email', allowed: 2, refused: { CONSENT_REQUIRED: 1 } }]);
  expect(there?.decisions).toEqual(here?.decisions);
  expect(here?.fetches).toMatchObject([{ sentBytes: null, receivedBytes: null }]);
  const [fetch] = there?.fetches ?? [];
  expect(fetch?.sentBytes).toBeGreaterThan(30);
  expect(fetch?.receivedBytes).toBeGreaterThan(100);
});

it('drops a part of a trace that does not fit', () => {
  const trace = createRequestTrace('request-1', 0);
  const call = { system: 'erp', operation: 'x', status: 200, attempt: 1, startMs: 5, elapsedMs: 1, errorCode: null };
  adoptTracePart({ trace: { calls: [{ ...call, shared: 'maybe' }], caches: [], decisions: [] } }, trace, 100);
  adoptTracePart({ trace: 'text' }, trace, 100);
  adoptTracePart(undefined, trace, 100);
  expect(trace.record(200).calls).toEqual([]);
  adoptTracePart({ trace: { calls: [{ ...call, shared: false }], caches: [], decisions: [] } }, trace, 100);
  adoptTracePart({ trace: { calls: [], caches: [], decisions: [], omitted: 3 } }, trace, 100);
  expect(trace.record(0).omitted).toBe(3);
  expect(trace.record(200).calls).toEqual([{ ...call, shared: false, startMs: 105 }]);
});
