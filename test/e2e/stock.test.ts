import { expect, it } from 'vitest';

import type { WorldTruth } from '#sandbox/world-truth.ts';
import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();

/** Units the web shop may promise of an item: by place what is there, less what is promised, less a buffer of 1. */
function promiseOf(world: WorldTruth, sku: string): number {
  const kinds = new Map(world.places.map(({ code, kind }) => [code, kind]));
  return world.stock
    .filter((row) => row.sku === sku && kinds.get(row.place) !== 'MARKETPLACE_WAREHOUSE')
    .reduce((sum, { onHand, committed }) => sum + Math.max(0, onHand - committed - 1), 0);
}

it('promises what the authorities hold and never adds the company total of the ERP', async () => {
  const { ask, token, world } = product();
  const truth = await world();
  const skus = truth.products.map(({ sku }) => sku);
  const answer = await ask(
    `query($skus: [Sku!]!) { availability(skus: $skus, channel: "web") { sku reason guarantee quantity { value
       provenance { lane inputs { system } } } } }`,
    { token: await token('storefront'), variables: { skus } },
  );
  expect(answer).toMatchObject({ status: 200, errors: [] });
  const promised = answer.data.availability.map(
    ({ sku, quantity }: { sku: string; quantity: { value: number } | null }) => [sku, quantity?.value ?? 0],
  );
  expect(promised).toEqual(skus.map((sku) => [sku, promiseOf(truth, sku)]));
  for (const { quantity } of answer.data.availability) {
    for (const { system } of quantity?.provenance.inputs ?? []) expect(['pos', 'wms']).toContain(system);
  }
});

it('shows the ERP total as a witness beside the figure of the authority', async () => {
  const { ask, token, world } = product();
  const truth = await world();
  const answer = await ask(
    `{ products(first: 5) { nodes { sku stock(first: 20) { nodes { location { kind } onHand { value provenance { source { system } } }
       committed { value } held { value } witnesses { value provenance { source { system reference } } } } } } } }`,
    { token: await token('storefront') },
  );
  expect(answer.errors).toEqual([]);
  for (const { sku, stock } of answer.data.products.nodes) {
    expect(stock.nodes.length).toBeGreaterThan(0);
    for (const level of stock.nodes) {
      const authority = { STORE: 'pos', WAREHOUSE: 'wms', SUPPLIER: 'wms', MARKETPLACE_WAREHOUSE: 'marketplace' };
      const kind: keyof typeof authority = level.location.kind;
      expect(level.held).toBeNull();
      expect([null, authority[kind]]).toContain(level.onHand?.provenance.source.system ?? null);
      const total = level.witnesses.find(
        (witness: { provenance: { source: { reference: string } } }) =>
          witness.provenance.source.reference === 'company-total',
      );
      expect([sku, total?.provenance.source.system]).toEqual([sku, 'erp']);
      expect(total?.value).toBeGreaterThanOrEqual(0);
    }
  }
  expect(truth.products.length).toBeGreaterThan(5);
});

it('shows a count below zero and does not offer it', async () => {
  const { ask, token, world } = product();
  const negative = (await world()).stock.find(({ onHand }) => onHand < 0);
  const answer = await ask(
    `query($sku: Sku!, $place: ID!) { availability(skus: [$sku], channel: "web", locations: [$place]) { reason quantity { value } locations { reason quantity { value } } }
       product(sku: $sku) { stock(locations: [$place]) { nodes { onHand { value } } } } }`,
    {
      token: await token('storefront'),
      variables: { sku: negative?.sku, place: negative?.authority?.locationId },
    },
  );
  expect(answer.errors).toEqual([]);
  expect(answer.data).toEqual({
    availability: [{ reason: 'QUARANTINED', quantity: null, locations: [{ reason: 'QUARANTINED', quantity: null }] }],
    product: { stock: { nodes: [{ onHand: { value: negative?.onHand } }] } },
  });
});

it('serves marketplace stock to the marketplace channel alone', async () => {
  const { ask, token, world } = product();
  const truth = await world();
  const held = truth.stock.find(({ place, onHand }) => place === 'FBA' && onHand > 0);
  const answer = await ask(
    `query($sku: Sku!, $place: ID!) { web: availability(skus: [$sku], channel: "web", locations: [$place]) { reason quantity { value } }
       amazon: availability(skus: [$sku], channel: "amazon") { reason quantity { value provenance { inputs { system } } } } }`,
    { token: await token('partner-marketplace'), variables: { sku: held?.sku, place: held?.authority?.locationId } },
  );
  expect(answer.errors).toEqual([]);
  expect(answer.data.web).toEqual([{ reason: 'CHANNEL_EXCLUDED', quantity: null }]);
  expect(answer.data.amazon).toEqual([
    {
      reason: null,
      quantity: {
        value: (held?.onHand ?? 0) - (held?.committed ?? 0),
        provenance: { inputs: [{ system: 'marketplace' }] },
      },
    },
  ]);
});

it('answers an unknown item with its reason, in the order asked', async () => {
  const { ask, token } = product();
  const answer = await ask(
    '{ availability(skus: ["NO-SUCH", "MG-00001", "NO-SUCH"], channel: "web") { sku reason product { sku title } } product(sku: "NO-SUCH") { sku } }',
    { token: await token('storefront') },
  );
  expect(answer.errors).toEqual([]);
  expect(answer.data.product).toBeNull();
  expect(
    answer.data.availability.map(({ sku, reason }: { sku: string; reason: string | null }) => [sku, reason]),
  ).toEqual([
    ['NO-SUCH', 'UNKNOWN_SKU'],
    ['MG-00001', null],
    ['NO-SUCH', 'UNKNOWN_SKU'],
  ]);
});

it('follows a sale at once, because stock is read from its authority at request time', async () => {
  const { ask, token, world, event } = product();
  const truth = await world();
  const store = truth.stock.find(
    ({ authority, onHand, committed }) => authority?.system === 'pos' && onHand - committed > 5,
  );
  const query = `query($sku: Sku!, $place: ID!) { product(sku: $sku) { stock(locations: [$place]) { nodes { onHand { value } } } } }`;
  const read = async () => {
    const variables = { sku: store?.sku, place: store?.authority?.locationId };
    const answer = await ask(query, { token: await token('storefront'), variables });
    return answer.data.product.stock.nodes[0]?.onHand.value as number;
  };
  expect(await read()).toBe(store?.onHand);
  await event({ kind: 'sale', sku: store?.sku ?? '', place: store?.place ?? '', quantity: 3 });
  expect(await read()).toBe((store?.onHand ?? 0) - 3);
});
