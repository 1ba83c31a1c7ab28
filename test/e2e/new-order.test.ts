import { expect, it } from 'vitest';

import { deployProduct } from '#test/support/own-issuer.ts';

it('shows a new order with the next round of the feed, whose interval is an option of the system', async () => {
  await using deployed = await deployProduct({
    configure: (text) => text.replace('customerSystem: crm', 'customerSystem: crm\n      feedIntervalSeconds: 0.5'),
  });
  const { ask, event, world } = deployed.product;
  const token = await deployed.issuer.issue({
    role: 'privacy-officer',
    scope: 'orders:read',
    purposes: ['LEGAL_OBLIGATION'],
  });
  const [item] = (await world()).products;
  await event({ kind: 'order', channel: 'web', lines: [{ sku: item?.sku ?? '', quantity: 1 }], stage: 'paid' });
  const order = (await world()).orders.find(({ orderNumber }) => orderNumber.startsWith('EVT-'));
  await expect
    .poll(
      async () => {
        const answer = await ask('{ orders(first: 5) { nodes { references { externalId } } } }', { token });
        const nodes: { references: { externalId: string }[] }[] = answer.data.orders.nodes;
        return nodes.flatMap(({ references }) => references.map(({ externalId }) => externalId));
      },
      { timeout: 30_000, interval: 100 },
    )
    .toContain(order?.ids.erp);
}, 60_000);
