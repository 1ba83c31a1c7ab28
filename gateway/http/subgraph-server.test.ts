import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { request as httpRequest } from 'undici';
import { describe, expect, it } from 'vitest';

import type { VerifyToken } from '#gateway/auth/verify-token.ts';
import { MortarError } from '#platform/errors.ts';
import type { Subgraph, SubgraphFetch } from '#platform/subgraph.ts';
import type { RequestContext } from '#schema/model/request.ts';
import { contextOfPair, subgraphServer } from '#test/support/federation/served-subgraph.ts';
import { MULTIPLIED_INTROSPECTION } from '#test/support/hostile-documents.ts';
import { aPeopleSubgraph, aRequest } from '#test/support/people-subgraph.ts';

const { sign, verify } = contextOfPair();
const stranger = contextOfPair();
const trust = { context: verify };
const { subgraph } = aPeopleSubgraph({
  decide: (subjects) =>
    Promise.resolve(subjects.includes('sub_2') ? { allowed: false, reason: 'CONSENT_REQUIRED' } : { allowed: true }),
});

interface Asked {
  readonly query?: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
}

const signed = (
  asked: Asked | string,
  over: { readonly subgraph?: string; readonly timeLeftMs?: number; readonly by?: typeof sign } = {},
) => {
  const { requestId, principal, purpose, medium } = aRequest();
  const body = typeof asked === 'string' ? asked : JSON.stringify(asked);
  const facts = { requestId, principal, purpose, medium, timeLeftMs: over.timeLeftMs ?? 5_000 };
  return (over.by ?? sign)(facts, { subgraph: over.subgraph ?? 'people', body });
};

async function post(app: FastifyInstance, asked: Asked | string, headers: Record<string, string> = {}) {
  const payload = typeof asked === 'string' ? asked : JSON.stringify(asked);
  const answer = await app.inject({
    method: 'POST',
    url: '/graphql',
    headers: { 'content-type': 'application/json', ...headers },
    payload,
  });
  const json = answer.json<{
    data?: unknown;
    errors?: { message: string; extensions: { code: string } }[];
    extensions?: unknown;
  }>();
  return {
    ...answer,
    status: answer.statusCode,
    json,
    code: json.errors?.[0]?.extensions.code,
    why: json.errors?.[0]?.message,
  };
}

const byContext = (app: FastifyInstance, asked: Asked, headers: Record<string, string> = {}) =>
  post(app, asked, { 'mortar-context': signed(asked), ...headers });

describe('a subgraph that trusts its gateway', () => {
  const app = subgraphServer(subgraph, { trust });
  const query = '{ people { id email } }';

  it('answers a signed request, with what it refused beside the data', async () => {
    const { status, json, headers } = await byContext(app, { query });
    expect(status).toBe(200);
    expect(json.data).toMatchObject({ people: [{ email: 'e1@x.test' }, { email: null }, { email: 'e3@x.test' }] });
    expect(json.extensions).toMatchObject({
      mortar: { refusals: [{ coordinate: 'Person.email', reason: 'CONSENT_REQUIRED', path: ['people', 1, 'email'] }] },
    });
    expect(JSON.stringify(json)).not.toContain('sub_2');
    expect(headers['cache-control']).toBe('private, no-store');
  });

  it('gives resolvers the caller of the context and nobody else', async () => {
    const seen: RequestContext[] = [];
    const spy: Subgraph = {
      ...subgraph,
      execute: ({ request }: SubgraphFetch) => {
        seen.push(request);
        return Promise.resolve({ data: {}, errors: [], refusals: [], degraded: [] });
      },
    };
    const before = Date.now();
    await byContext(
      subgraphServer(spy, { trust }),
      { query },
      { 'mortar-purpose': 'SERVICE_SUPPORT', authorization: 'Bearer x' },
    );
    expect(seen[0]).toMatchObject({ requestId: 'req-1', purpose: 'MARKETING', principal: aRequest().principal });
    expect(seen[0]?.deadlineAtMs).toBeGreaterThanOrEqual(before + 5_000);
    expect(seen[0]?.deadlineAtMs).toBeLessThan(Date.now() + 5_001);
  });

  it.each([
    ['nothing', {}, /its gateway alone/],
    ['an end user’s token', { authorization: 'Bearer abc' }, /ask the graph at the gateway/],
    ['no context at all', { 'mortar-context': 'abc' }, /not a valid request context/],
    [
      'a context of another document',
      { 'mortar-context': signed({ query: '{ text }' }) },
      /another document or variables/,
    ],
    ['a context of other variables', { 'mortar-context': signed({ query, variables: { a: 1 } }) }, /another document/],
    [
      'a context of another subgraph',
      { 'mortar-context': signed({ query }, { subgraph: 'orders' }) },
      /another subgraph/,
    ],
    [
      'a stranger’s context',
      { 'mortar-context': signed({ query }, { by: stranger.sign }) },
      /a key this subgraph does not have/,
    ],
  ])('refuses %s with 401 and JSON', async (_what, headers: Record<string, string>, message) => {
    const { status, code, why, headers: answered } = await post(app, { query }, headers);
    expect([status, code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(why).toMatch(message);
    expect(answered['www-authenticate']).toBe('Mortar-Context');
  });

  it('refuses a context that has expired', async () => {
    let nowMs = Date.now();
    const timed = contextOfPair(undefined, { nowMs: () => nowMs });
    const late = subgraphServer(subgraph, { trust: { context: timed.verify } });
    const headers = { 'mortar-context': signed({ query }, { by: timed.sign }) };
    nowMs += 36_000;
    expect((await post(late, { query }, headers)).why).toMatch(/has expired/);
  });

  it('answers what it has when the time the context leaves is over', async () => {
    const asked = { query: '{ people { id late } }' };
    const headers = { 'mortar-context': signed(asked, { timeLeftMs: 30 }) };
    const { json } = await post(app, asked, headers);
    expect(json.data).toMatchObject({ people: [{ late: 'in time' }, { late: null }, { late: 'in time' }] });
    expect(json.errors).toMatchObject([{ path: ['people', 1, 'late'], extensions: { code: 'DEADLINE_EXCEEDED' } }]);
  });

  it('masks errors as it does in process', async () => {
    const { json } = await byContext(app, { query: '{ upstream boom }' });
    expect(json.errors).toMatchObject([
      { path: ['upstream'], extensions: { code: 'UPSTREAM_TIMEOUT', system: 'crm' } },
      { path: ['boom'], extensions: { code: 'INTERNAL_SERVER_ERROR' } },
    ]);
    expect(JSON.stringify(json)).not.toMatch(/hunter2|secret/);
  });

  it('tells its SDL to a signed caller, and resolves entities', async () => {
    const { json } = await byContext(app, { query: '{ _service { sdl } }' });
    expect(json.data).toMatchObject({ _service: { sdl: expect.stringContaining('type Person') as string } });
    const representations = [{ __typename: 'Person', id: '1' }];
    const entity =
      'query E($representations: [_Any!]!) { _entities(representations: $representations) { ... on Person { note } } }';
    const asked = { query: entity, variables: { representations }, operationName: 'E' };
    expect((await byContext(app, asked)).json.data).toEqual({ _entities: [{ note: 'n1' }] });
  });

  it.each([
    ['not JSON', '{"query":', 400, 'BAD_REQUEST'],
    ['a key named __proto__', '{"query":"{ text }","variables":{"__proto__":{}}}', 400, 'BAD_REQUEST'],
    ['more than 8 MiB', JSON.stringify({ query: 'x'.repeat(9_000_000) }), 413, 'REQUEST_TOO_LARGE'],
  ])('refuses a signed body that is %s', async (_what, body, status, code) => {
    expect(await post(app, body, { 'mortar-context': signed(body) })).toMatchObject({ status, code });
  });

  it.each([
    ['no document', {}, 'BAD_REQUEST'],
    ['no GraphQL', { query: '{' }, 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', { query: '{ nobody }' }, 'GRAPHQL_VALIDATION_FAILED'],
    ['an unknown operation', { query: '{ text }', operationName: 'X' }, 'OPERATION_RESOLUTION_FAILURE'],
    ['a fragment without end', { query: '{ ...a } fragment a on Query { ...a }' }, 'GRAPHQL_VALIDATION_FAILED'],
  ])('refuses a signed request with %s', async (_what, asked, code) => {
    expect(await byContext(app, asked)).toMatchObject({ status: 400, code });
  });

  it('refuses other media types and other methods', async () => {
    const text = await app.inject({
      method: 'POST',
      url: '/graphql',
      headers: { 'content-type': 'text/plain' },
      payload: 'x',
    });
    expect(text.statusCode).toBe(415);
    expect((await app.inject({ method: 'GET', url: '/graphql?query={text}' })).statusCode).toBe(405);
  });

  it.each([
    ['gzip', 'br, gzip', gunzipSync],
    ['br', 'gzip;q=0, br', brotliDecompressSync],
  ] as const)('answers in %s when asked', async (encoding, accept, decompress) => {
    const asked = { query: '{ _service { sdl } }' };
    const { headers, rawPayload } = await app.inject({
      method: 'POST',
      url: '/graphql',
      headers: { 'content-type': 'application/json', 'mortar-context': signed(asked), 'accept-encoding': accept },
      payload: JSON.stringify(asked),
    });
    expect(headers['content-encoding']).toBe(encoding);
    expect(decompress(rawPayload).toString()).toContain('type Person');
  });

  it('answers in the media type of GraphQL when that is accepted, and bare otherwise', async () => {
    const plain = await byContext(app, { query: '{ text }' }, { accept: '*/*' });
    expect(plain.headers['content-type']).toBe('application/json; charset=utf-8');
    const graphql = await byContext(app, { query: '{ text }' }, { accept: 'application/graphql-response+json' });
    expect(graphql.headers['content-type']).toBe('application/graphql-response+json; charset=utf-8');
    expect(graphql.headers['content-encoding']).toBeUndefined();
  });

  it('stops what it does when the caller goes away', async () => {
    const started = Promise.withResolvers<AbortSignal>();
    const slow: Subgraph = {
      ...subgraph,
      execute: ({ request }) => {
        started.resolve(request.signal);
        return new Promise(() => undefined);
      },
    };
    const server = subgraphServer(slow, { trust });
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    const client = new AbortController();
    const asked = { query: '{ text }' };
    const headers = { 'content-type': 'application/json', 'mortar-context': signed(asked) };
    const body = JSON.stringify(asked);
    const sent = httpRequest(`${url}/graphql`, { method: 'POST', headers, body, signal: client.signal });
    sent.catch(() => undefined);
    const signal = await started.promise;
    expect(signal.aborted).toBe(false);
    const stopped = new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
    });
    client.abort();
    await stopped;
    server.server.closeAllConnections();
    await server.close();
  });

  it('is alive at once and ready when nothing is missing', async () => {
    let missing = ['the first load is running'];
    const starting = subgraphServer(subgraph, { trust, missing: () => missing });
    expect((await starting.inject('/livez')).statusCode).toBe(200);
    const waiting = await starting.inject('/readyz');
    expect([waiting.statusCode, waiting.json()]).toEqual([503, { status: 'waiting', missing }]);
    missing = [];
    expect((await starting.inject('/readyz')).statusCode).toBe(200);
  });
});

describe('a subgraph that trusts the token', () => {
  const token: VerifyToken = (authorization) => {
    if (authorization === undefined) return Promise.resolve(null);
    if (authorization === 'Bearer good') return Promise.resolve(aRequest().principal);
    return Promise.reject(new MortarError('UNAUTHENTICATED', { message: 'The token has expired.' }));
  };
  const app = subgraphServer(subgraph, { trust: { token } });
  const bearer = { authorization: 'Bearer good', 'mortar-purpose': 'MARKETING' };
  const query = '{ people { id email } }';

  it('answers the end user’s token, enforces consent, and keeps what it refused to itself', async () => {
    const { json } = await post(app, { query }, bearer);
    expect(json.data).toMatchObject({ people: [{ email: 'e1@x.test' }, { email: null }, { email: 'e3@x.test' }] });
    expect(json.extensions).toBeUndefined();
  });

  it('enforces scopes without a gateway before it', async () => {
    const { json } = await post(app, { query: '{ people { secret } }' }, bearer);
    expect(json.errors?.map(({ extensions }) => extensions.code)).toEqual(Array(3).fill('SCOPE_REQUIRED'));
  });

  it.each([
    ['no token', {}, 401, 'UNAUTHENTICATED'],
    ['a bad token', { authorization: 'Bearer bad' }, 401, 'UNAUTHENTICATED'],
    [
      'a purpose the token may not declare',
      { ...bearer, 'mortar-purpose': 'SERVICE_SUPPORT' },
      403,
      'PURPOSE_NOT_ALLOWED',
    ],
    ['a purpose nobody knows', { ...bearer, 'mortar-purpose': 'CURIOSITY' }, 400, 'BAD_USER_INPUT'],
    ['a signed context it has no key for', { 'mortar-context': signed({ query }) }, 401, 'UNAUTHENTICATED'],
  ])('refuses %s', async (_what, headers: Record<string, string>, status, code) => {
    expect(await post(app, { query }, headers)).toMatchObject({ status, code });
  });

  it.each([
    ['too deep', `{ people ${'{ id '.repeat(20)}${'}'.repeat(20)} }`, 'LIMIT_DEPTH'],
    ['an alias that is not allowed', '{ __proto__: text }', 'LIMIT_ALIASES'],
    ['introspection that multiplies', MULTIPLIED_INTROSPECTION, 'LIMIT_COST'],
    ['nothing but lines', `{${'\n'.repeat(8_001)}text }`, 'LIMIT_COST'],
    [
      'too many root fields',
      `{ ${Array.from({ length: 40 }, (_, i) => `a${i}: text`).join(' ')} }`,
      'LIMIT_ROOT_FIELDS',
    ],
  ])('refuses a document that is %s, for no gateway looked at it', async (_what, text, code) => {
    expect(await post(app, { query: text }, bearer)).toMatchObject({ status: 400, code });
  });

  it('may trust the gateway too', async () => {
    const both = subgraphServer(subgraph, { trust: { token, context: verify } });
    expect((await byContext(both, { query })).json.extensions).toBeDefined();
    expect((await post(both, { query }, bearer)).json.extensions).toBeUndefined();
    expect(await post(both, { query }, { ...bearer, 'mortar-context': 'forged' })).toMatchObject({ status: 401 });
  });
});

describe('the schema of a subgraph', () => {
  const sdl = { query: '{ _service { sdl } __schema { queryType { name } } }' };

  it('is told to anybody where it may be, and nothing else is', async () => {
    const open = subgraphServer(subgraph, { trust, openSchema: true });
    expect((await post(open, sdl)).json.data).toMatchObject({ __schema: { queryType: { name: 'Query' } } });
    for (const query of ['{ text }', '{ _service { sdl } text }', '{ _entities(representations: []) { __typename } }'])
      // oxlint-disable-next-line no-await-in-loop -- three
      expect(await post(open, { query })).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  });

  it('is told to nobody without credentials in production', async () => {
    expect(await post(subgraphServer(subgraph, { trust }), sdl)).toMatchObject({ status: 401 });
  });
});
