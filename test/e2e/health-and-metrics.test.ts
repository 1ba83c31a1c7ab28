import { expect, it } from 'vitest';

import { skipsInSplitMode } from '#test/support/e2e-mode.ts';
import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();

it('answers /livez, and /readyz with the state of systems and first load', async () => {
  const { urls } = product();
  const live = await fetch(`${urls.base}/livez`);
  expect([live.status, await live.json()]).toEqual([200, { status: 'alive' }]);
  const ready = await fetch(`${urls.base}/readyz`);
  expect(ready.status).toBe(200);
  const body: unknown = await ready.json();
  expect(body).toMatchObject({ status: 'ready', missing: [], load: { done: true } });
  expect(ready.headers.get('cache-control')).toBe('no-store');
});

it('serves Prometheus metrics on their own port, and not on the main one', async () => {
  const { urls, ask, token, metric } = product();
  await ask('{ products(first: 1) { nodes { sku } } }', { token: await token('storefront') });
  expect(await metric('mortar_requests_total', { outcome: 'ok' })).toBeGreaterThan(0);
  expect(await metric('mortar_upstream_calls_total', { system: 'crm' })).toBeGreaterThan(0);
  expect(await metric('process_resident_memory_bytes')).toBeGreaterThan(0);
  expect((await fetch(`${urls.base}/metrics`)).status).toBe(404);
});

it('names the issuer at /.well-known/oauth-protected-resource', async () => {
  const { urls } = product();
  const body: unknown = await (await fetch(`${urls.base}/.well-known/oauth-protected-resource`)).json();
  expect(body).toMatchObject({ resource: urls.graph, authorization_servers: [urls.issuer] });
});

it.skipIf(skipsInSplitMode('the summary of one process'))(
  'prints where everything is, the systems with their state, and how to get a token',
  () => {
    const output = product().process.stdout();
    expect(output).toContain('/graphiql');
    expect(output).toMatch(/● erp +UP +erp-business-central/);
    expect(output).toMatch(/token associate/);
    expect(output).toContain('Ctrl-C');
  },
);
