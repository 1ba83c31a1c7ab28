import { beforeAll, describe, expect, test } from 'vitest';
import { buildWorld } from '#sandbox/world/build.ts';
import { indexOf } from '#sandbox/world/index-of.ts';
import type { World } from '#sandbox/world/types.ts';
import { contractsAvailable, loadContract } from '#test/support/contracts.ts';
import type { Contract } from '#test/support/contracts.ts';
import { createVendorCall } from '#test/support/vendor-call.ts';
import { createWmsVendor } from './wms-connect.ts';
import { WMS_API_KEY } from './wms-wire.ts';

const nowMs = Date.parse('2026-11-20T09:00:00Z');
const vendor = createWmsVendor({ nowMs: () => nowMs });
const transaction = { transaction_id: '2b0c5f0e-3a86-4a51-8a2c-4e5d0f3c9a11' };
const source = { ...transaction, auth: { order_source_api_code: 'mortar', api_key: WMS_API_KEY } };
const provider = { ...transaction, auth: { fulfillment_provider_api_code: 'wms', api_key: WMS_API_KEY } };
const contracts: { source: Contract | null; provider: Contract | null } = { source: null, provider: null };
const SOURCE_PATHS = new Set(['/inventory_fetch', '/validate_connection']);
let world: World;

beforeAll(async () => {
  world = await buildWorld({ seed: 1, scale: 'small', builtAt: '2026-11-20T00:00:00.000Z' });
  if (!contractsAvailable()) return;
  contracts.source = await loadContract('shipengine/connect-order-source-4.9.0.json');
  contracts.provider = await loadContract('shipengine/connect-fulfillment-provider-4.6.0.json');
});

const call = createVendorCall({
  vendor,
  headers: () => ({}),
  contractOf: (path) => (SOURCE_PATHS.has(path) ? contracts.source : contracts.provider),
});
const post = (path: string, body: unknown) => call(world, 'POST', path, body);

const warehouseRows = () => [...world.stock.values()].filter(({ place }) => ['W1', 'W2', 'SUP1'].includes(place));

describe('Connect inventory', () => {
  test('states what lies in each warehouse, what is promised and what is left; stores are not its business', async () => {
    const sku = warehouseRows().find((row) => row.committed > 0)!.sku;
    const { body } = await post('/inventory_fetch', { ...source, criteria: { skus: [sku, 'NONE'] } });
    const rows = indexOf(world)
      .stockOf(sku)
      .filter(({ place }) => ['W1', 'W2', 'SUP1'].includes(place));
    expect(body.items).toHaveLength(rows.length);
    for (const row of rows) {
      expect(body.items).toContainEqual({
        integration_entity_id: `${sku}@${row.place}`,
        sku,
        onhand_quantity: row.onHand,
        committed_quantity: row.committed,
        allocated_quantity: row.committed,
        available_quantity: row.onHand - row.committed,
        fetched_at: '2026-11-20T09:00:00.000Z',
        updated_at: row.changedAt,
        warehouse_id: { W1: 'wh-daventry', W2: 'wh-wakefield', SUP1: 'wh-supplier-stoke' }[row.place],
      });
    }
  });

  test('pages by cursor at 200 rows, every row once', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const { body } = await post('/inventory_fetch', { ...source, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...(body.items as { integration_entity_id: string }[]).map((item) => item.integration_entity_id));
      cursor = body.cursor as string | undefined;
      pages += 1;
    } while (cursor !== undefined);
    expect(pages).toBe(Math.ceil(warehouseRows().length / 200));
    expect(seen.toSorted()).toEqual(
      warehouseRows()
        .map((row) => `${row.sku}@${row.place}`)
        .toSorted(),
    );
  });

  test('shows a change at once', async () => {
    const row = warehouseRows()[0]!;
    Object.assign(row, { onHand: row.onHand + 7, changedAt: '2026-11-20T08:00:00.000Z' });
    world.sequence += 1;
    const { body } = await post('/inventory_fetch', {
      ...source,
      criteria: { from_date_time: '2026-11-20T00:00:00Z' },
    });
    expect(body.items).toMatchObject([{ sku: row.sku, onhand_quantity: row.onHand }]);
  });
});

describe('Connect fulfillments', () => {
  const orderAt = (stage: string) =>
    world.orders.find((order) => order.ids.wms !== undefined && order.stage === stage)!;

  test.each([
    ['released', 'Processing', 'released', false],
    ['picking', 'Processing', 'picking', false],
    ['packed', 'Processing', 'packed', true],
    ['shipped', 'Shipped', 'in transit', true],
    ['delivered', 'Shipped', 'delivered', true],
    ['canceled', 'Cancelled', 'canceled by the customer', false],
  ])('of an order in stage %s say %s, %s', async (stage, status, reason, packed) => {
    const order = orderAt(stage);
    const { body } = await post('/get_fulfillments', { ...provider, fulfillment_provider_order_id: order.ids.wms });
    expect(body).toMatchObject({
      fulfillment_provider_order_id: `FF-${order.orderNumber}`,
      status,
      fulfillments: [{ reason }],
    });
    expect(body.shipments !== undefined).toBe(packed);
  });

  test('of an unknown order are an error inside the answer', async () => {
    const { status, body } = await post('/get_fulfillments', { ...provider, fulfillment_provider_order_id: 'FF-none' });
    expect([status, body.errors[0].code]).toEqual([200, 'fulfillments_not_found']);
  });

  test('changed since an instant come oldest first, each once', async () => {
    const seen: string[] = [];
    let next: string | undefined;
    do {
      const more = next === undefined ? {} : { next_request: next };
      const { body } = await post('/get_recent_changes', { ...provider, since: '2000-01-01T00:00:00Z', ...more });
      seen.push(
        ...(body.changes as { fulfillment_provider_order_id: string }[]).map(
          (row) => row.fulfillment_provider_order_id,
        ),
      );
      next = body.next_request as string | undefined;
    } while (next !== undefined);
    const expected = world.orders.flatMap((order) => order.ids.wms ?? []);
    expect(seen.toSorted()).toEqual(expected.toSorted());
    const { body } = await post('/get_recent_changes', { ...provider, since: '2026-11-20T00:00:00Z' });
    expect(body.changes).toEqual([]);
  });
});

describe('Connect refuses', () => {
  test.each([
    [
      'a wrong key',
      { ...source, auth: { order_source_api_code: 'mortar', api_key: 'x' } },
      401,
      'external_unauthorized_error',
    ],
    ['no transaction id', { auth: source.auth }, 400, 'validation'],
    ['a made-up cursor', { ...source, cursor: 'x' }, 400, 'validation'],
    ['what is no JSON', '{', 400, 'serialization'],
  ])('%s', async (_name, body, status, code) => {
    const answer = await post('/inventory_fetch', body);
    expect([answer.status, answer.body.detailed_errors[0].standardized_error_code]).toEqual([status, code]);
  });

  test('an operation it does not implement', async () => {
    const response = await vendor.handler(new Request('http://wms.test/get_rates', { method: 'POST' }), world);
    expect(response.status).toBe(404);
  });
});

test('a valid connection is confirmed', async () => {
  const request = new Request('http://wms.test/validate_connection', { method: 'POST', body: JSON.stringify(source) });
  expect((await vendor.handler(request, world)).status).toBe(200);
});
