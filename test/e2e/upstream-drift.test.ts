import { expect, it } from 'vitest';

import { skipsInSplitMode } from '#test/support/e2e-mode.ts';
import { deployProduct } from '#test/support/own-issuer.ts';
import { startUpstream } from '#test/support/scripted-upstream.ts';

const ORDERS = `query Orders($after: String) { orders(first: 100, after: $after) {
  nodes { references { system externalId state } } pageInfo { hasNextPage endCursor } } }`;

interface Reference {
  readonly system: string;
  readonly externalId: string;
  readonly state: string;
}
interface SquareOrders {
  orders?: { id: string; state: string }[];
}

it.skipIf(skipsInSplitMode('the metrics of one process'))(
  'a vendor that changes its answers is a metric, never a failed read: what can be read is read',
  async () => {
    let till: URL | null = null;
    let moon = '';
    // The tills of a Square that knows a new state, new fields, and rows of another shape.
    await using drifting = await startUpstream(async ({ method, url, headers, body }, response) => {
      const { host: _host, connection: _connection, 'content-length': _length, ...rest } = headers;
      const init = { method, headers: rest as Record<string, string>, ...(body !== '' && { body }) };
      const answer = await fetch(new URL(url, till ?? undefined), init);
      const read = JSON.parse((await answer.text()) || 'null') as SquareOrders | null;
      if (read?.orders !== undefined) {
        moon ||= read.orders[0]?.id ?? '';
        const orders = read.orders.map((order) => (order.id === moon ? { ...order, state: 'ON_THE_MOON' } : order));
        Object.assign(read, { orders: [...orders, { id: 5 }], a_new_field: { of: ['another', 'time'] } });
      }
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(read));
    });
    await using deployed = await deployProduct({
      configure: (text) =>
        text.replace(/(- id: pos\n(?:    .*\n)*?    url: )(\S+)/, (_, before: string, url: string) => {
          till = new URL(url);
          return `${before}${drifting.url}`;
        }),
    });
    const { product, issuer } = deployed;
    const token = await issuer.issue({ scope: 'orders:read catalog:read', role: 'privacy-officer' });
    const references: Reference[] = [];
    for (let after: string | null = null, more = true; more;) {
      const answer = await product.ask(ORDERS, { token, variables: { after } });
      expect(answer.errors).toEqual([]);
      const { nodes, pageInfo } = answer.data.orders;
      references.push(...nodes.flatMap((node: { references: Reference[] }) => node.references));
      ({ hasNextPage: more, endCursor: after } = pageInfo);
    }
    const atTills = references.filter(({ system }) => system === 'pos');
    expect(atTills.length).toBeGreaterThan(10);
    // A reference carries the system's own word.
    expect(atTills.find(({ externalId }) => externalId === moon)?.state).toBe('ON_THE_MOON');
    const drift = (kind: string) => product.metric('mortar_upstream_drift_total', { system: 'pos', kind });
    expect([await drift('word'), await drift('row')]).toEqual([
      expect.toSatisfy((count) => count > 0),
      expect.toSatisfy((count) => count > 0),
    ]);
    expect(await drift('shape')).toBe(0);
    expect(await product.metric('mortar_upstream_drift_total', { system: 'crm' })).toBe(0);
    const health = (await (await fetch(`${product.urls.base}/readyz`)).json()) as { status: string };
    expect(health.status).toBe('ready');
  },
  120_000,
);
