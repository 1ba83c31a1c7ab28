import { beforeEach, describe, expect, test } from 'vitest';
import type { World } from '#sandbox/world/types.ts';
import { openAmazon } from '#test/support/amazon-calls.ts';
import type { AmazonCalls } from '#test/support/amazon-calls.ts';
import { tinyOrder, tinyWorld } from '#test/support/tiny-world.ts';

let calls: AmazonCalls;
const get: AmazonCalls['get'] = (...of) => calls.get(...of);
const restricted: AmazonCalls['restricted'] = (...of) => calls.restricted(...of);

beforeEach(async () => {
  calls = await openAmazon();
});

describe('Amazon tokens', () => {
  test('a refresh token buys an access token for an hour', async () => {
    expect((await get(tinyWorld(), '/orders/v0/orders/203-0000001-0000001')).status).toBe(200);
    calls.advance(3_600_000);
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
      const response = await calls.login(overrides);
      expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([status, error]);
    }
    expect((await get(tinyWorld(), '/orders/v0/orders', '')).status).toBe(403);
    expect((await get(tinyWorld(), '/orders/v0/orders', 'Atza|made-up')).status).toBe(403);
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
  expect([calls.vendor.rateLimited().status, await calls.vendor.rateLimited().json()]).toMatchObject([
    429,
    { errors: [{ code: 'QuotaExceeded' }] },
  ]);
  expect(calls.vendor.failed().status).toBe(500);
  expect(calls.vendor.operationOf(new Request('http://x/auth/o2/token', { method: 'POST' }))).toBe(
    'POST /auth/o2/token',
  );
  expect(calls.vendor.operationOf(new Request('http://x/orders/v0/orders/203/buyerInfo'))).toBe(
    'GET /orders/v0/orders/{orderId}/buyerInfo',
  );
});
