import { createHmac, randomUUID } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { type DeployedProduct, deployProduct } from '#test/support/own-issuer.ts';

// No feed would ask by itself while these tests run: what arrives, arrived by webhook.
const SELDOM = (text: string): string =>
  text.replaceAll(/^ {4}options:$/gm, '    options:\n      feedIntervalSeconds: 3600');
const STOCK =
  'query Stock($sku: Sku!) { product(sku: $sku) { stock(first: 50) { nodes { location { id } onHand { value provenance { lane stale } } } } } }';

interface Level {
  readonly location: { readonly id: string };
  readonly onHand: { readonly value: number | null; readonly provenance: { readonly lane: string } } | null;
}

async function firstLoad({ product }: DeployedProduct): Promise<void> {
  await expect
    .poll(async () => (await fetch(`${product.urls.base}/readyz`)).status, { timeout: 60_000, interval: 200 })
    .toBe(200);
}

describe('webhooks of the sandbox', () => {
  it('bring a count of a till into the graph at once', async () => {
    await using deployed = await deployProduct({ configure: SELDOM });
    const { product, control, issuer } = deployed;
    await firstLoad(deployed);
    const wired = await fetch(`${control}/webhooks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ to: product.urls.webhooks }),
    });
    expect(wired.status).toBe(200);
    const world = await product.world();
    const row = world.stock.find(({ place, onHand }) => place.startsWith('S') && onHand > 5);
    const home = world.places.find(({ code }) => code === row?.place)?.home.locationId;
    const { sku = '', place = '' } = row ?? {};
    const token = await issuer.issue({ scope: 'catalog:read inventory:read' });
    const told = async () => {
      const answer = await product.ask(STOCK, { token, variables: { sku } });
      const nodes: readonly Level[] = answer.data?.product?.stock.nodes ?? [];
      return nodes.find(({ location }) => location.id === home)?.onHand?.value ?? answer.text.slice(0, 500);
    };
    expect(await told()).toBe(row?.onHand);
    const read = async () => (await product.calls()).pos['POST /v2/inventory/counts/batch-retrieve'] ?? 0;
    const before = await read();
    await product.event({ kind: 'adjustment', sku, place, onHand: 77 });
    // Which items changed, then their counts.
    await expect.poll(read, { timeout: 20_000, interval: 50 }).toBe(before + 2);
    const sent = (await (await fetch(`${control}/webhooks`)).json()) as object;
    expect(sent).toEqual({ pos: { delivered: 1, failed: 0, lastStatus: 200 } });
    // The tills are away: what answers now is what the webhook brought.
    await product.fault({ system: 'pos', fault: 'error', value: 1 });
    await expect.poll(told, { timeout: 20_000, interval: 100 }).toBe(77);
  }, 120_000);

  it('are answered although the feed they name hangs; replays and forgeries start nothing', async () => {
    await using deployed = await deployProduct({ configure: SELDOM });
    const { product } = deployed;
    await firstLoad(deployed);
    await product.fault({ system: 'pos', fault: 'hang', value: 1 });
    const url = `${product.urls.webhooks}/webhooks/pos`;
    const body = JSON.stringify({ event_id: randomUUID(), type: 'inventory.count.updated' });
    const post = async (key: string) => {
      const signature = createHmac('sha256', key).update(url).update(body).digest('base64');
      const headers = { 'content-type': 'application/json', 'x-square-hmacsha256-signature': signature };
      const answer = await fetch(url, { method: 'POST', headers, body });
      return [answer.status, ((await answer.json()) as { status?: string }).status];
    };
    const key = 'sandbox-square-signature-key';
    expect([await post('another key'), await post(key), await post(key)]).toEqual([
      [401, undefined],
      [200, 'accepted'],
      [200, 'replayed'],
    ]);
    await product.reset();
  }, 120_000);
});
