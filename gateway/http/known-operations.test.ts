import { ApolloServer } from '@apollo/server';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { composeSubgraphs } from '#gateway/composition.ts';
import {
  aFixtureBehavior,
  createFixtureGateway,
  createFixtureSubgraphs,
  startTestIssuer,
  type TestIssuer,
} from '#test/support/gateway.ts';

const apollo = vi.spyOn(ApolloServer.prototype, 'executeHTTPGraphQLRequest');

let issuer: TestIssuer;
let gateway: Awaited<ReturnType<typeof createFixtureGateway>>;
beforeAll(async () => {
  issuer = await startTestIssuer();
  gateway = await createFixtureGateway({ issuer, limits: { pageSize: 50 } });
});
beforeEach(() => {
  gateway.behavior.verdict = () => ({ allowed: true });
  gateway.behavior.degraded = null;
  gateway.behavior.fetches.length = 0;
});
afterAll(async () => {
  apollo.mockRestore();
  await gateway.close();
  await issuer.close();
});

interface Asked {
  readonly query: string;
  readonly variables?: unknown;
  readonly operationName?: unknown;
  readonly extensions?: unknown;
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The whole answer, and how often Apollo Server was asked for it. */
async function ask({ token, headers, ...payload }: Asked) {
  apollo.mockClear();
  const bearer = token === undefined ? await issuer.issue({ scope: ALL_BUT_PRIVACY }) : token;
  const response = await gateway.app.inject({
    method: 'POST',
    url: '/graphql',
    headers: {
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      'mortar-purpose': 'SERVICE_SUPPORT',
      'x-request-id': 'same-id',
      ...headers,
    },
    payload,
  });
  const { 'content-length': length, date, ...others } = response.headers;
  expect(Number(length)).toBe(Buffer.byteLength(response.body));
  expect(date).toEqual(expect.any(String));
  return {
    status: response.statusCode,
    headers: others,
    body: response.json<unknown>(),
    apollo: apollo.mock.calls.length,
  };
}
const ALL_BUT_PRIVACY = 'catalog:read customers:read customers:write';

let texts = 0;
/** As Apollo Server answers it: nobody sent this text before. */
const askNew = (asked: Asked) => ask({ ...asked, query: `${asked.query} # ${(texts += 1)}` });

/** Asked until it is known, then once more. */
async function askKnown(asked: Asked) {
  await ask(asked);
  return await ask(asked);
}

const PAGE = 'query Page($first: Int) { customers(first: $first) { nodes { id name } } }';
const TWO = 'query One { product(sku: "a") { title } } query Two { product(sku: "b") { title } }';

describe('an operation whose document is known', () => {
  it.each<[string, Asked]>([
    ['of two subgraphs', { query: '{ customer(id: 1) { id email points } product(sku: "a") { title } }' }],
    ['with a part that fails', { query: '{ broken { sku } product(sku: "a") { title } }' }],
    ['with a field whose scope is missing', { query: '{ customer(id: 1) { id notes } }' }],
    [
      'with a purpose that never opens a field',
      { query: '{ customer(id: 1) { id email } }', headers: { 'mortar-purpose': 'PERSONALIZATION' } },
    ],
    ['with variables', { query: PAGE, variables: { first: 2 } }],
    [
      'with variables that are null',
      { query: '{ product(sku: "c") { sku } }', variables: null, operationName: null, extensions: null },
    ],
    ['that is chosen by its name', { query: TWO, operationName: 'Two' }],
    ['that changes something', { query: 'mutation { rename(id: 1, name: "x") { id } }' }],
    [
      'of a client that says who it is',
      { query: '{ product(sku: "d") { sku } }', extensions: { clientLibrary: { name: 'x' } } },
    ],
    [
      'for who takes the media type of GraphQL',
      { query: '{ product(sku: "e") { sku } }', headers: { accept: 'application/graphql-response+json' } },
    ],
    [
      'with a part that fails, for an Accept header that came with nothing else',
      { query: '{ broken { sku } product(sku: "f") { title } }', headers: { accept: 'application/json;q=0.7' } },
    ],
    ['that asks for the type alone', { query: '{ __typename }' }],
    ['that introspects, from nobody', { query: '{ __type(name: "Product") { name } }', token: null }],
  ])('%s is answered as Apollo Server answers it, without it', async (_name, asked) => {
    const expected = await askNew(asked);
    const known = await askKnown(asked);
    expect(known).toEqual({ ...expected, apollo: 0 });
    expect(expected).toMatchObject({ status: 200, apollo: 1 });
  });

  it('tells refusals of consent and degraded sources as Apollo Server’s way does', async () => {
    gateway.behavior.verdict = (subject) =>
      subject === 'sub_2' ? { allowed: true } : { allowed: false, reason: 'CONSENT_REQUIRED' };
    const source = { system: 'loyalty', lane: 'DERIVED' as const, asOf: '2026-01-01T00:00:00.000Z', path: [] };
    gateway.behavior.degraded = { ...source, stale: true, degraded: true };
    const asked = { query: '{ customers { nodes { id mail: email points } } }' };
    const expected = await askNew(asked);
    expect(await askKnown(asked)).toEqual({ ...expected, apollo: 0 });
    expect(expected.body).toMatchObject({ extensions: { consent: [{ count: 2 }], provenance: [{ stale: true }] } });
  });

  it('decides for each caller and purpose anew', async () => {
    const asked = { query: '{ customer(id: 1) { email } }' };
    expect((await askKnown(asked)).body).toMatchObject({ data: { customer: { email: 'mail-1' } } });
    const token = await issuer.issue({ scope: 'catalog:read' });
    expect((await ask({ ...asked, token })).body).toMatchObject({ data: { customer: null } });
    const other = await ask({ ...asked, headers: { 'mortar-purpose': 'PERSONALIZATION' } });
    expect(other.body).toMatchObject({ data: { customer: { email: null } } });
    gateway.behavior.verdict = () => ({ allowed: false, reason: 'CONSENT_REQUIRED' });
    expect((await ask(asked)).body).toMatchObject({ data: { customer: { email: null } } });
    expect(apollo).not.toHaveBeenCalled();
  });

  const twoPurposes = () => issuer.issue({ purposes: ['SERVICE_SUPPORT', 'MARKETING'], scope: ALL_BUT_PRIVACY });
  it.each<[string, Asked, Partial<Asked>, number]>([
    ['variables do not fit', { query: PAGE, variables: { first: 3 } }, { variables: { first: 'many' } }, 400],
    ['a page is too large', { query: PAGE, variables: { first: 3 } }, { variables: { first: 51 } }, 400],
    ['it names no operation', { query: TWO, operationName: 'One' }, {}, 400],
    ['its name is none', { query: TWO, operationName: 'One' }, { operationName: 'Three' }, 400],
    ['nobody asks', { query: '{ product(sku: "f") { sku } }' }, { token: null }, 401],
    [
      'no answer would be accepted',
      { query: '{ product(sku: "g") { sku } }' },
      { headers: { accept: 'text/html' } },
      406,
    ],
    ['variables are no object', { query: PAGE, variables: { first: 3 } }, { variables: [1] }, 400],
    ['its name is no text', { query: TWO, operationName: 'One' }, { operationName: 1 }, 400],
  ])('is refused in Apollo Server’s words when %s', async (_name, asked, change, status) => {
    await askKnown(asked);
    const wrong = { ...asked, operationName: undefined, ...change };
    const expected = await askNew(wrong);
    expect(await askKnown(wrong)).toEqual(expected);
    expect(expected.status).toBe(status);
  });

  it('is refused by the planner as Apollo Server tells it, with its trace', async () => {
    const query =
      'query Q($representations: Boolean!) { customer(id: 1) { points p: points @include(if: $representations) } }';
    const headers = { accept: 'application/graphql-response+json', 'mortar-trace': 'on' };
    const token = await issuer.issue({ scope: `${ALL_BUT_PRIVACY} systems:read` });
    await askKnown({ query: '{ product(sku: "m") { sku } }', headers });
    const asked = { query, variables: { representations: true }, headers, token };
    const withoutTimes = ({ body, ...rest }: Awaited<ReturnType<typeof ask>>) => ({
      ...rest,
      body: JSON.stringify(body).replaceAll(/"(?:at|elapsedMs|startMs)":(?:"[^"]*"|[\d.]+)/g, ''),
    });
    const expected = withoutTimes(await askNew(asked));
    expect(withoutTimes(await askKnown(asked))).toEqual({ ...expected, apollo: 0 });
    expect(expected.body).toContain('"errors":[{"code":');
    expect(expected.status).toBe(500);
  });

  it('is refused when personal fields are asked and no purpose is declared', async () => {
    const asked = { query: '{ customer(id: 1) { name } }' };
    await askKnown(asked);
    const { app } = gateway;
    const headers = { authorization: `Bearer ${await twoPurposes()}`, 'x-request-id': 'same-id' };
    const refused = await app.inject({ method: 'POST', url: '/graphql', headers, payload: asked });
    expect(refused.json()).toMatchObject({ errors: [{ extensions: { code: 'PURPOSE_REQUIRED' } }] });
    expect(gateway.behavior.fetches.length).toBe(2);
  });

  it('is executed once, also when it changes something and fails', async () => {
    const asked = { query: 'mutation { rename(id: 1) { id points } }' };
    await askKnown(asked);
    gateway.behavior.fetches.length = 0;
    const points = vi.spyOn(gateway.behavior, 'points').mockImplementation(() => {
      throw new Error('no');
    });
    expect((await ask(asked)).body).toMatchObject({ data: { rename: { points: null } } });
    points.mockRestore();
    expect(gateway.behavior.fetches.filter(({ text }) => text.includes('mutation'))).toHaveLength(1);
  });
});

describe('what Apollo Server alone answers', () => {
  it.each<[string, Asked]>([
    [
      'a persisted query',
      { query: '{ product(sku: "h") { sku } }', extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } } },
    ],
    ['a document nobody sent before', { query: '{ product(sku: "i") { sku title } }' }],
    ['a document that is not valid', { query: '{ product(sku: "i") { nothing } }' }],
    ['a subscription', { query: 'subscription { customerChanged(id: 1) { id } }' }],
  ])('is %s', async (_name, asked) => {
    if (asked.extensions !== undefined) await askKnown({ query: asked.query });
    expect((await ask(asked)).apollo).toBe(1);
  });

  it('is a subscription in a document whose query is known', async () => {
    const query = 'query Now { product(sku: "l") { sku } } subscription Then { customerChanged(id: 1) { id } }';
    expect((await askKnown({ query, operationName: 'Now' })).apollo).toBe(0);
    expect(await ask({ query, operationName: 'Then' })).toMatchObject({ status: 400, apollo: 1 });
  });

  it('is what a client takes that was not seen before', async () => {
    const asked = { query: '{ product(sku: "j") { sku } }' };
    await askKnown(asked);
    const headers = { accept: 'application/json;q=0.9, */*;q=0.1' };
    expect((await ask({ ...asked, headers })).apollo).toBe(1);
    expect((await ask({ ...asked, headers })).apollo).toBe(0);
  });

  it('is a document that was known to the graph before', async () => {
    const asked = { query: '{ product(sku: "k") { sku stock } }' };
    expect((await askKnown(asked)).apollo).toBe(0);
    const sdl = composeSubgraphs(createFixtureSubgraphs(aFixtureBehavior()));
    expect(await gateway.supergraph.offer(`${sdl}\n# another`)).toBe('swapped');
    expect((await ask(asked)).apollo).toBe(1);
    expect((await ask(asked)).apollo).toBe(0);
  });
});
