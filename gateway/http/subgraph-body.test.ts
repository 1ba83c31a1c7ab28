import { afterEach, expect, it, vi } from 'vitest';

import type { VerifyToken } from '#gateway/auth/verify-token.ts';
import { contextOfPair, subgraphServer } from '#test/support/federation/served-subgraph.ts';
import { aFixtureBehavior, createFixtureSubgraphs } from '#test/support/gateway.ts';
import { aRequest } from '#test/support/people-subgraph.ts';

const { sign, verify } = contextOfPair();
const trust = { context: verify };
const behavior = aFixtureBehavior();
const [, shop] = createFixtureSubgraphs(behavior);
if (shop === undefined) throw new Error('there are two');
const app = subgraphServer(shop, { trust });
afterEach(() => vi.restoreAllMocks());

const signed = (body: string) => {
  const { requestId, principal, purpose, medium } = aRequest();
  const facts = { requestId, principal, purpose, medium, timeLeftMs: 5_000 };
  return { 'mortar-context': sign(facts, { subgraph: 'shop', body }) };
};

interface Sent {
  readonly body: string;
  readonly headers: Record<string, string>;
  readonly url?: string;
}

async function post(server: typeof app, { body: payload, headers, url = '/graphql' }: Sent) {
  const given = { 'content-type': 'application/json', ...headers };
  const answer = await server.inject({ method: 'POST', url, headers: given, payload });
  const { errors } = answer.json<{ errors?: { message: string; extensions: { code: string } }[] }>();
  return { status: answer.statusCode, code: errors?.[0]?.extensions.code, why: errors?.[0]?.message };
}

it.each(['/graphql', '/live'])('a subgraph parses at %s nothing that nobody signed', async (url) => {
  const parse = vi.spyOn(JSON, 'parse');
  const headers = signed('another body');
  for (const body of ['{"query":', '['.repeat(7 * 2 ** 20), `[${'{},'.repeat(2 ** 21)}{}]`])
    // oxlint-disable-next-line no-await-in-loop -- three
    expect((await post(app, { body, headers, url })).status).toBe(401);
  // The claims of the context and the answers of this test are shorter.
  expect(parse.mock.calls.filter(([text]) => text.length > 5_000 || text.startsWith('{"query'))).toEqual([]);
});

it('a signature changes something once, and reads as often as it likes', async () => {
  const body = JSON.stringify({ query: 'mutation { rename(id: 1) { id } }' });
  const headers = signed(body);
  expect((await post(app, { body, headers })).status).toBe(200);
  expect(await post(app, { body, headers })).toMatchObject({
    status: 401,
    why: 'The mortar-context was used for a mutation before.',
  });
  expect(behavior.fetches).toHaveLength(1);
  expect((await post(app, { body, headers: signed(body) })).status).toBe(200);
  const query = JSON.stringify({ query: '{ product(sku: 1) { sku } }' });
  const reading = { body: query, headers: signed(query) };
  expect([(await post(app, reading)).status, (await post(app, reading)).status]).toEqual([200, 200]);
});

it('a subgraph bounds the JSON of who is no gateway of ours, by far more entities than a page has', async () => {
  const token: VerifyToken = (given) => Promise.resolve(given === undefined ? null : aRequest().principal);
  const routed = subgraphServer(shop, { trust: { token }, openSchema: true });
  const headers = { authorization: 'Bearer good', 'mortar-purpose': 'MARKETING' };
  const entities = (count: number) =>
    JSON.stringify({
      query: 'query E($representations: [_Any!]!) { _entities(representations: $representations) { __typename } }',
      variables: { representations: Array.from({ length: count }, (_, sku) => ({ __typename: 'Product', sku })) },
    });
  const refused = (code: string) => ({ status: 400, code });
  expect((await post(routed, { body: entities(5_000), headers })).status).toBe(200);
  expect(await post(routed, { body: entities(40_000), headers })).toMatchObject(refused('LIMIT_LIST'));
  expect(await post(routed, { body: '['.repeat(7 * 2 ** 20), headers })).toMatchObject(refused('LIMIT_DEPTH'));
  const strange = { body: `[${'{},'.repeat(30_000)}{}]`, headers: {} };
  expect(await post(routed, strange)).toMatchObject(refused('LIMIT_LIST'));
});
