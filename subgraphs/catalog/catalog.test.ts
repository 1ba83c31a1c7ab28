import { parse } from 'graphql';
import { expect, test } from 'vitest';

import { MortarError } from '#platform/errors.ts';
import type { Scope } from '#schema/model/request.ts';
import { anItem, aFeed, aPage, NOON_MS } from '#test/support/catalog.ts';
import { openTestSqlite, type TestDatabase } from '#test/support/databases.ts';
import { aRequest } from '#test/support/people-subgraph.ts';
import { aRetailer, retailMigrations } from '#test/support/retail.ts';
import { createCatalogSubgraph } from './subgraph.ts';

const deciders = { forFetch: () => ({ decide: () => Promise.resolve({ allowed: true as const }) }) };

async function aCatalogSubgraph(db: TestDatabase) {
  const retailer = await aRetailer(db);
  const status = {
    id: 'erp',
    connector: 'erp-connector',
    state: 'UP' as const,
    lastErrorCode: null,
    lagSeconds: null,
    capabilities: ['items:read'],
    reads: ['items:read'],
    writes: [],
    unmatchedItems: 0,
    wrongCurrencyItems: 0,
    feeds: [],
    breakers: { read: 'OPEN' as const, feed: 'CLOSED' as const, write: 'CLOSED' as const },
    pausedUntil: null,
    budgets: [],
    coverage: [{ port: 'items' as const, coverage: 'LIVE' as const, freshnessSeconds: null, nets: [] }],
    quarantinedRows: 0,
    quarantine: [],
  };
  const reads: (readonly string[])[] = [];
  const catalog = { ...retailer.catalog };
  catalog.products = (skus, scope) => (reads.push(skus), retailer.catalog.products(skus, scope));
  const subgraph = createCatalogSubgraph({
    ...retailer,
    catalog,
    systems: { systems: () => Promise.resolve([status]) },
    deciders,
  });
  const ask = async (query: string, scopes: readonly Scope[] = ['catalog:read', 'systems:read'], variables = {}) => {
    const request = aRequest({ deadlineAtMs: Math.max(Date.now(), NOON_MS) + 5_000 }, scopes);
    const result = await subgraph.execute({ document: parse(query), variables, request });
    return { ...result, data: JSON.parse(JSON.stringify(result.data)) };
  };
  return { ...retailer, catalog, reads, ask };
}

test('a page of products costs one read of the ERP, and the next page follows its cursor', async () => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask, reads } = await aCatalogSubgraph(db);
  const { data, errors } = await ask(`{ products(first: 10) { totalCount pageInfo { hasNextPage hasPreviousPage }
    nodes { sku title baseUnit hazardous references { system externalId kind } price(channel: "web") { value { amount currency } provenance { lane } } } } }`);
  expect(errors).toEqual([]);
  expect(data.products).toMatchObject({ totalCount: 2, pageInfo: { hasNextPage: false, hasPreviousPage: false } });
  expect(data.products.nodes[0]).toMatchObject({
    sku: 'A',
    title: 'Title of A',
    baseUnit: 'PIECE',
    hazardous: false,
    price: { value: { amount: '9.50', currency: 'GBP' }, provenance: { lane: 'REALTIME' } },
  });
  expect(data.products.nodes[0].references.map(({ system }: { system: string }) => system).toSorted()).toEqual([
    'erp',
    'marketplace',
    'pos',
  ]);
  expect(reads).toEqual([['A', 'B']]);
  const first = await ask('{ products(first: 1) { nodes { sku } pageInfo { endCursor hasNextPage } } }');
  const { endCursor } = first.data.products.pageInfo;
  const second = await ask(
    `{ products(first: 1, after: "${endCursor}") { nodes { sku } pageInfo { hasNextPage hasPreviousPage } } }`,
  );
  expect(second.data.products).toEqual({
    nodes: [{ sku: 'B' }],
    pageInfo: { hasNextPage: false, hasPreviousPage: true },
  });
});

test('a product that does not exist is null; one behind a failed ERP without a snapshot is an error', async () => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask, catalog } = await aCatalogSubgraph(db);
  expect((await ask('{ product(sku: "nope") { sku } }')).data).toEqual({ product: null });
  catalog.products = async (skus) => skus.map(() => new MortarError('UPSTREAM_TIMEOUT', { system: 'erp' }));
  const { data, errors } = await ask('{ product(sku: "A") { sku } channels { id name kind } }');
  expect(data.product).toBeNull();
  expect(data.channels[0]).toEqual({ id: 'web', name: 'Web', kind: 'WEB' });
  expect(errors[0]?.extensions).toEqual({ code: 'UPSTREAM_TIMEOUT', system: 'erp' });
});

test('a list of products that are still being loaded has no total and says so', async () => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask, catalog } = await aCatalogSubgraph(db);
  const query = '{ products { totalCount nodes { sku } } }';
  expect(await ask(query)).toMatchObject({ data: { products: { totalCount: 2 } }, degraded: [] });
  catalog.loadingSystem = async () => 'erp';
  expect(await ask(query)).toMatchObject({
    data: { products: { totalCount: null, nodes: [{ sku: 'A' }, { sku: 'B' }] } },
    degraded: [{ system: 'erp', stale: true, degraded: true, path: ['products'] }],
  });
});

test('a value from a snapshot is told in the notices', async () => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask, catalog } = await aCatalogSubgraph(db);
  const item = anItem('erp', 'A');
  catalog.products = async () => [{ ...item, provenance: { ...item.provenance, stale: true, degraded: true } }];
  const { data, degraded } = await ask(
    'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Product { name: title } ... on Channel { kind } } }',
    ['catalog:read'],
    {
      r: [
        { __typename: 'Product', sku: 'A' },
        { __typename: 'Channel', id: 'gone' },
      ],
    },
  );
  expect(data['_entities']).toEqual([{ name: 'Title of A' }, { kind: null }]);
  expect(degraded).toMatchObject([{ system: 'erp', stale: true, degraded: true, path: ['_entities', 0, 'name'] }]);
});

test('listings carry what the channel’s own system published', async () => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask, catalog } = await aCatalogSubgraph(db);
  const listing = anItem('marketplace', 'A', { publishedQuantity: 3 });
  await catalog.itemSink.writePage(aFeed('marketplace', 'items'), aPage([listing]));
  const { data, errors } = await ask(
    '{ product(sku: "A") { listings { channel { id } externalId publishedQuantity { value } } } }',
  );
  expect(errors).toEqual([]);
  expect(data.product.listings).toEqual([
    { channel: { id: 'amazon' }, externalId: 'marketplace:A', publishedQuantity: { value: 3 } },
  ]);
});

test('systems need their own scope', async () => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask } = await aCatalogSubgraph(db);
  const query =
    '{ systems { id state lagSeconds capabilities unmatchedItems breakers { read } coverage { port coverage } } }';
  expect((await ask(query)).data.systems).toMatchObject([
    { id: 'erp', state: 'UP', lagSeconds: null, breakers: { read: 'OPEN' }, coverage: [{ coverage: 'LIVE' }] },
  ]);
  const denied = await ask(query, ['catalog:read']);
  expect(denied.data).toEqual({ systems: null });
  expect(denied.errors[0]?.extensions['code']).toBe('SCOPE_REQUIRED');
});

test.each([
  ['{ products(first: 1000) { nodes { sku } } }', 'LIMIT_LIST', '1 to 100'],
  ['{ products(after: "x") { nodes { sku } } }', 'BAD_USER_INPUT', 'after'],
  ['{ products(filter: { text: " " }) { nodes { sku } } }', 'BAD_USER_INPUT', 'filter.text'],
  [`{ products(filter: { skus: [${'"A" '.repeat(201)}] }) { nodes { sku } } }`, 'LIMIT_LIST', 'filter.skus'],
  [
    '{ product(sku: "A") { price(channel: "tiktok") { value { amount } } } }',
    'BAD_USER_INPUT',
    'Known channels: web, store, amazon.',
  ],
])('%s is refused with %s', async (query, code, message) => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask } = await aCatalogSubgraph(db);
  const { errors } = await ask(query);
  expect(errors[0]?.extensions['code']).toBe(code);
  expect(errors[0]?.message).toContain(message);
});
