import { expect, test } from 'vitest';
import { parse } from 'graphql';

import { aReading } from '#test/support/catalog.ts';
import { openTestSqlite, type TestDatabase } from '#test/support/databases.ts';
import { aRetailer, idOf, retailMigrations } from '#test/support/retail.ts';
import { aRequest } from '#test/support/people-subgraph.ts';
import { NOON_MS } from '#test/support/catalog.ts';
import { createChanges } from '#platform/changes.ts';
import type { Scope } from '#schema/model/request.ts';
import { stockLevelId } from '#domain/stock/stock.ts';
import { createInventorySubgraph } from './subgraph.ts';

const deciders = { forFetch: () => ({ decide: () => Promise.resolve({ allowed: true as const }) }) };

async function anInventory(db: TestDatabase) {
  const retailer = await aRetailer(db);
  const subgraph = createInventorySubgraph({
    ...retailer,
    deciders,
    changes: createChanges({ key: new Uint8Array(32) }),
    stockWatch: { add: () => () => undefined },
  });
  const ask = async (query: string, scopes: readonly Scope[] = ['inventory:read', 'systems:read'], variables = {}) => {
    const request = aRequest({ deadlineAtMs: Math.max(Date.now(), NOON_MS) + 5_000 }, scopes);
    const result = await subgraph.execute({ document: parse(query), variables, request });
    return { ...result, data: JSON.parse(JSON.stringify(result.data)) };
  };
  return { ...retailer, ask };
}

const FIGURE = 'value bound provenance { lane stale degraded asOf inputs { system } }';

test('sums what the authorities of the serving places state, less commitments and buffer, and never a witness', async () => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask, calls } = await anInventory(db);
  const { data, errors, degraded } = await ask(`{
    availability(skus: ["A", "nope", "A"], channel: "web") {
      sku reason guarantee quantity { ${FIGURE} } explain { supply committed protection held ringFenced inFlight cap }
      locations { location { id name } quantity { value } reason }
    } }`);
  expect(errors).toEqual([]);
  expect(degraded).toEqual([]);
  const [a, nope, again] = data.availability;
  expect(a).toEqual(again);
  // L1 5-2-1, L2 3-1, W1 20 (nets committed)-1; the wms figure of 99 for L1 and the ERP's 500 are witnesses.
  expect(a.quantity.value).toBe(2 + 2 + 19);
  expect(a.quantity).toMatchObject({ bound: null, provenance: { lane: 'DERIVED', stale: false, degraded: false } });
  expect(a.explain).toEqual({
    supply: 28,
    committed: 2,
    protection: 3,
    held: 0,
    ringFenced: 0,
    inFlight: 0,
    cap: null,
  });
  expect(a.guarantee).toBe('INDICATIVE');
  expect(a.locations.map((row: { quantity: { value: number } }) => row.quantity.value)).toEqual([19, 2, 2]);
  expect(nope).toMatchObject({ sku: 'nope', quantity: null, reason: 'UNKNOWN_SKU', locations: [] });
  expect(calls.map(({ system }) => system).toSorted()).toEqual(['pos', 'wms']);
});

test('one batch a system serves a page that asks for availability and stock', async () => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask, calls } = await anInventory(db);
  const { data, errors } = await ask(
    `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Product {
       sku availability(channel: "web") { quantity { value } }
       stock { totalCount nodes { location { name } onHand { value } committed { value } held { value } witnesses { value provenance { source { system reference } } } } } } } }`,
    ['inventory:read'],
    { r: ['A', 'B'].map((sku) => ({ __typename: 'Product', sku })) },
  );
  expect(errors).toEqual([]);
  expect(new Map(calls.map(({ system, skus }) => [system, skus]))).toEqual(
    new Map([
      ['pos', ['A']],
      ['wms', ['A', 'B']],
    ]),
  );
  expect(calls).toHaveLength(2);
  const [a, b] = data['_entities'];
  expect(a.stock.totalCount).toBe(4);
  const l1 = a.stock.nodes.find((row: { location: { name: string } }) => row.location.name === 'Store L1');
  expect(l1).toMatchObject({ onHand: { value: 5 }, committed: { value: 2 }, held: null });
  expect(l1.witnesses).toMatchObject([
    { value: 99, provenance: { source: { system: 'wms' } } },
    { value: 500, provenance: { source: { system: 'erp', reference: 'company-total' } } },
  ]);
  // The warehouse answers and names no B: none is there. The tills do not carry B.
  expect(b.availability.quantity.value).toBe(0);
  expect(b.stock.nodes).toEqual([]);
});

test.each(['down', 'silent'] as const)('a %s authority falls back to what was last seen, flagged', async (failure) => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask, state, stock } = await anInventory(db);
  const query = `{ availability(skus: ["A"], channel: "web") { reason quantity { ${FIGURE} } locations { quantity { value } reason } } }`;
  const fresh = await ask(query);
  await stock.close();
  state.stock['pos'] = failure;
  const fallback = await ask(query);
  expect(fallback.errors).toEqual([]);
  const [row] = fallback.data.availability;
  expect(row.quantity.value).toBe(fresh.data.availability[0].quantity.value);
  expect(row.quantity.provenance).toMatchObject({ stale: true, degraded: true });
  expect(fallback.degraded).toMatchObject([
    { system: 'pos', stale: true, degraded: true, path: ['availability', 0, 'quantity'] },
  ]);
});

test('an authority that never answered leaves its places out, and the sum says that it is partial', async () => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask, state } = await anInventory(db);
  state.stock['pos'] = 'down';
  const { data } = await ask(`{
    web: availability(skus: ["A"], channel: "web") { reason quantity { ${FIGURE} } locations { reason } }
    store: availability(skus: ["A"], channel: "store") { reason quantity { value } } }`);
  expect(data.web[0]).toMatchObject({ reason: null, quantity: { value: 19, provenance: { degraded: true } } });
  expect(data.web[0].locations.map(({ reason }: { reason: string | null }) => reason)).toEqual([
    null,
    'UPSTREAM_UNAVAILABLE',
    'UPSTREAM_UNAVAILABLE',
  ]);
  expect(data.store[0]).toEqual({ reason: 'UPSTREAM_UNAVAILABLE', quantity: null });
});

test('absurd and negative figures are shown, not offered', async () => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask, state } = await anInventory(db);
  state.stock['pos'] = [aReading('pos', 'L1', { onHand: -4 }), aReading('pos', 'L2', { onHand: 3 })];
  const { data } = await ask(`{ availability(skus: ["A"], channel: "store") {
    quantity { value } locations { location { name } quantity { value } reason } } }`);
  expect(data.availability[0].quantity.value).toBe(3);
  expect(data.availability[0].locations).toEqual([
    { location: { name: 'Store L2' }, quantity: { value: 3 }, reason: null },
    { location: { name: 'Store L1' }, quantity: null, reason: 'QUARANTINED' },
  ]);
  const id = stockLevelId('A', idOf('pos', 'L1'));
  const level = await ask(
    'query ($r: [_Any!]!) { _entities(representations: $r) { ... on StockLevel { id onHand { value provenance { degraded } } } } }',
    ['inventory:read'],
    {
      r: [
        { __typename: 'StockLevel', id },
        { __typename: 'StockLevel', id: 'stk_nonsense' },
      ],
    },
  );
  expect(level.data['_entities']).toEqual([{ id, onHand: { value: -4, provenance: { degraded: true } } }, null]);
});

test('marketplace stock serves only its channel, by feed', async () => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask } = await anInventory(db);
  const { data } = await ask(`{ availability(skus: ["A"], channel: "amazon") { quantity { value } }
    named: availability(skus: ["A"], channel: "web", locations: ["${idOf('marketplace', 'FBA')}", "${idOf('locker', 'K')}", "loc_none"]) {
      reason quantity { value } locations { reason location { name } } } }`);
  expect(data.availability[0].quantity.value).toBe(7);
  expect(data.named[0]).toEqual({
    reason: 'CHANNEL_EXCLUDED',
    quantity: null,
    locations: [
      { reason: 'CHANNEL_EXCLUDED', location: { name: 'FBA' } },
      { reason: 'CHANNEL_EXCLUDED', location: { name: 'Locker' } },
    ],
  });
});

test('finds places near a point, a postal code or a place, and pages by cursor', async () => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask } = await anInventory(db);
  const { data } = await ask(`{
    point: locations(near: { point: { latitude: 53.4, longitude: -2.2 } }, kinds: [STORE]) { nodes { name distanceKm openNow nextOpening } totalCount }
    within: locations(near: { postalCode: "m1", country: "gb", withinKm: 10 }) { nodes { name distanceKm } }
    first: locations(first: 1) { nodes { name } pageInfo { endCursor hasNextPage } } }`);
  expect(data.point.nodes.map(({ name }: { name: string }) => name)).toEqual(['Store L2', 'Store L1']);
  expect(data.point.nodes[0]).toMatchObject({ openNow: true, nextOpening: null });
  expect(data.point.nodes[1].distanceKm).toBeCloseTo(256, -1);
  expect(data.within.nodes).toEqual([{ name: 'Store L2', distanceKm: 0 }]);
  const seen = [data.first.nodes[0].name];
  let { pageInfo } = data.first;
  while (pageInfo.hasNextPage) {
    const next = await ask(
      `{ locations(first: 1, after: "${pageInfo.endCursor}") { nodes { name } pageInfo { endCursor hasNextPage } } }`,
    );
    seen.push(next.data.locations.nodes[0].name);
    ({ pageInfo } = next.data.locations);
  }
  expect(new Set(seen)).toEqual(new Set(['FBA', 'Locker', 'Store L1', 'Store L2', 'Warehouse']));
});

test.each([
  ['{ availability(skus: ["A"], channel: "tiktok") { sku } }', 'BAD_USER_INPUT', 'Known channels: web, store, amazon.'],
  ['{ locations(near: {}) { nodes { id } } }', 'BAD_USER_INPUT', 'exactly one'],
  ['{ locations(near: { postalCode: "ZZ9 9ZZ" }) { nodes { id } } }', 'BAD_USER_INPUT', 'near.postalCode'],
  ['{ locations(near: { location: "loc_x" }) { nodes { id } } }', 'BAD_USER_INPUT', 'near.location'],
  ['{ locations(near: { point: { latitude: 91, longitude: 0 } }) { nodes { id } } }', 'BAD_USER_INPUT', 'near.point'],
  ['{ locations(first: 0) { nodes { id } } }', 'LIMIT_LIST', '1 to 100'],
  ['{ locations(after: "forged") { nodes { id } } }', 'BAD_USER_INPUT', 'after'],
  [`{ availability(skus: [${'"A" '.repeat(201)}], channel: "web") { sku } }`, 'LIMIT_LIST', '200'],
])('%s is refused with %s', async (query, code, message) => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask, calls } = await anInventory(db);
  const { errors } = await ask(query);
  expect(errors[0]?.extensions['code']).toBe(code);
  expect(errors[0]?.message).toContain(message);
  expect(calls).toEqual([]);
});

test('places survive a restart while their system is down; without any trace of them an id is an error, not absent', async () => {
  await using db = await openTestSqlite(retailMigrations);
  const first = await anInventory(db);
  const query = `{ location(id: "${idOf('pos', 'L1')}") { name } }`;
  const before = await anInventory(db);
  before.state.locations = 'down';
  const lost = await before.ask(query);
  expect(lost.data.location).toBeNull();
  expect(lost.errors[0]?.extensions).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', system: 'pos' });
  const partial = await before.ask('{ availability(skus: ["A"], channel: "store") { reason } }');
  expect(partial.data.availability).toEqual([{ reason: 'UPSTREAM_UNAVAILABLE' }]);

  await first.ask(query);
  const restarted = await anInventory(db);
  restarted.state.locations = 'down';
  const kept = await restarted.ask(query);
  expect(kept.data.location).toEqual({ name: 'Store L1' });
  expect(kept.degraded).toMatchObject([{ system: 'pos', degraded: true, path: ['location'] }]);
});

test('every root and nullable field asks for its scope', async () => {
  await using db = await openTestSqlite(retailMigrations);
  const { ask, calls } = await anInventory(db);
  const { data, errors } = await ask(
    '{ availability(skus: ["A"], channel: "web") { sku } locations { nodes { id } } }',
    [],
  );
  expect(data).toEqual({ availability: null, locations: null });
  expect(errors.map(({ extensions }) => extensions['code'])).toEqual(['SCOPE_REQUIRED', 'SCOPE_REQUIRED']);
  expect(calls).toEqual([]);
  const explain = await ask('{ availability(skus: ["A"], channel: "web") { explain { supply } } }', ['inventory:read']);
  expect(explain.data.availability).toEqual([{ explain: null }]);
});
