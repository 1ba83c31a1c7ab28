import { expect, it, onTestFinished } from 'vitest';

import type { Answer } from '#test/support/gateway.ts';
import { type Subscription, subscribeTo } from '#test/support/live.ts';
import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();

async function subscribe(
  client: string,
  query: string,
  { variables, purpose, customer }: { variables: Record<string, unknown>; purpose?: string; customer?: string },
): Promise<Subscription> {
  const { token, urls } = product();
  const headers = {
    authorization: `Bearer ${await token(client, customer === undefined ? {} : { customer })}`,
    ...(purpose === undefined ? {} : { 'mortar-purpose': purpose }),
  };
  const live = subscribeTo(urls.graph, { query, variables, headers });
  onTestFinished(() => live.leave());
  return live;
}

const emailOf = ({ data }: Answer) => (data?.['customerChanged'] as { email: string | null } | null)?.email;

const CUSTOMER =
  'subscription Live($id: ID!) { customerChanged(id: $id) { id email consents { purpose { id } state } } }';

/** A customer who consents to marketing by e-mail. */
async function aConsenting(): Promise<string> {
  const { ask, token } = product();
  const marketing = { token: await token('marketer'), purpose: 'MARKETING' };
  const answer = await ask('{ customers(first: 50) { nodes { id email } } }', marketing);
  const found = answer.data.customers.nodes.find(({ email }: { email: string | null }) => email !== null);
  return String(found.id);
}

async function decide(customer: string, mutation: 'withdrawConsent' | 'recordConsent') {
  const { ask, token } = product();
  const kind = mutation === 'withdrawConsent' ? 'WithdrawConsentInput' : 'RecordConsentInput';
  const input = {
    customer,
    purpose: 'MARKETING',
    idempotencyKey: crypto.randomUUID(),
    ...(mutation === 'recordConsent' ? { decision: 'GRANT' } : {}),
  };
  const answer = await ask(`mutation($input: ${kind}!) { ${mutation}(input: $input) { __typename } }`, {
    token: await token('customer-app', { customer }),
    variables: { input },
  });
  expect(answer.data).toEqual({ [mutation]: { __typename: 'ConsentRecorded' } });
}

it('an e-mail address is gone from the event after its owner withdrew, and back after a grant', async () => {
  const customer = await aConsenting();
  const marketer = await subscribe('marketer', CUSTOMER, { variables: { id: customer }, purpose: 'MARKETING' });
  expect(emailOf(await marketer.next())).toContain('@');
  await decide(customer, 'withdrawConsent');
  const withdrawn = await marketer.next();
  expect(emailOf(withdrawn)).toBeNull();
  expect(withdrawn.extensions['consent']).toMatchObject([{ coordinate: 'Customer.email', purpose: 'MARKETING' }]);
  await decide(customer, 'recordConsent');
  expect(emailOf(await marketer.next())).toContain('@');
});

it('somebody else’s customer is null, and stays silent whatever happens to them', async () => {
  const customer = await aConsenting();
  const { ask, token } = product();
  const all = await ask('{ customers(first: 50) { nodes { id } } }', { token: await token('associate') });
  const other = String(all.data.customers.nodes.find(({ id }: { id: string }) => id !== customer).id);
  const stranger = await subscribe('customer-app', CUSTOMER, { variables: { id: customer }, customer: other });
  expect((await stranger.next()).data).toEqual({ customerChanged: null });
  const own = await subscribe('customer-app', CUSTOMER, { variables: { id: customer }, customer });
  await own.next();
  await decide(customer, 'withdrawConsent');
  await own.next();
  await decide(customer, 'recordConsent');
  await own.next();
  expect(stranger.waiting()).toBe(0);
});

it('a sale at a till arrives with the figure its authority states', async () => {
  const { world, event, ask, token } = product();
  const truth = await world();
  const row = truth.stock.find(
    ({ authority, onHand, committed }) => authority?.system === 'pos' && onHand - committed > 5,
  );
  const sku = String(row?.sku);
  const quiet = String(truth.products.find((entry) => entry.sku !== sku)?.sku);
  const query = `subscription Shelf($skus: [Sku!]!) { stockChanged(skus: $skus, channel: "store") {
    sku quantity { value provenance { lane stale degraded } } } }`;
  const live = await subscribe('storefront', query, { variables: { skus: [quiet, sku] } });
  const rows = ({ data }: Answer) =>
    data?.['stockChanged'] as { sku: string; quantity: { value: number; provenance: { stale: boolean } } }[];
  const first = rows(await live.next());
  expect(first.map((entry) => entry.sku)).toEqual([quiet, sku]);
  await event({ kind: 'sale', sku, place: String(row?.place), quantity: 3 });
  const [changed, ...others] = rows(await live.next());
  expect(others).toEqual([]);
  expect(changed).toEqual({
    sku,
    quantity: {
      value: (first[1]?.quantity.value ?? 0) - 3,
      provenance: { lane: 'DERIVED', stale: false, degraded: false },
    },
  });
  const now = await ask(
    'query($skus: [Sku!]!) { availability(skus: $skus, channel: "store") { quantity { value } } }',
    {
      token: await token('storefront'),
      variables: { skus: [sku] },
    },
  );
  expect(now.data.availability[0].quantity.value).toBe(changed?.quantity.value);
}, 30_000);

it('a stream that was left is open no more', async () => {
  const { metric, world } = product();
  const { products } = await world();
  const skus = products.slice(0, 3).map(({ sku }) => sku);
  const query =
    'subscription ($skus: [Sku!]!) { stockChanged(skus: $skus, channel: "web") { sku quantity { value } } }';
  const live = await subscribe('storefront', query, { variables: { skus } });
  await live.next();
  expect(await metric('mortar_streams_open', { field: 'stockChanged' })).toBeGreaterThan(0);
  live.leave();
  await expect.poll(() => metric('mortar_streams_open'), { timeout: 10_000 }).toBe(0);
}, 30_000);

it('without a token, or with one that is none, there is no stream', async () => {
  const { urls } = product();
  const body = JSON.stringify({ query: CUSTOMER, variables: { id: 'cus_x' } });
  for (const token of ['Bearer nonsense', 'Bearer ']) {
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream', authorization: token };
    const response = await fetch(urls.graph, { method: 'POST', headers, body });
    expect([response.status, await response.text()]).toEqual([401, expect.stringContaining('UNAUTHENTICATED')]);
  }
});
