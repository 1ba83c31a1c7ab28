import { beforeAll, describe, expect, test } from 'vitest';
import { SquareClient, SquareError } from 'square';
import type { World } from '#sandbox/world/types.ts';
import { contractsAvailable, loadContract } from '#test/support/contracts.ts';
import type { Contract } from '#test/support/contracts.ts';
import { tinyWorld, tinyProfile } from '#test/support/tiny-world.ts';
import { createVendorCall } from '#test/support/vendor-call.ts';
import type { Answer } from '#test/support/vendor-call.ts';
import { serveVendor } from '#test/support/vendor-server.ts';
import { createSquareVendor } from './pos-square.ts';

const NOW = Date.parse('2026-03-05T12:00:00.000Z');
const vendor = createSquareVendor({ nowMs: () => NOW });
let contract: Contract | null = null;
const call = createVendorCall({
  vendor,
  headers: () => ({ authorization: `Bearer ${vendor.credentials.token}` }),
  contractOf: (path) => (path.includes('%') || path.includes('__proto__') ? null : contract),
});

beforeAll(async () => {
  if (contractsAvailable()) contract = await loadContract('square/square-2025-08-20.json', { closed: true });
});

const codes = ({ body }: Answer): string[] => body.errors.map((error: { code: string }) => error.code);

describe('Square locations and catalog', () => {
  test('stores are locations with address, hours and coordinates; warehouses are not', async () => {
    const { body } = await call(tinyWorld(), 'GET', '/v2/locations');
    expect(body.locations.map((location: { id: string }) => location.id)).toEqual(['LOC1', 'LOC2']);
    expect(body.locations[0]).toMatchObject({
      timezone: 'Europe/London',
      business_hours: { periods: [{ day_of_week: 'MON', start_local_time: '09:00:00', end_local_time: '18:00:00' }] },
      coordinates: { latitude: 53.8, longitude: -1.55 },
    });
    expect((await call(tinyWorld(), 'GET', '/v2/locations/LOC2')).body.location.id).toBe('LOC2');
    expect((await call(tinyWorld(), 'GET', '/v2/locations/NOPE')).status).toBe(404);
  });

  test('variations carry code, barcode and store price, and items no other system knows are among them', async () => {
    const { body } = await call(tinyWorld(), 'GET', '/v2/catalog/list?types=item_variation');
    const skus = body.objects.map((object: Answer['body']) => object.item_variation_data.sku ?? null);
    expect(skus).toHaveLength(5);
    expect(new Set(skus)).toEqual(new Set(['A1', 'A2', null, 'TILL-WRAP']));
    const first = await call(tinyWorld(), 'POST', '/v2/catalog/batch-retrieve', { object_ids: ['VAR-A1', 'none'] });
    expect(first.body.objects).toHaveLength(1);
    expect(first.body.objects[0].item_variation_data).toMatchObject({
      sku: 'A1',
      upc: '4006381333931',
      price_money: { amount: 1050, currency: 'GBP' },
    });
    const items = await call(tinyWorld(), 'GET', '/v2/catalog/list');
    expect(items.body.objects.every((object: Answer['body']) => object.type === 'ITEM')).toBe(true);
  });

  test('search finds variations by a set of skus, by time and page by page', async () => {
    const world = tinyWorld();
    const bySku = await call(world, 'POST', '/v2/catalog/search', {
      object_types: ['ITEM_VARIATION'],
      query: { set_query: { attribute_name: 'sku', attribute_values: ['a1', 'A2'] } },
    });
    expect(bySku.body.objects).toHaveLength(2);
    const none = await call(world, 'POST', '/v2/catalog/search', {
      object_types: ['ITEM_VARIATION'],
      begin_time: world.builtAt,
    });
    expect(none.body.objects).toBeUndefined();
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await call(world, 'POST', '/v2/catalog/search', {
        object_types: ['ITEM_VARIATION'],
        limit: 2,
        ...(cursor ? { cursor } : {}),
      });
      seen.push(...page.body.objects.map((object: { id: string }) => object.id));
      cursor = page.body.cursor;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(5);
    expect(seen).toHaveLength(5);
    const many = Array.from({ length: 251 }, (_, index) => String(index));
    const over = await call(world, 'POST', '/v2/catalog/search', {
      query: { set_query: { attribute_name: 'sku', attribute_values: many } },
    });
    expect(codes(over)).toEqual(['ARRAY_LENGTH_TOO_LONG']);
  });
});

describe('Square refusals', () => {
  test('a request without the token is unauthorized', async () => {
    const response = await vendor.handler(new Request('http://square.test/v2/locations'), tinyWorld());
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({
      errors: [{ category: 'AUTHENTICATION_ERROR', code: 'UNAUTHORIZED' }],
    });
  });

  test('hostile bodies are refused with a 4xx in the vendor’s form', async () => {
    const hostile = [
      '{',
      '[]',
      'null',
      '"x"',
      '{"customer_ids":"a"}',
      '{"customer_ids":[1]}',
      '{"customer_ids":["a"],"__proto__":{}}',
      '{"customer_ids":[],"x":1}',
      `{"customer_ids":["${'x'.repeat(100_000)}"]}`,
    ];
    for (const body of hostile) {
      const headers = { authorization: `Bearer ${vendor.credentials.token}`, 'content-type': 'application/json' };
      const request = new Request('http://square.test/v2/customers/bulk-retrieve', { method: 'POST', headers, body });
      const response = await vendor.handler(request, tinyWorld());
      if (body.includes('__proto__')) continue;
      expect([body.slice(0, 40), response.status]).toEqual([body.slice(0, 40), 400]);
      expect(await response.json()).toHaveProperty('errors.0.category', 'INVALID_REQUEST_ERROR');
    }
    expect((await call(tinyWorld(), 'GET', `/v2/customers/${'%00'.repeat(50)}`)).status).toBe(404);
    expect((await call(tinyWorld(), 'GET', '/v2/customers/%zz')).status).toBe(404);
    expect((await call(tinyWorld(), 'GET', '/v2/customers/__proto__')).status).toBe(404);
    expect(codes(await call(tinyWorld(), 'GET', '/v2/customers?cursor=e30'))).toEqual(['INVALID_CURSOR']);
  });

  test('operations are named by their template, never by an id', () => {
    expect(vendor.operationOf(new Request('http://x/v2/customers/secret'))).toBe('GET /v2/customers/{customer_id}');
    expect(vendor.operationOf(new Request('http://x/other/secret'))).toBe('GET /unknown');
  });
});

describe('Square’s own client', () => {
  test('lists, reads in batches, pages and sees 429 over HTTP', async () => {
    const world = tinyWorld();
    let limited = false;
    const server = await serveVendor((request) =>
      limited ? Promise.resolve(vendor.rateLimited()) : vendor.handler(request, world),
    );
    try {
      const client = new SquareClient({
        token: vendor.credentials.token as string,
        baseUrl: server.url,
        maxRetries: 0,
      });
      expect((await client.locations.list()).locations).toHaveLength(2);
      const bulk = await client.customers.bulkRetrieveCustomers({ customerIds: ['CUST1', 'no'] });
      expect(bulk.responses?.CUST1?.customer?.emailAddress).toBe('Ada.Byron@example.test');
      expect(bulk.responses?.no?.errors?.[0]?.code).toBe('NOT_FOUND');
      const counts: string[] = [];
      for await (const count of await client.inventory.batchGetCounts({ catalogObjectIds: ['VAR-A1'], limit: 1 })) {
        counts.push(`${count.locationId}/${count.state}`);
      }
      expect(counts).toHaveLength(4);
      const orders = await client.orders.search({ locationIds: ['LOC1', 'LOC2'] });
      expect(orders.orders?.map((order) => order.referenceId).toSorted()).toEqual(['1001', '1002', '1003']);
      const catalog = [];
      for await (const object of await client.catalog.list({ types: 'ITEM_VARIATION' })) catalog.push(object);
      expect(catalog).toHaveLength(5);
      limited = true;
      const error = await client.locations.list().then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(SquareError);
      expect((error as SquareError).statusCode).toBe(429);
    } finally {
      await server.close();
    }
  });
});

test('a directory of 50,000 customers is paged through completely', async () => {
  const profiles = Array.from({ length: 50_000 }, (_, index) => tinyProfile('pos', `C${index}`));
  const world: World = { ...tinyWorld(), profiles };
  const request = (cursor: string | undefined) =>
    new Request('http://square.test/v2/customers/search', {
      method: 'POST',
      headers: { authorization: `Bearer ${vendor.credentials.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ limit: 100, ...(cursor ? { cursor } : {}) }),
    });
  const seen = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = (await (await vendor.handler(request(cursor), world)).json()) as Answer['body'];
    for (const customer of page.customers) seen.add(customer.id);
    cursor = page.cursor;
  } while (cursor !== undefined);
  expect(seen.size).toBe(50_000);
});
