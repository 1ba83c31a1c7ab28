import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import type { MarketingConsentWrite, WriteResult } from '#schema/model/outreach.ts';
import { codeOf, connect, definition, scope } from '#test/support/kit-system.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

import type { WriteDefinition } from './definition.ts';

const input = (externalId: string, decision: 'GRANT' | 'WITHDRAW' = 'GRANT'): MarketingConsentWrite => ({
  externalId,
  medium: 'EMAIL',
  decision,
  address: `${externalId}@person.test`,
});

type Idempotency = 'natural' | 'none';

const sink = (idempotency: Idempotency): WriteDefinition<MarketingConsentWrite, WriteResult, null> => ({
  max: 2,
  idempotency,
  keyOf: ({ externalId }) => externalId,
  groupOf: ({ decision }) => decision,
  accepts: ({ externalId }) => {
    if (externalId === 'thrown') throw new TypeError('secret');
    return externalId !== 'unfit';
  },
  refuses: ({ externalId }) => (externalId === 'refused' ? 'CONSENT_REQUIRED' : null),
  request: (inputs) => ({
    operation: 'write',
    method: 'POST',
    path: '/write',
    json: inputs.map(({ externalId, decision }) => `${decision} ${externalId}`),
  }),
  page: z.unknown(),
  decode: (_body, inputs) => inputs.map(() => ({ kind: 'DONE' })),
});

function connectSink(url: string, idempotency: Idempotency = 'natural') {
  const ports = { ...definition.ports, marketingConsentSink: sink(idempotency) };
  const crm = connect(url, { definition: { ports }, options: { concurrency: 8 } });
  const bound = crm.system.marketingConsentSink;
  if (bound === undefined) throw new Error('bound');
  return { ...crm, write: bound.writeConsents };
}

describe('writes', () => {
  it('go in groups and chunks, without refused and unfit inputs, and answer in input order', async () => {
    await using upstream = await startUpstream((_request, response) => void response.writeHead(202).end());
    await using crm = connectSink(upstream.url);
    const inputs = [input('a'), input('refused'), input('b', 'WITHDRAW'), input('unfit'), input('c'), input('d')];
    const results = await crm.write(inputs, scope());
    expect(results.map((result) => (result instanceof Error ? codeOf(result) : result.kind))).toEqual([
      'DONE',
      'REFUSED',
      'DONE',
      'UPSTREAM_CONTRACT',
      'DONE',
      'DONE',
    ]);
    expect(new Set(upstream.seen.map(({ body }) => body))).toEqual(
      new Set(['["GRANT a","GRANT c"]', '["GRANT d"]', '["WITHDRAW b"]']),
    );
  });

  it('send of several decisions about one thing the last', async () => {
    await using upstream = await startUpstream((_request, response) => sendJson(response, {}));
    await using crm = connectSink(upstream.url);
    const results = await crm.write([input('a'), input('a', 'WITHDRAW')], scope());
    expect(results).toEqual([{ kind: 'DONE' }, { kind: 'DONE' }]);
    expect(upstream.seen.map(({ body }) => body)).toEqual(['["WITHDRAW a"]']);
  });

  it('answer an input the definition cannot judge with an error of its own', async () => {
    await using upstream = await startUpstream((_request, response) => sendJson(response, {}));
    await using crm = connectSink(upstream.url);
    const [thrown, done] = await crm.write([input('thrown'), input('a')], scope());
    expect([codeOf(thrown), done]).toEqual(['UPSTREAM_CONTRACT', { kind: 'DONE' }]);
    expect(thrown).toMatchObject({ system: 'crm' });
  });

  it('of one thing reach the system one after the other, and a failed one is not repeated after a later one', async () => {
    const seen: string[] = [];
    const arrived = Promise.withResolvers<void>();
    const later = Promise.withResolvers<void>();
    await using upstream = await startUpstream(({ body }, response, count) => {
      seen.push(body);
      if (count > 1) return sendJson(response, {});
      arrived.resolve();
      return void later.promise.then(() => sendJson(response, {}, 503));
    });
    await using crm = connectSink(upstream.url);
    const grant = crm.write([input('a'), input('b')], scope());
    await arrived.promise;
    const withdrawal = crm.write([input('a', 'WITHDRAW')], scope());
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(seen).toEqual(['["GRANT a","GRANT b"]']);
    later.resolve();
    expect(await withdrawal).toEqual([{ kind: 'DONE' }]);
    expect(await grant).toEqual([{ kind: 'SUPERSEDED' }, { kind: 'DONE' }]);
    expect(seen.filter((body) => body.includes(' a'))).toEqual(['["GRANT a","GRANT b"]', '["WITHDRAW a"]']);
    expect(seen).toContain('["GRANT b"]');
  });

  it('that wait for an earlier one end with their caller’s time', async () => {
    const arrived = Promise.withResolvers<void>();
    await using upstream = await startUpstream(() => arrived.resolve());
    await using crm = connectSink(upstream.url);
    const first = crm.write([input('a')], scope(300));
    await arrived.promise;
    const second = await crm.write([input('a', 'WITHDRAW')], scope(60));
    const third = await crm.write([input('a', 'WITHDRAW')], scope(60));
    expect([...second, ...third].map(codeOf)).toEqual(['UPSTREAM_TIMEOUT', 'UPSTREAM_TIMEOUT']);
    expect(await first).toEqual([{ kind: 'SUPERSEDED' }]);
    expect(upstream.seen.length).toBe(1);
  });

  it.each([
    ['natural', 2],
    ['none', 1],
  ] as const)('that are %s idempotent are sent %i times at most when the system fails', async (idempotency, times) => {
    await using upstream = await startUpstream((_request, response) => sendJson(response, {}, 503));
    await using crm = connectSink(upstream.url, idempotency);
    expect((await crm.write([input('a')], scope())).map(codeOf)).toEqual(['UPSTREAM_UNAVAILABLE']);
    expect(upstream.seen.length).toBe(times);
  });

  it('that were refused for being too many are sent again, whatever they do', async () => {
    await using upstream = await startUpstream((_request, response, count) =>
      sendJson(response, {}, count === 1 ? 429 : 200, { 'retry-after': '0.02' }),
    );
    await using crm = connectSink(upstream.url, 'none');
    expect(await crm.write([input('a')], scope())).toEqual([{ kind: 'DONE' }]);
  });

  it('take a page of HTML for no success', async () => {
    await using upstream = await startUpstream((_request, response) => void response.end('<html></html>'));
    await using crm = connectSink(upstream.url);
    expect((await crm.write([input('a')], scope())).map(codeOf)).toEqual(['UPSTREAM_CONTRACT']);
  });
});
