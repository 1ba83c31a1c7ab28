import { beforeAll, describe, expect, test } from 'vitest';
import { contractsAvailable, loadContract } from '#test/support/contracts.ts';
import type { Contract } from '#test/support/contracts.ts';
import { tinyWorld } from '#test/support/tiny-world.ts';
import { createVendorCall } from '#test/support/vendor-call.ts';
import type { Answer } from '#test/support/vendor-call.ts';
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
    expect(new Set([open.body.orders[0].id, rest.body.orders[0].id])).toEqual(new Set(['SQO1', 'SQO3']));
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
