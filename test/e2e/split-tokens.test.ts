import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer, HeaderMap } from '@apollo/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { stripSecurity } from '#gateway/composition.ts';
import { SUBGRAPH_NAMES } from '#gateway/config-schema.ts';
import { readSupergraph } from '#gateway/supergraph.ts';
import { customersOf, loners, profileKey } from '#test/support/customers.ts';
import { type SplitProduct, startSplitProduct } from '#test/support/split-product.ts';
import { canSplit } from '#test/support/split-services.ts';

const EMAILS = '{ customers(first: 50) { nodes { id email } } }';
const WITHDRAW = `mutation($input: WithdrawConsentInput!) { withdrawConsent(input: $input) { __typename } }`;
const HANDED_ON = ['authorization', 'mortar-purpose', 'mortar-medium'];

type Headers = Readonly<Record<string, string>>;
interface Answered {
  readonly data?: { readonly customers: { readonly nodes: readonly { id: string; email: string | null }[] } };
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
}

/** A federation router that is not ours and knows nothing of scopes or consent: it hands the caller's headers on. */
async function startForeignRouter(product: SplitProduct) {
  const supergraphSdl = stripSecurity(readSupergraph()).replaceAll(
    /mortar:\/\/(\w+)/g,
    (_, name: (typeof SUBGRAPH_NAMES)[number]) => `${product.subgraphs[name].base}/graphql`,
  );
  const gateway = new ApolloGateway({
    supergraphSdl,
    buildService: ({ url }) =>
      new RemoteGraphQLDataSource<Headers>({
        url: url ?? '',
        willSendRequest: ({ request, context }) => {
          for (const name of HANDED_ON) if (context[name] !== undefined) request.http?.headers.set(name, context[name]);
        },
      }),
  });
  const server = new ApolloServer<Headers>({ gateway, stopOnTerminationSignals: false });
  await server.start();
  const ask = async (query: string, headers: Headers): Promise<Answered> => {
    const { body } = await server.executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        method: 'POST',
        headers: new HeaderMap([['content-type', 'application/json']]),
        search: '',
        body: { query },
      },
      context: () => Promise.resolve(headers),
    });
    return JSON.parse(body.kind === 'complete' ? body.string : '{}') as Answered;
  };
  return { ask, stop: () => server.stop() };
}

describe.skipIf(!canSplit)('subgraphs that trust tokens', () => {
  let product: SplitProduct;
  beforeAll(async () => {
    const entries = SUBGRAPH_NAMES.map((name) => `  - { name: ${name}, trust: token }\n`).join('');
    product = await startSplitProduct({
      configure: (text) => `${text}subgraphs:\n${entries}`,
      environment: { MORTAR_KEY_CONTEXT: undefined, MORTAR_KEY_CONTEXT_PUBLIC: undefined },
    });
  }, 120_000);
  afterAll(async () => product?.[Symbol.asyncDispose]());

  it('enforce consent behind a router that is not ours, up to the last withdrawal', async () => {
    const router = await startForeignRouter(product);
    try {
      const profiles = loners(await product.world(), 'crm').slice(0, 200);
      const ids = await customersOf(product, profiles);
      const headers = { authorization: `Bearer ${await product.token('marketer')}`, 'mortar-purpose': 'MARKETING' };
      const before = (await router.ask(EMAILS, headers)).data?.customers.nodes ?? [];
      const open = before.filter(({ email }) => email !== null);
      expect(open.length).toBeGreaterThan(0);
      expect(open.length).toBeLessThan(before.length);
      const known = new Map(profiles.map((profile) => [ids.get(profileKey(profile)), profile.email]));
      for (const { id, email } of open) expect(email).toBe(known.get(id) ?? email);
      const [person] = open;
      const customer = person?.id ?? '';
      const input = { customer, purpose: 'MARKETING', idempotencyKey: 'behind-another-router' };
      await product.ask(WITHDRAW, { token: await product.token('customer-app', { customer }), variables: { input } });
      const after = (await router.ask(EMAILS, headers)).data?.customers.nodes ?? [];
      expect(after.find(({ id }) => id === customer)).toEqual({ id: customer, email: null });
    } finally {
      await router.stop();
    }
  });

  it('answer nobody without a valid token, and no purpose the token lacks', async () => {
    const post = async (headers: Headers): Promise<[number, Answered]> => {
      const response = await fetch(`${product.subgraphs.customers.base}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query: EMAILS }),
      });
      return [response.status, (await response.json()) as Answered];
    };
    const authorization = `Bearer ${await product.token('marketer')}`;
    for (const headers of [{}, { authorization: 'Bearer nonsense' }, { 'mortar-context': 'e30.e30.' }] as Headers[]) {
      const [status, answer] = await post(headers);
      expect([status, answer.errors?.[0]?.extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
    }
    const [status, answer] = await post({ authorization, 'mortar-purpose': 'ORDER_FULFILLMENT' });
    expect([status, answer.errors?.[0]?.extensions.code]).toEqual([403, 'PURPOSE_NOT_ALLOWED']);
    const [, none] = await post({ authorization });
    expect(none.data?.customers.nodes.filter(({ email }) => email !== null)).toEqual([]);
  });

  it('are served by our gateway too, which then hands the token on', async () => {
    const answer = await product.ask(EMAILS, { token: await product.token('marketer'), purpose: 'MARKETING' });
    expect(answer.errors).toEqual([]);
    const emails = answer.data.customers.nodes.map(({ email }: { email: string | null }) => email);
    expect(emails).toContain(null);
    expect(emails.some((email: string | null) => email !== null)).toBe(true);
  });
});
