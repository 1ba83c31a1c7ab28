import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { World } from '#sandbox/world/types.ts';
import { checkRequest, checkResponse, contractsAvailable, loadContract } from '#test/support/contracts.ts';
import type { Contract } from '#test/support/contracts.ts';
import { tinyOrder, tinyProduct, tinyWorld } from '#test/support/tiny-world.ts';
import { createAmazonVendor } from './marketplace-amazon.ts';

let nowMs = Date.parse('2026-03-05T12:00:00.000Z');
let vendor = createAmazonVendor({ nowMs: () => nowMs });
let token = '';
const contracts = new Map<string, Contract>();

beforeAll(async () => {
  if (!contractsAvailable()) return;
  const files = { fba: 'fbaInventory', listings: 'listingsItems_2021-08-01', v0: 'ordersV0', 2026: 'orders_2026' };
  for (const [name, file] of Object.entries(files)) {
    contracts.set(name, await loadContract(`amazon-sp-api/${file}.json`, { closed: true }));
  }
});

beforeEach(async () => {
  nowMs = Date.parse('2026-03-05T12:00:00.000Z');
  vendor = createAmazonVendor({ nowMs: () => nowMs });
  token = ((await (await login()).json()) as { access_token: string }).access_token;
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- a decoded answer of any shape, read by expectations only
  readonly body: any;
}

function login(overrides: Record<string, string> = {}): Promise<Response> {
  const { clientId = '', clientSecret = '', refreshToken = '' } = vendor.credentials;
  const form = {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: clientId,
    client_secret: clientSecret,
  };
  const body = new URLSearchParams({ ...form, ...overrides });
  return vendor.handler(new Request('http://amazon.test/auth/o2/token', { method: 'POST', body }), tinyWorld());
}

/** Calls the fake; every answer, and every request that it takes, is held against the contract where it is present. */
async function get(world: World, path: string, accessToken = token): Promise<Answer> {
  const url = `http://amazon.test${path}`;
  const headers = { 'x-amz-access-token': accessToken };
  const response = await vendor.handler(new Request(url, { headers }), world);
  const body: unknown = await response.json();
  const name = path.split('/')[path.startsWith('/orders') ? 2 : 1]?.replace('2026-01-01', '2026') ?? '';
  const contract = contracts.get(name);
  if (contract !== undefined) {
    if (response.status === 200) expect(checkRequest(contract, { method: 'GET', url, headers })).toEqual([]);
    expect(checkResponse(contract, { method: 'GET', url, headers }, response.status, body)).toEqual([]);
  }
  return { status: response.status, headers: response.headers, body };
}

async function restricted(world: World, path: string, dataElements?: readonly string[]): Promise<string> {
  const request = new Request('http://amazon.test/tokens/2021-03-01/restrictedDataToken', {
    method: 'POST',
    headers: { 'x-amz-access-token': token, 'content-type': 'application/json' },
    body: JSON.stringify({ restrictedResources: [{ method: 'GET', path, ...(dataElements ? { dataElements } : {}) }] }),
  });
  const response = await vendor.handler(request, world);
  return ((await response.json()) as { restrictedDataToken: string }).restrictedDataToken;
}

describe('Amazon tokens', () => {
  test('a refresh token buys an access token for an hour', async () => {
    expect((await get(tinyWorld(), '/orders/v0/orders/203-0000001-0000001')).status).toBe(200);
    nowMs += 3_600_000;
    const late = await get(tinyWorld(), '/orders/v0/orders/203-0000001-0000001');
    expect([late.status, late.body.errors[0].code]).toEqual([403, 'Unauthorized']);
    expect(late.body.errors[0].details).toMatch(/expired/);
  });

  test('wrong credentials are refused as OAuth errors', async () => {
    const cases = [
      [{ client_secret: 'x' }, 401, 'invalid_client'],
      [{ refresh_token: 'x' }, 400, 'invalid_grant'],
      [{ grant_type: 'password' }, 400, 'unsupported_grant_type'],
    ] as const;
    for (const [overrides, status, error] of cases) {
      const response = await login(overrides);
      expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([status, error]);
    }
    expect((await get(tinyWorld(), '/orders/v0/orders', '')).status).toBe(403);
    expect((await get(tinyWorld(), '/orders/v0/orders', 'Atza|made-up')).status).toBe(403);
  });
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
    nowMs += 30_001;
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

describe('Amazon orders v0', () => {
  const LIST = '/orders/v0/orders?MarketplaceIds=A1F83G8C2ARO7P&LastUpdatedAfter=2026-01-01T00:00:00Z';
  const ONE = '/orders/v0/orders/203-0000001-0000001';

  test('the list shows state, total and fulfillment, and no buyer', async () => {
    const { body } = await get(tinyWorld(), LIST);
    expect(body.payload.Orders).toMatchObject([
      {
        SellerOrderId: '1004',
        OrderStatus: 'Shipped',
        FulfillmentChannel: 'AFN',
        OrderTotal: { Amount: '21.00', CurrencyCode: 'GBP' },
      },
      { SellerOrderId: '1005', OrderStatus: 'Pending', FulfillmentChannel: 'MFN' },
    ]);
    expect(JSON.stringify(body)).not.toMatch(/Ada|buyer1|Mill Lane/);
    expect((await get(tinyWorld(), `${LIST}&OrderStatuses=Pending`)).body.payload.Orders).toHaveLength(1);
  });

  test('a NextToken continues alone', async () => {
    const first = await get(tinyWorld(), `${LIST}&MaxResultsPerPage=1`);
    const token1 = encodeURIComponent(first.body.payload.NextToken);
    const second = await get(
      tinyWorld(),
      `/orders/v0/orders?MarketplaceIds=A1F83G8C2ARO7P&MaxResultsPerPage=1&NextToken=${token1}`,
    );
    expect([first, second].map(({ body }) => body.payload.Orders[0].SellerOrderId)).toEqual(['1004', '1005']);
    expect(second.body.payload).not.toHaveProperty('NextToken');
  });

  test('items carry seller sku, quantity and price', async () => {
    const { body } = await get(tinyWorld(), `${ONE}/orderItems`);
    expect(body.payload.OrderItems).toMatchObject([
      { SellerSKU: 'AMZ-A1', ASIN: 'B0A1', QuantityOrdered: 2, QuantityShipped: 2, ItemPrice: { Amount: '21.00' } },
    ]);
  });

  test('buyer and address open only to a restricted data token for that path', async () => {
    const world = tinyWorld();
    for (const part of ['buyerInfo', 'address']) expect((await get(world, `${ONE}/${part}`)).status).toBe(403);
    const buyerToken = await restricted(world, '/orders/v0/orders/{orderId}/buyerInfo');
    const { body } = await get(world, `${ONE}/buyerInfo`, buyerToken);
    expect(body.payload).toEqual({
      AmazonOrderId: '203-0000001-0000001',
      BuyerEmail: 'buyer1@marketplace.amazon.co.uk',
      BuyerName: 'Ada Byron',
    });
    expect((await get(world, `${ONE}/address`, buyerToken)).status).toBe(403);
    const addressToken = await restricted(world, '/orders/v0/orders/{orderId}/address');
    expect((await get(world, `${ONE}/address`, addressToken)).body.payload.ShippingAddress).toMatchObject({
      City: 'Leeds',
    });
    const listToken = await restricted(world, '/orders/v0/orders', ['buyerInfo']);
    const [first] = (await get(world, LIST, listToken)).body.payload.Orders;
    expect(first.BuyerInfo.BuyerEmail).toBe('buyer1@marketplace.amazon.co.uk');
    expect(first).not.toHaveProperty('ShippingAddress');
  });

  test('windows, page sizes and ids are checked', async () => {
    const base = '/orders/v0/orders?MarketplaceIds=A1F83G8C2ARO7P';
    const bad = [
      base,
      LIST.replace('MarketplaceIds=A1F83G8C2ARO7P', ''),
      LIST.replace('A1F83', 'XXXXX'),
      `${LIST}&CreatedAfter=2026-01-01`,
      `${LIST}&MaxResultsPerPage=101`,
      `${LIST}&LastUpdatedBefore=2025-01-01`,
      `${LIST}&LastUpdatedBefore=2026-03-05T12:00:00Z`,
      `${base}&NextToken=x`,
      `${base}&LastUpdatedAfter=soon`,
      `${LIST}&OrderStatuses=Gone`,
      '/orders/v0/orders/%00',
    ];
    for (const path of bad) expect([path, (await get(tinyWorld(), path)).status]).toEqual([path, 400]);
    for (const id of ['no-such', '__proto__'])
      expect((await get(tinyWorld(), `/orders/v0/orders/${id}`)).status).toBe(404);
  });
});

describe('Amazon orders 2026-01-01', () => {
  const SEARCH = '/orders/2026-01-01/orders?marketplaceIds=A1F83G8C2ARO7P&lastUpdatedAfter=2026-01-01T00:00:00Z';
  const ALL = `${SEARCH}&includedData=BUYER,RECIPIENT,PROCEEDS,FULFILLMENT,PACKAGES`;

  test('orders come whole, with the seller’s number, items and delivery', async () => {
    const { body } = await get(tinyWorld(), ALL);
    expect(body.orders[0]).toMatchObject({
      orderAliases: [{ aliasId: '1004', aliasType: 'SELLER_ORDER_ID' }],
      proceeds: { grandTotal: { amount: '21.00', currencyCode: 'GBP' } },
      fulfillment: { fulfillmentStatus: 'SHIPPED', fulfilledBy: 'AMAZON' },
      packages: [{ packageStatus: { status: 'DELIVERED' } }],
      orderItems: [{ quantityOrdered: 2, product: { sellerSku: 'AMZ-A1', price: { unitPrice: { amount: '10.50' } } } }],
    });
    expect(body.orders[0]).not.toHaveProperty('buyer');
    const opened = await restricted(tinyWorld(), '/orders/2026-01-01/orders', ['buyerInfo', 'shippingAddress']);
    const [order] = (await get(tinyWorld(), ALL, opened)).body.orders;
    expect(order.buyer).toEqual({ buyerName: 'Ada Byron', buyerEmail: 'buyer1@marketplace.amazon.co.uk' });
    expect(order.recipient.deliveryAddress).toMatchObject({ postalCode: 'LS1 1AA' });
    expect((await get(tinyWorld(), '/orders/2026-01-01/orders/203-0000001-0000002')).body.order.orderId).toBe(
      '203-0000001-0000002',
    );
  });

  test('pages reach every order once, also when many changed at one instant', async () => {
    const orders = Array.from({ length: 250 }, (_, index) =>
      tinyOrder(`N${index}`, { ids: { marketplace: `203-${index}` } }),
    );
    const world: World = { ...tinyWorld(), orders };
    const seen: string[] = [];
    let next = '';
    do {
      const { body } = await get(world, `${SEARCH}${next && `&paginationToken=${encodeURIComponent(next)}`}`);
      seen.push(...body.orders.map((order: { orderId: string }) => order.orderId));
      next = body.pagination?.nextToken ?? '';
    } while (next !== '');
    expect([seen.length, new Set(seen).size]).toEqual([250, 250]);
  });

  test('a search needs exactly one start and known data sets', async () => {
    const bad = [
      '/orders/2026-01-01/orders',
      `${SEARCH}&createdAfter=2026-01-01`,
      `${SEARCH}&includedData=ALL`,
      `${SEARCH}&maxResultsPerPage=0`,
      `${SEARCH}&paginationToken=zz`,
    ];
    for (const path of bad) expect([path, (await get(tinyWorld(), path)).status]).toEqual([path, 400]);
  });
});

test('unknown paths, 429 and 500 are written as SP-API writes them, and operations are named by template', async () => {
  expect((await get(tinyWorld(), '/sellers/v1/account')).status).toBe(404);
  expect([vendor.rateLimited().status, await vendor.rateLimited().json()]).toMatchObject([
    429,
    { errors: [{ code: 'QuotaExceeded' }] },
  ]);
  expect(vendor.failed().status).toBe(500);
  expect(vendor.operationOf(new Request('http://x/auth/o2/token', { method: 'POST' }))).toBe('POST /auth/o2/token');
  expect(vendor.operationOf(new Request('http://x/orders/v0/orders/203/buyerInfo'))).toBe(
    'GET /orders/v0/orders/{orderId}/buyerInfo',
  );
});
