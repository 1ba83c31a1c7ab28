import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SUBGRAPH_NAMES } from '#gateway/config-schema.ts';
import { createContextPair } from '#test/support/context-keys.ts';
import { runMortar } from '#test/support/mortar-process.ts';
import { RIGHT, serveLoyalty } from '#test/support/loyalty-subgraph.ts';
import { createProductClient, readMetric, waitForReady } from '#test/support/product-client.ts';
import { type SplitProduct, startSplitProduct } from '#test/support/split-product.ts';
import { canSplit } from '#test/support/split-services.ts';

describe.skipIf(!canSplit)('a graph in parts', () => {
  let product: SplitProduct;
  beforeAll(async () => {
    product = await startSplitProduct();
  }, 120_000);
  afterAll(async () => product?.[Symbol.asyncDispose]());

  it('answers one query over all subgraphs, with refusals and sources as in one process', async () => {
    const answer = await product.ask(
      `{ products(first: 2) { nodes { sku availability(channel: "web") { quantity { value } } } }
         customers(first: 50) { nodes { id email orders(first: 1) { nodes { id } } } } }`,
      { token: await product.token('marketer'), purpose: 'MARKETING' },
    );
    expect(answer.status).toBe(200);
    expect(answer.data.products.nodes).toHaveLength(2);
    const emails = answer.data.customers.nodes.map(({ email }: { email: string | null }) => email);
    expect(emails).toContain(null);
    expect(emails.some((email: string | null) => email !== null)).toBe(true);
    expect(answer.consent).toContainEqual(
      expect.objectContaining({ coordinate: 'Customer.email', reason: 'CONSENT_REQUIRED' }),
    );
    for (const name of SUBGRAPH_NAMES) {
      const { run } = product.subgraphs[name];
      expect(run.stderr()).not.toMatch(/"level":"?(50|60|error|fatal)/);
    }
  });

  it.each(SUBGRAPH_NAMES)('%s refuses whoever is not the gateway, whatever they send', async (name) => {
    const bearer = await product.token('privacy-officer');
    const post = async (headers: Readonly<Record<string, string>>) => {
      const response = await fetch(`${product.subgraphs[name].base}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query: '{ _entities(representations: []) { __typename } }' }),
      });
      return [response.status, ((await response.json()) as { data?: unknown }).data ?? null];
    };
    const refused = [401, null];
    expect(await post({ authorization: `Bearer ${bearer}`, 'mortar-purpose': 'SERVICE_SUPPORT' })).toEqual(refused);
    expect(await post({ 'mortar-context': bearer })).toEqual(refused);
    expect(await post({ 'mortar-context': 'e30.e30.' })).toEqual(refused);
    expect(await post({})).toEqual(refused);
  });

  it('has every process ready, and each its metrics', async () => {
    for (const { base, metrics } of Object.values(product.subgraphs)) {
      expect((await fetch(`${base}/readyz`)).status).toBe(200);
      expect(await (await fetch(metrics)).text()).toContain('process_resident_memory_bytes');
    }
    expect(await product.metric('mortar_upstream_calls_total', { system: 'crm' })).toBeGreaterThan(0);
  });

  it('has a gateway of its own serve a subgraph of others beside ours', async () => {
    await using loyalty = await serveLoyalty();
    const folder = mkdtempSync(join(tmpdir(), 'mortar-beside-'));
    try {
      const file = loyalty.composedInto(folder);
      const urls = SUBGRAPH_NAMES.map((name) => `--subgraph-url=${name}=${product.subgraphs[name].base}/graphql`);
      const gateway = await product.startPart(['--role=gateway', `--supergraph=${file}`, ...urls]);
      await waitForReady(gateway.run, gateway.base, 30_000);
      const { ask } = createProductClient({ ...product.urls, graph: `${gateway.base}/graphql` });
      const answer = await ask(loyalty.query, { token: await product.token('marketer'), purpose: 'MARKETING' });
      expect(loyalty.judge(answer)).toEqual(RIGHT);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);

  it('tells of a system that fails, whichever process sees it fail', async () => {
    await product.fault({ system: 'pos', fault: 'error', value: 1 });
    const [storefront, analyst] = await Promise.all([product.token('storefront'), product.token('analyst')]);
    const stateOf = async (): Promise<string> => {
      await product.ask('{ products(first: 1) { nodes { stock(first: 1) { nodes { onHand { value } } } } } }', {
        token: storefront,
      });
      const answer = await product.ask('{ systems { id state } }', { token: analyst });
      return answer.data.systems.find(({ id }: { id: string }) => id === 'pos').state;
    };
    try {
      await expect.poll(stateOf, { timeout: 20_000, interval: 200 }).not.toBe('UP');
    } finally {
      await product.reset();
    }
  }, 40_000);

  it('costs the fields of a subgraph that stops, and nothing else; the process ends with 0', async () => {
    const { run } = product.subgraphs.orders;
    process.kill(run.pid, 'SIGTERM');
    expect(await run.ended).toBe(0);
    expect(run.stdout()).toContain('Stopping');
    const answer = await product.ask('{ purposes { id } orders(first: 1) { nodes { id } } }', {
      token: await product.token('privacy-officer'),
    });
    expect(answer.data).toMatchObject({ purposes: expect.any(Array), orders: null });
    expect(answer.errors).toMatchObject([{ path: ['orders'], extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }]);
  });

  it('has the feeds of a killed process read by another of its kind, which reads none before', async () => {
    const { startPart, subgraphs } = product;
    const spare = await startPart(['--role=subgraph', '--name=customers']);
    await expect.poll(async () => (await fetch(`${spare.base}/readyz`)).status, { timeout: 30_000 }).toBe(200);
    const calls = async () => readMetric(spare.metrics, 'mortar_upstream_calls_total', {});
    expect(await calls()).toBe(0);
    process.kill(subgraphs.customers.run.pid, 'SIGKILL');
    await expect.poll(calls, { timeout: 40_000 }).toBeGreaterThan(0);
  }, 90_000);
});

describe('a part that cannot start says why in a sentence and ends with 1', () => {
  const { privatePem, publicPem } = createContextPair();
  const services = { DATABASE_URL: 'postgres://127.0.0.1:1/none', REDIS_URL: 'redis://127.0.0.1:1' };
  const keys = { MORTAR_KEY_CONTEXT: privatePem, MORTAR_KEY_CONTEXT_PUBLIC: publicPem };
  const URLS = SUBGRAPH_NAMES.map((name) => `--subgraph-url=${name}=http://127.0.0.1:1/graphql`);

  it.each([
    [
      'a subgraph without services',
      ['--role=subgraph', '--name=orders'],
      keys,
      'set DATABASE_URL (PostgreSQL) and REDIS_URL',
    ],
    ['an unknown subgraph', ['--role=subgraph', '--name=order'], { ...services, ...keys }, 'did you mean "orders"?'],
    [
      'a subgraph without the key of its gateway',
      ['--role=subgraph', '--name=orders'],
      services,
      'MORTAR_KEY_CONTEXT_PUBLIC',
    ],
    [
      'a gateway that does not know where a subgraph is',
      ['--role=gateway', ...URLS.slice(1)],
      keys,
      'no address is known of catalog',
    ],
    ['a gateway without its key', ['--role=gateway', ...URLS], {}, 'MORTAR_KEY_CONTEXT'],
    [
      'a gateway without its supergraph',
      ['--role=gateway', '--supergraph=/nowhere.graphql'],
      keys,
      'cannot read /nowhere.graphql',
    ],
    ['a gateway over what is no GraphQL', ['--role=gateway', '--supergraph=README.md'], keys, 'it is not GraphQL'],
    ['a process over what is no supergraph', ['--supergraph=schema/shared.graphql'], {}, 'it is no supergraph'],
    ['a name without a role', ['--name=orders'], {}, '--name belongs to --role subgraph'],
  ])('%s', async (_, given, environment, message) => {
    const result = await runMortar({
      arguments: ['serve', '--port=0', '--metrics-port=0', '--config=test/e2e/fixtures/parts.config.yaml', ...given],
      environment,
    });
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toMatch(/ {4}at /);
  });
});
