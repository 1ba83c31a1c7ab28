import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { createFixtureGateway, startTestIssuer, type TestIssuer } from '#test/support/gateway.ts';

let issuer: TestIssuer;
let gateway: Awaited<ReturnType<typeof createFixtureGateway>>;
beforeAll(async () => {
  issuer = await startTestIssuer();
  gateway = await createFixtureGateway({ issuer });
});
beforeEach(() => {
  gateway.behavior.verdict = () => ({ allowed: true });
  gateway.behavior.points = (id) => Number(id) * 10;
  gateway.behavior.degraded = null;
  gateway.behavior.fetches.length = 0;
});
afterAll(async () => {
  await gateway.close();
  await issuer.close();
});

const code = (answer: { body: { errors?: readonly { extensions: Record<string, unknown> }[] } }) =>
  answer.body.errors?.[0]?.extensions['code'];

describe('answers', () => {
  it('joins two subgraphs and marks an answer with personal fields as not to be stored', async () => {
    const answer = await gateway.ask('{ customer(id: 1) { id email points } product(sku: "a") { title } }');
    expect(answer.status).toBe(200);
    expect(answer.body.data).toEqual({
      customer: { id: '1', email: 'mail-1', points: 10 },
      product: { title: 'title-a' },
    });
    expect(answer.body.errors).toBeUndefined();
    expect(answer.headers['cache-control']).toBe('private, no-store');
    expect((await gateway.ask('{ product(sku: "a") { title } }')).headers['cache-control']).toBe('private, no-cache');
  });

  it.each([
    '{ customer(id: 1) { __typename } }',
    '{ customers { nodes { id } } }',
    '{ customer(id: 1) { points } }',
    'mutation { rename(id: 1) { id } }',
  ])('lets nobody store %s, though no governed field is asked', async (query) => {
    const token = await issuer.issue({ scope: 'customers:read customers:write' });
    expect((await gateway.ask(query, { token })).headers['cache-control']).toBe('private, no-store');
  });

  it('sends a harmless request id back and replaces any other', async () => {
    const answer = await gateway.ask('{ product(sku: "a") { sku } }', { headers: { 'x-request-id': 'abc-1' } });
    expect(answer.headers['x-request-id']).toBe('abc-1');
    expect(answer.body.extensions['requestId']).toBe('abc-1');
    const odd = await gateway.ask('{ product(sku: "a") { sku } }', { headers: { 'x-request-id': 'a b<script>' } });
    expect(odd.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('answers GET for queries and refuses it for mutations', async () => {
    const headers = { authorization: `Bearer ${await issuer.issue()}`, 'apollo-require-preflight': '1' };
    const url = (query: string) => `/graphql?query=${encodeURIComponent(query)}`;
    expect(
      (await gateway.app.inject({ method: 'GET', url: url('{ product(sku: "a") { sku } }'), headers })).json(),
    ).toMatchObject({ data: { product: { sku: 'a' } } });
    expect(
      (await gateway.app.inject({ method: 'GET', url: url('mutation { rename(id: 1) { id } }'), headers })).statusCode,
    ).toBe(405);
    const forged = await gateway.app.inject({
      method: 'GET',
      url: url('{ product(sku: "a") { sku } }'),
      headers: { authorization: headers.authorization },
    });
    expect(forged.statusCode).toBe(400);
  });
});

describe('consent', () => {
  it('answers null and one entry with count and paths for an associate', async () => {
    gateway.behavior.verdict = (subject) =>
      subject === 'sub_2' ? { allowed: true } : { allowed: false, reason: 'CONSENT_REQUIRED' };
    const answer = await gateway.ask('{ customers { nodes { id mail: email } } }');
    expect(answer.body.data).toEqual({
      customers: {
        nodes: [
          { id: '1', mail: null },
          { id: '2', mail: 'mail-2' },
          { id: '3', mail: null },
        ],
      },
    });
    expect(answer.body.extensions['consent']).toEqual([
      {
        coordinate: 'Customer.email',
        purpose: 'SERVICE_SUPPORT',
        reason: 'CONSENT_REQUIRED',
        count: 2,
        paths: [
          ['customers', 'nodes', 0, 'mail'],
          ['customers', 'nodes', 2, 'mail'],
        ],
      },
    ]);
    expect(answer.body.errors).toBeUndefined();
  });

  it('keeps paths from a service job', async () => {
    gateway.behavior.verdict = () => ({ allowed: false, reason: 'RESTRICTED' });
    const token = await issuer.issue({ role: 'service-job', purposes: ['SERVICE_SUPPORT'] });
    const answer = await gateway.ask('{ customers { nodes { email } } }', { token });
    expect(answer.body.extensions['consent']).toEqual([
      { coordinate: 'Customer.email', purpose: 'SERVICE_SUPPORT', reason: 'RESTRICTED', count: 3 },
    ]);
  });

  it('never fetches what role or purpose can never open, and says so without an error', async () => {
    const token = await issuer.issue({ role: 'partner', purposes: ['MARKETING'] });
    const answer = await gateway.ask('{ customers { nodes { id n: name friends { email } } } }', {
      token,
      headers: { 'mortar-purpose': 'MARKETING' },
    });
    expect(answer.body.data).toMatchObject({
      customers: { nodes: [{ id: '1', n: null, friends: [{ email: null }] }, {}, {}] },
    });
    expect(answer.body.errors).toBeUndefined();
    expect(answer.body.extensions['consent']).toEqual([
      { coordinate: 'Customer.name', purpose: 'MARKETING', reason: 'PURPOSE_NOT_ALLOWED' },
      { coordinate: 'Customer.email', purpose: 'MARKETING', reason: 'PURPOSE_NOT_ALLOWED' },
    ]);
    expect(gateway.behavior.fetches.map(({ text }) => text).join(' ')).not.toMatch(/email|name\b(?<!__typename)/);
  });
});

describe('consent of an answer without rows', () => {
  it.each([
    ['partner', {}],
    ['analyst', {}],
    ['privacy-officer', { count: 0 }],
    ['associate', { count: 0, paths: [] }],
  ])('tells a %s what its role can never open', async (role, more) => {
    const token = await issuer.issue({ role, purposes: ['MARKETING'] });
    const headers = { 'mortar-purpose': 'MARKETING' };
    const query = 'query($no: Boolean!) { find(ids: []) { id email name @include(if: $no) } }';
    const answer = await gateway.ask(query, { token, headers, variables: { no: false } });
    expect(answer.body.data).toEqual({ find: [] });
    expect(answer.body.extensions['consent']).toEqual([
      { coordinate: 'Customer.email', purpose: 'MARKETING', reason: 'PURPOSE_NOT_ALLOWED', ...more },
    ]);
  });

  it('tells nothing of what a grant could open', async () => {
    const answer = await gateway.ask('{ find(ids: []) { email } }');
    expect(answer.body.extensions['consent']).toBeUndefined();
  });
});

describe('purposes', () => {
  const governed = '{ customer(id: 1) { email } }';
  it.each([
    ['an unknown purpose', { 'mortar-purpose': 'FUN' }, 400, 'BAD_USER_INPUT'],
    ['two purposes', { 'mortar-purpose': 'SERVICE_SUPPORT,PERSONALIZATION' }, 400, 'BAD_USER_INPUT'],
    ['a purpose the token lacks', { 'mortar-purpose': 'ANALYTICS' }, 403, 'PURPOSE_NOT_ALLOWED'],
    ['an unknown medium', { 'mortar-medium': 'FAX' }, 400, 'BAD_USER_INPUT'],
  ])('refuses %s for the whole request', async (_, headers, status, expected) => {
    const answer = await gateway.ask(governed, { headers });
    expect([answer.status, code(answer)]).toEqual([status, expected]);
    expect(answer.body.data).toBeUndefined();
  });

  it('asks for a purpose only when personal fields are selected', async () => {
    const post = async (query: string, token: string) =>
      gateway.app.inject({
        method: 'POST',
        url: '/graphql',
        headers: { authorization: `Bearer ${token}` },
        payload: { query },
      });
    const several = await issuer.issue();
    const refused = await post(governed, several);
    expect([
      refused.statusCode,
      refused.json<{ errors: { extensions: object }[] }>().errors[0]?.extensions,
    ]).toMatchObject([400, { code: 'PURPOSE_REQUIRED' }]);
    expect((await post('{ customer(id: 1) { id } }', several)).statusCode).toBe(200);
    const single = await issuer.issue({ purposes: ['SERVICE_SUPPORT'] });
    expect((await post(governed, single)).json()).toMatchObject({ data: { customer: { email: 'mail-1' } } });
  });
});

describe('scopes', () => {
  it('nulls what the token may not read, with one error for each selection', async () => {
    const answer = await gateway.ask('{ customers { nodes { id notes points } } }');
    expect(answer.body.data).toMatchObject({ customers: { nodes: [{ id: '1', notes: null, points: 10 }, {}, {}] } });
    expect(answer.body.errors).toEqual([
      expect.objectContaining({
        path: ['customers', 'nodes', 0, 'notes'],
        extensions: expect.objectContaining({
          code: 'SCOPE_REQUIRED',
          occurrences: 3,
          serviceName: 'shop',
          scopes: [['privacy:admin']],
        }),
      }),
    ]);
    expect(gateway.behavior.fetches.map(({ text }) => text).join(' ')).not.toContain('notes');
  });

  it('prunes denied root fields of queries and mutations without a fetch', async () => {
    const token = await issuer.issue({ scope: 'catalog:read' });
    const query = await gateway.ask('{ c: customer(id: 1) { id } }', { token });
    expect(query.body).toMatchObject({
      data: { c: null },
      errors: [{ path: ['c'], extensions: { code: 'SCOPE_REQUIRED', serviceName: 'people' } }],
    });
    const mutation = await gateway.ask('mutation M($id: ID!) { rename(id: $id) { id } }', {
      token,
      variables: { id: '1' },
    });
    expect(mutation.body).toMatchObject({ data: { rename: null }, errors: [{ path: ['rename'] }] });
    expect(gateway.behavior.fetches).toEqual([]);
  });

  it('serves the same text to two callers by their own rights, in either order', async () => {
    const query = '{ find(ids: ["1"]) { id notes } }';
    const poor = await issuer.issue();
    const rich = await issuer.issue({ scope: 'privacy:admin' });
    for (const [token, notes] of [
      [poor, null],
      [rich, 'secret-notes'],
      [poor, null],
      [rich, 'secret-notes'],
    ] as const) {
      expect((await gateway.ask(query, { token })).body.data).toEqual({ find: [{ id: '1', notes }] });
    }
  });
});
