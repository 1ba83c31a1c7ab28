import { beforeEach, describe, expect, test } from 'vitest';
import type { World } from '#sandbox/world/types.ts';
import { openAmazon } from '#test/support/amazon-calls.ts';
import type { AmazonCalls } from '#test/support/amazon-calls.ts';
import { tinyProduct, tinyWorld } from '#test/support/tiny-world.ts';

let calls: AmazonCalls;
const get: AmazonCalls['get'] = (...of) => calls.get(...of);

beforeEach(async () => {
  calls = await openAmazon();
});

describe('Amazon stock', () => {
  const BASE =
    '/fba/inventory/v1/summaries?granularityType=Marketplace&granularityId=A1F83G8C2ARO7P&marketplaceIds=A1F83G8C2ARO7P';

  test('fulfillable is on hand minus reserved, in Amazon’s own warehouse only', async () => {
    const { body, headers } = await get(tinyWorld(), `${BASE}&details=true&sellerSkus=AMZ-A1,AMZ-A3,unknown`);
    expect(body.payload.inventorySummaries).toHaveLength(1);
    expect(body.payload.inventorySummaries[0]).toMatchObject({
      sellerSku: 'AMZ-A1',
      totalQuantity: 23,
      inventoryDetails: {
        fulfillableQuantity: 15,
        inboundReceivingQuantity: 3,
        reservedQuantity: { totalReservedQuantity: 5 },
      },
    });
    expect(headers.get('x-amzn-ratelimit-limit')).toBe('2');
    expect((await get(tinyWorld(), BASE)).body.payload.inventorySummaries[0]).not.toHaveProperty('inventoryDetails');
  });

  test('changes since a time ignore the skus, pages follow a token that dies after 30 seconds', async () => {
    const products = Array.from({ length: 60 }, (_, index) => tinyProduct(`P${index}`));
    const rows = products.map(({ sku }) => ({
      sku,
      place: 'FBA',
      onHand: 1,
      committed: 0,
      incoming: 0,
      changedAt: '2026-03-02T00:00:00.000Z',
    }));
    const world: World = { ...tinyWorld(), products, stock: new Map(rows.map((row) => [`${row.sku}@FBA`, row])) };
    const path = `${BASE}&startDateTime=2026-03-01T00:00:00Z&sellerSkus=AMZ-P1`;
    const first = await get(world, path);
    const next = encodeURIComponent(first.body.pagination.nextToken);
    const second = await get(world, `${path}&nextToken=${next}`);
    const seen = [first, second].flatMap(({ body }) =>
      body.payload.inventorySummaries.map((row: { sellerSku: string }) => row.sellerSku),
    );
    expect([seen.length, new Set(seen).size, second.body.pagination]).toEqual([60, 60, undefined]);
    calls.advance(30_001);
    const late = await get(world, `${path}&nextToken=${next}`);
    expect([late.status, late.body.errors[0].details]).toEqual([400, 'nextToken has expired']);
    expect((await get(world, `${BASE}&startDateTime=2026-03-03T00:00:00Z`)).body.payload.inventorySummaries).toEqual(
      [],
    );
  });

  test('granularity, marketplace and the 50 skus are checked', async () => {
    const skus = Array.from({ length: 51 }, (_, index) => `S${index}`).join(',');
    const bad = [
      '/fba/inventory/v1/summaries',
      BASE.replace('=Marketplace', '=Planet'),
      `${BASE},X`,
      `${BASE}&sellerSkus=${skus}`,
      `${BASE}&startDateTime=x`,
      `${BASE}&nextToken=e30`,
      `${BASE}&details=maybe`,
      `${BASE}&startDateTime=2019-01-01`,
    ];
    for (const path of bad) expect([path, (await get(tinyWorld(), path)).status]).toEqual([path, 400]);
  });
});

describe('Amazon listings', () => {
  const BASE = '/listings/2021-08-01/items/A2MORTARSANDBOX?marketplaceIds=A1F83G8C2ARO7P';

  test('a listing carries identifiers, price and offered quantity as asked', async () => {
    const path = `${BASE}&includedData=summaries,attributes,offers,fulfillmentAvailability&identifiersType=SKU&identifiers=AMZ-A1,none`;
    const { body } = await get(tinyWorld(), path);
    expect([body.numberOfResults, body.items.length]).toEqual([1, 1]);
    expect(body.items[0]).toMatchObject({
      sku: 'AMZ-A1',
      summaries: [{ asin: 'B0A1', itemName: 'Product A1' }],
      attributes: { externally_assigned_product_identifier: [{ type: 'ean', value: '4006381333931' }] },
      offers: [{ price: { amount: '11.99', currencyCode: 'GBP' } }],
      fulfillmentAvailability: [{ fulfillmentChannelCode: 'AMAZON_EU', quantity: 15 }],
    });
    expect((await get(tinyWorld(), BASE)).body.items[0]).not.toHaveProperty('offers');
  });

  test('pages reach all listings once, and never beyond a thousand', async () => {
    const products = Array.from({ length: 1010 }, (_, index) => tinyProduct(`P${index}`));
    const world: World = { ...tinyWorld(), products };
    const seen = new Set<string>();
    let next = '';
    do {
      const { body } = await get(world, `${BASE}&pageSize=20${next && `&pageToken=${encodeURIComponent(next)}`}`);
      for (const item of body.items) seen.add(item.sku);
      next = body.pagination?.nextToken ?? '';
    } while (next !== '');
    expect(seen.size).toBe(1000);
  });

  test('limits, foreign sellers and unknown data sets are refused', async () => {
    const many = Array.from({ length: 21 }, (_, index) => `S${index}`).join(',');
    const bad = [
      `${BASE}&identifiers=A`,
      `${BASE}&identifiersType=SKU&identifiers=${many}`,
      `${BASE}&pageSize=21`,
      `${BASE}&includedData=secrets`,
      `${BASE}&pageToken=x`,
      BASE.split('?')[0] as string,
    ];
    for (const path of bad) expect([path, (await get(tinyWorld(), path)).status]).toEqual([path, 400]);
    expect((await get(tinyWorld(), BASE.replace('A2MORTAR', 'FOREIGN'))).status).toBe(403);
    expect((await get(tinyWorld(), BASE.replace('?', '/AMZ-A1?'))).body.sku).toBe('AMZ-A1');
    expect((await get(tinyWorld(), BASE.replace('?', '/none?'))).status).toBe(404);
  });
});
