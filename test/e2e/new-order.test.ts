import { expect, it } from 'vitest';

import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();

it('shows a new order with the next round of the feed', async () => {
  const { ask, token, event, world } = product();
  const [item] = (await world()).products;
  await event({ kind: 'order', channel: 'web', lines: [{ sku: item?.sku ?? '', quantity: 1 }], stage: 'paid' });
  const number = (await world()).orders.find(({ orderNumber }) => orderNumber.startsWith('EVT-'));
  await expect
    .poll(
      async () => {
        const answer = await ask('{ orders(first: 5) { nodes { references { externalId } } } }', {
          token: await token('privacy-officer'),
        });
        const nodes: { references: { externalId: string }[] }[] = answer.data.orders.nodes;
        return nodes.flatMap(({ references }) => references.map(({ externalId }) => externalId));
      },
      { timeout: 45_000, interval: 250 },
    )
    .toContain(number?.ids.erp);
}, 60_000);
