import { beforeAll, describe, expect, test } from 'vitest';
import { SquareClient, SquareError } from 'square';
import type { World } from '#sandbox/world/types.ts';
import { checkRequest, checkResponse, contractsAvailable, loadContract } from '#test/support/contracts.ts';
import type { Contract } from '#test/support/contracts.ts';
import { tinyProfile, tinyWorld } from '#test/support/tiny-world.ts';
import { serveVendor } from '#test/support/vendor-server.ts';
import { createSquareVendor } from './pos-square.ts';

const NOW = Date.parse('2026-03-05T12:00:00.000Z');
const vendor = createSquareVendor({ nowMs: () => NOW });
let contract: Contract | null = null;

beforeAll(async () => {
  if (contractsAvailable()) contract = await loadContract('square/square-2025-08-20.json', { closed: true });
});

interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- a decoded answer of any shape, read by expectations only
  readonly body: any;
}

/** Calls the fake; every answer, and every request that it takes, is held against the contract where it is present. */
async function call(world: World, method: string, path: string, json?: unknown): Promise<Answer> {
  const url = `http://square.test${path}`;
  const headers = { authorization: `Bearer ${vendor.credentials.token}`, 'content-type': 'application/json' };
  const body = json === undefined ? undefined : JSON.stringify(json);
  const response = await vendor.handler(
    new Request(url, { method, headers, ...(body === undefined ? {} : { body }) }),
    world,
  );
  const decoded: unknown = await response.json();
  if (contract !== null && response.status !== 404) {
    if (response.status < 400) expect(checkRequest(contract, { method, url, headers }, body)).toEqual([]);
    expect(checkResponse(contract, { method, url, headers }, response.status, decoded)).toEqual([]);
  }
  return { status: response.status, body: decoded };
}

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
    expect(skus.toSorted()).toEqual(['A1', 'A2', null, null, 'TILL-WRAP'].toSorted());
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

describe('Square inventory', () => {
  const counts = (world: World, body: object) => call(world, 'POST', '/v2/inventory/counts/batch-retrieve', body);

  test('counts are decimal texts, free and reserved units apart, and may be negative', async () => {
    const { body } = await counts(tinyWorld(), { catalog_object_ids: ['VAR-A1'] });
    const told = body.counts.map((count: Answer['body']) => [count.location_id, count.state, count.quantity]);
    expect(told.toSorted()).toEqual([
      ['LOC1', 'IN_STOCK', '6'],
      ['LOC1', 'RESERVED_FOR_SALE', '4'],
      ['LOC2', 'IN_STOCK', '-2'],
      ['LOC2', 'RESERVED_FOR_SALE', '3'],
    ]);
  });

  test('counts are filtered and paged, newest first, without a doubled or a missing one', async () => {
    const world = tinyWorld();
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await counts(world, { states: ['IN_STOCK'], limit: 1, ...(cursor ? { cursor } : {}) });
      seen.push(...page.body.counts.map((count: Answer['body']) => `${count.catalog_object_id}@${count.location_id}`));
      cursor = page.body.cursor;
    } while (cursor !== undefined);
    expect(seen.toSorted()).toEqual(['VAR-A1@LOC1', 'VAR-A1@LOC2', 'VAR-A2@LOC1']);
    expect((await counts(world, { updated_after: world.builtAt })).body).toEqual({});
    expect((await counts(world, { location_ids: ['LOC2'] })).body.counts).toHaveLength(2);
  });

  test('a batch of changes moves the world once per idempotency key', async () => {
    const world = tinyWorld();
    const sold = {
      type: 'ADJUSTMENT',
      adjustment: {
        catalog_object_id: 'VAR-A1',
        location_id: 'LOC1',
        from_state: 'IN_STOCK',
        to_state: 'SOLD',
        quantity: '2',
        occurred_at: '2026-03-05T11:00:00Z',
      },
    };
    const body = { idempotency_key: 'k1', changes: [sold] };
    const first = await call(world, 'POST', '/v2/inventory/changes/batch-create', body);
    expect(first.status).toBe(200);
    const again = await call(world, 'POST', '/v2/inventory/changes/batch-create', body);
    expect(again.body).toEqual(first.body);
    expect(world.stock.get('A1@S01')).toMatchObject({
      onHand: 8,
      committed: 4,
      changedAt: new Date(NOW).toISOString(),
    });
    expect(world.sequence).toBe(1);
    const changed = await counts(world, { updated_after: world.builtAt, states: ['IN_STOCK'] });
    expect(changed.body.counts).toMatchObject([{ catalog_object_id: 'VAR-A1', location_id: 'LOC1', quantity: '4' }]);
    const reused = await call(world, 'POST', '/v2/inventory/changes/batch-create', { ...body, changes: [sold, sold] });
    expect(codes(reused)).toEqual(['IDEMPOTENCY_KEY_REUSED']);
  });

  test('a physical count sets a state, and one bad change leaves the whole batch undone', async () => {
    const world = tinyWorld();
    const count = (variation: string) => ({
      type: 'PHYSICAL_COUNT',
      physical_count: {
        catalog_object_id: variation,
        location_id: 'LOC2',
        state: 'IN_STOCK',
        quantity: '7',
        occurred_at: '2026-03-05T11:00:00Z',
      },
    });
    const bad = await call(world, 'POST', '/v2/inventory/changes/batch-create', {
      idempotency_key: 'a',
      changes: [count('VAR-A1'), count('NOPE')],
    });
    expect([bad.status, world.sequence]).toEqual([404, 0]);
    await call(world, 'POST', '/v2/inventory/changes/batch-create', {
      idempotency_key: 'b',
      changes: [count('VAR-A1'), count('VAR-A2')],
    });
    expect(world.stock.get('A1@S02')).toMatchObject({ onHand: 10, committed: 3 });
    expect(world.stock.get('A2@S02')).toMatchObject({ onHand: 7, committed: 0 });
    expect((await counts(world, { catalog_object_ids: ['VAR-A2'], location_ids: ['LOC2'] })).body.counts).toHaveLength(
      2,
    );
  });
});

describe('Square customers and loyalty', () => {
  test('bulk retrieve answers each id with a customer or an error', async () => {
    const { body } = await call(tinyWorld(), 'POST', '/v2/customers/bulk-retrieve', {
      customer_ids: ['CUST1', 'CUST2', 'no'],
    });
    expect(body.responses.CUST1.customer).toMatchObject({
      given_name: 'Ada',
      email_address: 'Ada.Byron@example.test',
      reference_id: 'L-100',
      birthday: '1985-12-10',
      preferences: { email_unsubscribed: true },
      group_ids: [],
    });
    expect(body.responses.CUST2.customer).toMatchObject({
      group_ids: ['TEST_GROUP'],
      preferences: { email_unsubscribed: false },
    });
    expect(body.responses.CUST2.customer).not.toHaveProperty('email_address');
    expect(body.responses.no.errors[0].code).toBe('NOT_FOUND');
    const ids = Array.from({ length: 101 }, (_, index) => `C${index}`);
    expect(codes(await call(tinyWorld(), 'POST', '/v2/customers/bulk-retrieve', { customer_ids: ids }))).toEqual([
      'ARRAY_LENGTH_TOO_LONG',
    ]);
  });

  test('search filters by e-mail and time and pages; a cursor of another query is refused', async () => {
    const world = tinyWorld();
    const search = (body: object) => call(world, 'POST', '/v2/customers/search', body);
    const exact = await search({
      query: { filter: { email_address: { exact: 'ada.byron@EXAMPLE.test' } } },
      count: true,
    });
    expect([exact.body.customers[0].id, exact.body.count]).toEqual(['CUST1', 1]);
    expect(
      (await search({ query: { filter: { updated_at: { start_at: '2026-03-01T10:00:00.001Z' } } } })).body,
    ).toEqual({});
    const first = await search({ limit: 1, query: { sort: { field: 'CREATED_AT', order: 'DESC' } } });
    const second = await search({
      limit: 1,
      cursor: first.body.cursor,
      query: { sort: { field: 'CREATED_AT', order: 'DESC' } },
    });
    expect([first, second].map(({ body }) => body.customers[0].id)).toEqual(['CUST2', 'CUST1']);
    expect(second.body.cursor).toBeUndefined();
    expect(codes(await search({ limit: 1, cursor: first.body.cursor }))).toEqual(['INVALID_CURSOR']);
    expect(codes(await search({ limit: 101 }))).toEqual(['VALUE_TOO_HIGH']);
  });

  test('list and one', async () => {
    const world = tinyWorld();
    const first = await call(world, 'GET', '/v2/customers?limit=1');
    const second = await call(world, 'GET', `/v2/customers?limit=1&cursor=${first.body.cursor}`);
    expect([first.body.customers[0].id, second.body.customers[0].id]).toEqual(['CUST1', 'CUST2']);
    expect((await call(world, 'GET', '/v2/customers/CUST1')).body.customer.id).toBe('CUST1');
    expect((await call(world, 'GET', '/v2/customers/nobody')).status).toBe(404);
    expect(codes(await call(world, 'GET', '/v2/customers?limit=0'))).toEqual(['VALUE_TOO_LOW']);
  });

  test('loyalty accounts are found by customer, and the tier is readable from the program', async () => {
    const world = tinyWorld();
    const found = await call(world, 'POST', '/v2/loyalty/accounts/search', {
      query: { customer_ids: ['CUST1', 'CUST2'] },
    });
    expect(found.body.loyalty_accounts).toMatchObject([
      { id: 'LOY1', customer_id: 'CUST1', balance: 1200, mapping: { phone_number: '+447700900123' } },
    ]);
    const { program } = (await call(world, 'GET', '/v2/loyalty/programs/main')).body;
    const held = program.reward_tiers.filter(
      (tier: { points: number }) => tier.points <= found.body.loyalty_accounts[0].lifetime_points,
    );
    expect(held.at(-1).name).toBe('SILVER');
    const ids = Array.from({ length: 31 }, (_, index) => `C${index}`);
    expect(codes(await call(world, 'POST', '/v2/loyalty/accounts/search', { query: { customer_ids: ids } }))).toEqual([
      'ARRAY_LENGTH_TOO_LONG',
    ]);
    expect((await call(world, 'POST', '/v2/loyalty/accounts/search', {})).body.loyalty_accounts).toHaveLength(1);
  });
});

describe('Square orders', () => {
  test('orders carry number, lines, state and pickup', async () => {
    const { body } = await call(tinyWorld(), 'POST', '/v2/orders/batch-retrieve', {
      order_ids: ['SQO1', 'SQO2', 'SQO3', 'none'],
    });
    expect(body.orders).toHaveLength(3);
    expect(body.orders[0]).toMatchObject({
      reference_id: '1001',
      location_id: 'LOC1',
      customer_id: 'CUST1',
      state: 'COMPLETED',
      total_money: { amount: 2100, currency: 'GBP' },
      line_items: [{ catalog_object_id: 'VAR-A1', quantity: '2' }],
    });
    expect(body.orders[0]).not.toHaveProperty('fulfillments');
    expect(body.orders[1]).toMatchObject({
      state: 'OPEN',
      fulfillments: [
        { type: 'PICKUP', state: 'PREPARED', pickup_details: { recipient: { email_address: 'gus@example.test' } } },
      ],
    });
    expect(body.orders[2]).toMatchObject({ refunds: [{ status: 'APPROVED' }] });
  });

  test('search needs known locations, at most ten, and the sort of its date filter', async () => {
    const world = tinyWorld();
    const search = (body: object) => call(world, 'POST', '/v2/orders/search', body);
    const query = {
      filter: { date_time_filter: { updated_at: { start_at: '2026-03-02T00:00:00Z' } } },
      sort: { sort_field: 'UPDATED_AT', sort_order: 'ASC' },
    };
    expect((await search({ location_ids: ['LOC1', 'LOC2'], query })).body.orders).toMatchObject([{ id: 'SQO3' }]);
    expect((await search({ location_ids: ['LOC1'], query })).body).toEqual({});
    const wrongSort = await search({ location_ids: ['LOC1'], query: { filter: query.filter } });
    expect([wrongSort.status, codes(wrongSort)]).toEqual([400, ['BAD_REQUEST']]);
    expect(codes(await search({ location_ids: Array.from({ length: 11 }, () => 'LOC1') }))).toEqual([
      'ARRAY_LENGTH_TOO_LONG',
    ]);
    expect(codes(await search({}))).toEqual(['MISSING_REQUIRED_PARAMETER']);
    expect((await search({ location_ids: ['XX'] })).status).toBe(404);
    const open = await search({
      location_ids: ['LOC1', 'LOC2'],
      limit: 1,
      query: { filter: { state_filter: { states: ['COMPLETED'] } } },
    });
    const rest = await search({
      location_ids: ['LOC1', 'LOC2'],
      limit: 1,
      cursor: open.body.cursor,
      query: { filter: { state_filter: { states: ['COMPLETED'] } } },
    });
    expect([open.body.orders[0].id, rest.body.orders[0].id].toSorted()).toEqual(['SQO1', 'SQO3']);
  });

  test('an order added or moved later is seen', async () => {
    const world = tinyWorld();
    const ask = () => call(world, 'POST', '/v2/orders/search', { location_ids: ['LOC1', 'LOC2'] });
    expect((await ask()).body.orders).toHaveLength(3);
    const [first] = world.orders;
    world.orders.push({ ...(first as NonNullable<typeof first>), orderNumber: '1009', ids: { pos: 'SQO9' } });
    world.sequence += 1;
    expect((await ask()).body.orders).toHaveLength(4);
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
