import { expect, it } from 'vitest';

import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();

it('answers one query with the price of the ERP and the stock of tills and warehouses', async () => {
  const { token, ask, world } = product();
  const truth = await world();
  const place = new Map(truth.places.map((entry) => [entry.code, entry]));
  const answer = await ask(
    `{ products(first: 30) { nodes { sku title brand price(channel: "web") { value { amount currency } provenance { source { system } } }
        stock(first: 20) { nodes { location { id kind } onHand { value provenance { source { system } } } } } } } }`,
    { token: await token('storefront') },
  );
  expect(answer).toMatchObject({ status: 200, errors: [] });
  expect(answer.data.products.nodes).toHaveLength(30);
  for (const node of answer.data.products.nodes) {
    const item = truth.products.find(({ sku }) => sku === node.sku);
    expect(node).toMatchObject({
      title: item?.title,
      brand: item?.brand,
      price: {
        value: { amount: ((item?.priceMinor ?? 0) / 100).toFixed(2), currency: 'GBP' },
        provenance: { source: { system: 'erp' } },
      },
    });
    for (const level of node.stock.nodes) {
      if (level.onHand === null) continue;
      const row = truth.stock.find(
        ({ sku, place: code }) => sku === node.sku && place.get(code)?.home.locationId === level.location.id,
      );
      expect(level.onHand).toMatchObject({
        value: row?.onHand,
        provenance: { source: { system: row?.authority?.system } },
      });
    }
  }
});
