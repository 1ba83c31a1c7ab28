import { expect, test } from 'vitest';

import { createOrdersSubgraph } from './subgraph.ts';
import { createCustomerDirectory } from '#domain/identity/customer-directory.ts';
import { orderMigrations } from '#domain/order/migrations.ts';
import { createOrderDirectory } from '#domain/order/order-directory.ts';
import { createOrderSink } from '#domain/order/order-sink.ts';
import { createOrderValueReader } from '#domain/order/order-values.ts';
import { createCursors } from '#platform/cursors.ts';
import type { Database } from '#platform/database.ts';
import { MortarError } from '#platform/errors.ts';
import { toSku, toSystemId } from '#schema/model/ids.ts';
import type { OrderRecord, ProfileRecord } from '#schema/model/records.ts';
import { openTestSqlite } from '#test/support/databases.ts';
import { aTestIdentity, identityTestMigrations, testClock } from '#test/support/identity.ts';
import { aFeed, aPage, aProfile, anOrder } from '#test/support/people.ts';
import { aRequestOf, askSubgraph, decidersOf } from '#test/support/requests.ts';

const migrations = [...identityTestMigrations, ...orderMigrations];
const crm = toSystemId('crm');
const placed = (customer: string, index: number): OrderRecord =>
  anOrder({
    externalId: `${customer}-${index}`,
    customerExternalId: customer,
    customerSystem: crm,
    placedAt: `2026-01-0${index}T10:00:00.000Z`,
  });

async function setUp(
  database: Database,
  setup: {
    readonly isDown?: boolean;
    readonly isLoading?: boolean;
    readonly orders?: readonly OrderRecord[];
    readonly decide?: Parameters<typeof decidersOf>[0];
  } = {},
) {
  const identity = aTestIdentity(database);
  const people = ['p1', 'p2'].map((externalId) => aProfile({ externalId }));
  await identity.profiles.writePage(aFeed<ProfileRecord>('crm', 'customers'), aPage(...people));
  const orders = setup.orders ?? [placed('p1', 1), placed('p1', 2), placed('p1', 3), placed('p2', 1)];
  const cursors = createCursors(new Uint8Array(32).fill(9));
  const customers = createCustomerDirectory({ database, matchKeys: identity.matchKeys, cursors, country: 'GB' });
  await createOrderSink({
    database,
    clock: testClock,
    subjects: identity.subjects,
    profiles: identity.writer,
    cipher: identity.cipher,
    policy: { precedence: ['erp'], recipients: {}, returnDays: 30 },
    keepsSnapshot: () => false,
  }).writePage(aFeed<OrderRecord>('erp', 'orders'), aPage(...orders));
  const calls: number[] = [];
  const subgraph = createOrdersSubgraph({
    directory: createOrderDirectory({ database, cursors, identity: customers }),
    values: createOrderValueReader({
      database,
      cipher: identity.cipher,
      sources: [
        {
          system: toSystemId('erp'),
          connector: 'erp-test',
          ordersById: async (ids) => {
            calls.push(ids.length);
            if (setup.isDown === true) return ids.map(() => new MortarError('UPSTREAM_UNAVAILABLE', { system: 'erp' }));
            return ids.map((id) => orders.find((order) => order.externalId === id) ?? null);
          },
        },
      ],
      precedence: [toSystemId('erp')],
      skus: { skusOf: async (_system, codes) => codes.map(toSku) },
    }),
    customers,
    loadingSystems: () => (setup.isLoading === true ? [toSystemId('erp')] : []),
    deciders: decidersOf(setup.decide),
  });
  const rows = await identity.tables.read.selectFrom('subject').selectAll().orderBy('created_seq').execute();
  return { subgraph, calls, ids: rows.map((row) => row.own_customer_id) };
}

const HISTORIES = `query ($r: [_Any!]!, $after: String) { _entities(representations: $r) { ... on Customer {
  orders(first: 2, after: $after) { totalCount nodes { placedAt lines { sku } } pageInfo { hasNextPage endCursor } }
} } }`;

test('an order carries its buyer, lines with products, total and references', async () => {
  await using db = await openTestSqlite(migrations);
  const { subgraph, ids } = await setUp(db.database);
  const { data, errors } = await askSubgraph(
    subgraph,
    `{ orders(first: 1) { totalCount nodes { state channel { id } placedAt customer { id }
       lines { sku product { sku } title quantity unitPrice { amount } } total { amount currency }
       references { system externalId state asOf } provenance { lane source { system rawValue } } } } }`,
  );
  expect(errors).toEqual([]);
  expect(data).toEqual({
    orders: {
      totalCount: 4,
      nodes: [
        {
          state: 'RECEIVED',
          channel: { id: 'web' },
          placedAt: '2026-01-03T10:00:00.000Z',
          customer: { id: ids[0] },
          lines: [
            { sku: 'SKU-1', product: { sku: 'SKU-1' }, title: 'Kettle', quantity: 2, unitPrice: { amount: '10.00' } },
          ],
          total: { amount: '20.00', currency: 'GBP' },
          references: [{ system: 'erp', externalId: 'p1-3', state: 'open', asOf: '2026-01-05T09:00:00.000Z' }],
          provenance: { lane: 'NEAR_REALTIME', source: { system: 'erp', rawValue: 'open' } },
        },
      ],
    },
  });
});

test('a state nobody knows is UNKNOWN, and the provenance keeps the system’s own word', async () => {
  await using db = await openTestSqlite(migrations);
  const odd = { ...placed('p1', 1), state: 'UNKNOWN', vendorState: `Frobnicated${'!'.repeat(200)}` } as const;
  const { subgraph } = await setUp(db.database, { orders: [odd] });
  const { data } = await askSubgraph(
    subgraph,
    '{ orders(first: 1) { nodes { state provenance { source { rawValue } } } } }',
  );
  expect(data).toEqual({
    orders: {
      nodes: [{ state: 'UNKNOWN', provenance: { source: { rawValue: `Frobnicated${'!'.repeat(89)}` } } }],
    },
  });
});

test('a list that is still being loaded has no total and says so', async () => {
  await using db = await openTestSqlite(migrations);
  const { subgraph } = await setUp(db.database, { isLoading: true });
  const { data, degraded } = await askSubgraph(subgraph, '{ orders(first: 1) { totalCount nodes { state } } }');
  expect(data).toEqual({ orders: { totalCount: null, nodes: [{ state: 'RECEIVED' }] } });
  expect(degraded).toMatchObject([{ system: 'erp', stale: true, degraded: true, path: ['orders'] }]);
});

test('the orders of many customers are paged each for itself and read with one call', async () => {
  await using db = await openTestSqlite(migrations);
  const { subgraph, calls, ids } = await setUp(db.database);
  const r = ids.map((id) => ({ __typename: 'Customer', id }));
  const first = await askSubgraph(subgraph, HISTORIES, { variables: { r } });
  expect(first.data).toMatchObject({
    _entities: [
      {
        orders: {
          totalCount: null,
          nodes: [{ placedAt: '2026-01-03T10:00:00.000Z' }, { placedAt: '2026-01-02T10:00:00.000Z' }],
          pageInfo: { hasNextPage: true },
        },
      },
      {
        orders: {
          nodes: [{ placedAt: '2026-01-01T10:00:00.000Z', lines: [{ sku: 'SKU-1' }] }],
          pageInfo: { hasNextPage: false },
        },
      },
    ],
  });
  expect(calls).toEqual([3]);
  const [endCursor] = /(?<="endCursor":")[^"]+/.exec(JSON.stringify(first.data)) ?? [];
  const next = await askSubgraph(subgraph, HISTORIES, { variables: { r: r.slice(0, 1), after: endCursor } });
  expect(next.data).toMatchObject({ _entities: [{ orders: { nodes: [{ placedAt: '2026-01-01T10:00:00.000Z' }] } }] });
});

test('withheld orders answer null, are counted once a row, and read nothing', async () => {
  await using db = await openTestSqlite(migrations);
  const { subgraph, calls, ids } = await setUp(db.database, {
    decide: () => ({ allowed: false, reason: 'CONSENT_REQUIRED' }),
  });
  const r = ids.map((id) => ({ __typename: 'Customer', id }));
  const histories = await askSubgraph(subgraph, HISTORIES, { variables: { r } });
  expect(histories.data).toEqual({ _entities: [{ orders: null }, { orders: null }] });
  expect(histories.refusals.map(({ coordinate }) => coordinate)).toEqual(['Customer.orders', 'Customer.orders']);
  const list = await askSubgraph(
    subgraph,
    '{ orders { nodes { state lines { sku } total { amount } customer { id } } } }',
  );
  expect(JSON.stringify(list.data)).not.toMatch(/SKU-1|20\.00|cus_/);
  expect(calls).toEqual([]);
});

test('a system that is down costs lines and totals with its name, not the list', async () => {
  await using db = await openTestSqlite(migrations);
  const { subgraph } = await setUp(db.database, { isDown: true });
  const { data, errors } = await askSubgraph(subgraph, '{ orders(first: 1) { nodes { state lines { sku } } } }');
  expect(data).toEqual({ orders: { nodes: [{ state: 'RECEIVED', lines: null }] } });
  expect(errors.map((error) => error.extensions)).toMatchObject([{ code: 'UPSTREAM_UNAVAILABLE', system: 'erp' }]);
});

test.each([
  ['a page of 1000', '{ orders(first: 1000) { nodes { id } } }', 'LIMIT_LIST'],
  ['a page of none', '{ orders(first: 0) { nodes { id } } }', 'LIMIT_LIST'],
  ['a forged cursor', '{ orders(after: "AAAA") { nodes { id } } }', 'BAD_USER_INPUT'],
])('refuses %s', async (_, document, code) => {
  await using db = await openTestSqlite(migrations);
  const { subgraph } = await setUp(db.database);
  expect((await askSubgraph(subgraph, document)).codes).toEqual([code]);
});

test('asks for orders:read, and for customers:read where the buyer is named', async () => {
  await using db = await openTestSqlite(migrations);
  const { subgraph } = await setUp(db.database);
  const document = '{ orders(first: 1) { nodes { id customer { id } } } }';
  const withOrders = aRequestOf({ principal: { scopes: new Set(['orders:read']) } });
  expect((await askSubgraph(subgraph, document, { request: withOrders })).codes).toEqual(['SCOPE_REQUIRED']);
  const withCustomers = aRequestOf({ principal: { scopes: new Set(['customers:read']) } });
  expect((await askSubgraph(subgraph, document, { request: withCustomers })).data).toEqual({ orders: null });
});

test('says of a foreign cursor what is wrong with it, and of a page that is too long', async () => {
  await using db = await openTestSqlite(migrations);
  const { subgraph } = await setUp(db.database);
  const foreign = await askSubgraph(subgraph, '{ orders(after: "made-up-cursor-of-mine") { nodes { id } } }');
  expect(foreign.codes).toEqual(['BAD_USER_INPUT']);
  expect(foreign.errors[0]?.message).toContain('does not belong to this list');
  expect((await askSubgraph(subgraph, '{ orders(first: 101) { nodes { id } } }')).codes).toEqual(['LIMIT_LIST']);
});
