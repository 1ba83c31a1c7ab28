import { once } from 'node:events';

import { type Bench, type Captured, type Check, type CheckKind } from '#test/support/official/checks.ts';
import { hubspotChecks } from '#test/support/official/hubspot.ts';
import { squareChecks } from '#test/support/official/square.ts';
import type { Evidence, Reporter } from '#test/support/evidence.ts';
import type { Product } from '#test/support/product-client.ts';
import { startProduct } from '#test/support/product.ts';
import { startUpstream } from '#test/support/scripted-upstream.ts';
import { sabotageArguments } from './sabotage.ts';

const KINDS: readonly CheckKind[] = ['reads', 'writes', '429', 'webhooks'];

export const officialClients: Evidence = {
  name: 'official-clients',
  summary:
    "Square's and HubSpot's own clients work with the sandbox, and their signatures with our webhooks, both ways",
  sabotages: ['webhook-signature'],
  run: async (report) => {
    await using product = await startProduct({ seed: report.seed, nodeArguments: sabotageArguments(report.sabotage) });
    const bench = createBench(product);
    const clients = { square: await squareChecks(bench), '@hubspot/api-client': await hubspotChecks(bench) };
    // One after the other: the sandbox's webhooks have one address at a time.
    for (const [client, checks] of Object.entries(clients)) await prove(report, client, checks);
  },
};

async function prove(report: Reporter, client: string, checks: readonly Check[]): Promise<void> {
  for (const kind of KINDS) {
    const asked = checks.filter((check) => check.kind === kind && (report.sabotage === null || kind === 'webhooks'));
    let right = 0;
    for (const { name, holds } of asked) {
      const found = await holds().catch((error: unknown) => String(error));
      if (found === true) right += 1;
      else report.progress(`${client}: not so: ${name}${found === false ? '' : ` (${found})`}`);
    }
    if (asked.length === 0) continue;
    report.progress(`${client}: ${right} of ${asked.length} ${kind}`);
    const shared = { name: 'official-clients', unit: 'checks', median: null, spread: null };
    report.row({
      ...shared,
      metric: `${client}: ${kind} that hold`,
      value: right,
      n: asked.length,
      target: asked.length,
      ok: right === asked.length,
    });
  }
}

function createBench(product: Product): Bench {
  const control = `${product.urls.control}/webhooks`;
  const deliverTo = async (to: string): Promise<void> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(control, { method: 'POST', headers, body: JSON.stringify({ to }) });
    if (!answer.ok) throw new Error(`the control port answered ${answer.status}`);
  };
  const capture = async (change: () => Promise<unknown>): Promise<Captured> => {
    const came = Promise.withResolvers<Captured>();
    await using taker = await startUpstream(({ url, headers, body }, response) => {
      response.writeHead(200).end('{}');
      const plain = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
      came.resolve({ url: `${taker.url}${url}`, headers: Object.fromEntries(plain), body });
    });
    await deliverTo(taker.url);
    const changed = change();
    const within = AbortSignal.timeout(20_000);
    const late = once(within, 'abort').then(() => {
      throw new Error('no delivery came');
    });
    const captured = await Promise.race([came.promise, late, changed.then(() => came.promise)]);
    await changed;
    await deliverTo(product.urls.webhooks);
    return captured;
  };
  return {
    product,
    deliverTo,
    delivered: async () => (await (await fetch(control)).json()) as Awaited<ReturnType<Bench['delivered']>>,
    captured: capture,
  };
}
