import { afterAll, beforeAll, expect, it } from 'vitest';

import { traceRecord } from '#gateway/trace/trace-record.ts';
import { createFixtureGateway, startTestIssuer, type TestIssuer } from '#test/support/gateway.ts';

let issuer: TestIssuer;
let gateway: Awaited<ReturnType<typeof createFixtureGateway>>;
beforeAll(async () => {
  issuer = await startTestIssuer();
  gateway = await createFixtureGateway({ issuer });
});
afterAll(async () => {
  await gateway.close();
  await issuer.close();
});

const READER = 'catalog:read customers:read systems:read';
const QUERY = 'query Look($id: ID!) { mine: customer(id: $id) { email points notes } }';

async function findTrace(requestId: string, token?: string) {
  const headers = { authorization: `Bearer ${token ?? (await issuer.issue({ scope: READER }))}` };
  const response = await gateway.app.inject({ url: `/trace/${requestId}`, headers });
  const body: { requests?: unknown[]; errors?: { message: string; extensions: { code: string } }[] } = response.json();
  return {
    status: response.statusCode,
    headers: response.headers,
    requests: body.requests ?? [],
    text: response.body,
    body,
  };
}

it('tells of a request its caller, waves, fetches, decisions and errors, and no value', async () => {
  const verdicts = gateway.behavior.verdict;
  gateway.behavior.verdict = () => ({ allowed: false, reason: 'CONSENT_REQUIRED' });
  const asked = { headers: { 'x-request-id': 'tell-1' }, variables: { id: '8675309' } };
  await gateway.ask(QUERY, asked);
  gateway.behavior.verdict = verdicts;
  const { requests, text, headers } = await findTrace('tell-1');
  expect(requests.map((request) => traceRecord.parse(request))).toMatchObject([
    {
      client: 'associate',
      role: 'associate',
      purpose: 'SERVICE_SUPPORT',
      operation: 'Look',
      outcome: 'partial',
      fetches: [
        { subgraph: 'people', wave: 1, path: '', representations: null, rows: 1, receivedBytes: null, outcome: 'ok' },
        { subgraph: 'shop', wave: 2, path: 'customer', representations: 1, rows: 1, outcome: 'ok' },
      ],
      decisions: [
        { coordinate: 'Customer.notes', allowed: 0, refused: { SCOPE_REQUIRED: null } },
        { coordinate: 'Customer.email', allowed: 0, refused: { CONSENT_REQUIRED: 1 } },
      ],
      errors: [{ code: 'SCOPE_REQUIRED', count: 1 }],
    },
  ]);
  expect(text).not.toMatch(/8675309|mail-|sub_/);
  expect(headers['cache-control']).toBe('private, no-store');
});

it('tells every request that carried one id', async () => {
  await gateway.ask('query First { product(sku: "a") { title } }', { headers: { 'x-request-id': 'same' } });
  await gateway.ask('query Second { broken { title } }', { headers: { 'x-request-id': 'same' } });
  await gateway.ask('{ nothing }', { headers: { 'x-request-id': 'same', authorization: 'Bearer x' }, token: null });
  const operations = (await findTrace('same')).requests.map((request) => traceRecord.parse(request));
  expect(operations.map(({ operation, outcome }) => [operation, outcome])).toEqual([
    ['Second', 'partial'],
    ['First', 'ok'],
    [null, 'UNAUTHENTICATED'],
  ]);
});

it('finds a request whatever its caller calls its fields, and keeps none of these words', async () => {
  const alias = `alice_at_example_${'a'.repeat(1_001)}`;
  const query = `{ ${alias}: customers { mine: nodes { id ...F } } } fragment F on Customer { theirs: points }`;
  expect((await gateway.ask(query, { headers: { 'x-request-id': 'aliased' } })).status).toBe(200);
  const { requests, text } = await findTrace('aliased');
  expect(requests).toMatchObject([
    { fetches: [{ subgraph: 'people' }, { subgraph: 'shop', path: 'customers.nodes.@' }] },
  ]);
  expect(text).not.toMatch(/alice|mine|theirs/);
});

it('needs a token with systems:read, and knows what it knows', async () => {
  expect(await findTrace('tell-1', await issuer.issue())).toMatchObject({
    status: 403,
    body: { errors: [{ message: expect.stringContaining('systems:read'), extensions: { code: 'SCOPE_REQUIRED' } }] },
  });
  expect(await findTrace('tell-1', 'x')).toMatchObject({ status: 401 });
  const without = await gateway.app.inject({ url: '/trace/tell-1' });
  expect([without.statusCode, without.headers['www-authenticate']]).toEqual([401, expect.stringContaining('Bearer ')]);
  expect(await findTrace('never-seen')).toMatchObject({ status: 404, requests: [] });
});

it('adds extensions.trace where it is asked for and allowed, and nowhere else', async () => {
  const asking = { 'mortar-trace': 'on' };
  const traceOf = async (scope: string, headers: Record<string, string>) =>
    (await gateway.ask('{ customer(id: 1) { email } }', { token: await issuer.issue({ scope }), headers })).body
      .extensions['trace'];
  const shown = traceRecord.parse(await traceOf(READER, asking));
  expect(shown).toMatchObject({
    outcome: 'ok',
    fetches: [{ subgraph: 'people' }],
    decisions: [{ coordinate: 'Customer.email', allowed: 1, refused: {} }],
  });
  expect(await traceOf(READER, {})).toBeUndefined();
  expect(await traceOf(READER, { 'mortar-trace': 'off' })).toBeUndefined();
  expect(await traceOf('customers:read', asking)).toBeUndefined();
});

it('masks by role what an answer and the route tell, alike', async () => {
  const token = await issuer.issue({ role: 'partner', recipient: 'shop', client_id: 'partner', scope: READER });
  const headers = { 'mortar-trace': 'on', 'x-request-id': 'masked' };
  const { body } = await gateway.ask('{ product(sku: "1") { sku } }', { token, headers });
  const seen = [body.extensions['trace'], ...(await findTrace('masked', token)).requests];
  expect(seen.map((record) => traceRecord.parse(record).fetches)).toMatchObject([
    [{ subgraph: 'shop', rows: null }],
    [{ subgraph: 'shop', rows: null }],
  ]);
  expect((await findTrace('masked')).requests).toMatchObject([{ fetches: [{ rows: 1 }] }]);
});
