import { describe, expect, it } from 'vitest';

import { toSku } from '#schema/model/ids.ts';
import type { StockMove } from '#schema/model/writes.ts';
import { HOSTILE_IDS, checkWire, contextOf } from '#test/support/connector-contract.ts';
import { checkResponse, contractsAvailable, loadContract } from '#test/support/contracts.ts';

import { readChanges } from './changes-cursor.ts';
import { wmsConnect } from './connector.ts';
import changesAnswer from './fixtures/recent-changes.json' with { type: 'json' };
import inventoryAnswer from './fixtures/inventory-fetch.json' with { type: 'json' };
import { stockMoveSink } from './counts.ts';
import { orderStepSink } from './order-steps.ts';
import { orderFeed, ordersById } from './orders.ts';
import { stockByItem } from './stock.ts';

const context = contextOf(wmsConnect, { credentials: { apiKey: 'secret' } });
const keysOf = (ids: readonly string[]) => ids.map((externalId) => ({ sku: toSku(externalId), externalId }));
const orderSource = 'shipengine/connect-order-source-4.9.0.json';
const provider = 'shipengine/connect-fulfillment-provider-4.6.0.json';

describe.skipIf(!contractsAvailable())('by the contracts of ShipEngine Connect', () => {
  it('emits valid requests', async () => {
    const stock = await loadContract(orderSource);
    const orders = await loadContract(provider);
    const first = stockByItem.request(keysOf(['MUG-1']), context);
    const polled = stockByItem.more?.({ poll_after_ms: 5, cursor: 'c' }, first, context)?.request ?? first;
    expect(checkWire(stock, first)).toEqual([]);
    expect(checkWire(stock, polled)).toEqual([]);
    expect(polled.json).toMatchObject({ cursor: 'c', criteria: { skus: ['MUG-1'] } });
    expect(checkWire(orders, ordersById.request(['F-1'], context))).toEqual([]);
    expect(checkWire(orders, orderFeed.request(null, context))).toEqual([]);
    expect(
      checkWire(orders, orderStepSink.request([{ key: 'k', externalId: 'F-1', state: 'CANCELED' }], context)),
    ).toEqual([]);
    const at = '2026-11-23T12:00:00.000Z';
    const counted = {
      key: 'c',
      externalId: 'MUG-1',
      locationExternalId: 'wh-1',
      kind: 'COUNTED',
      units: 3,
      at,
    } as const;
    expect(checkWire(stock, stockMoveSink.request([counted], context, inventoryAnswer))).toEqual([]);
    const next = orderFeed.decode({ next_request: { page: 2 } }, null, context).cursor;
    expect(checkWire(orders, orderFeed.request(next, context))).toEqual([]);
  });

  it('uses fixtures that are valid answers', async () => {
    const post = (url: string) => ({ method: 'POST', url });
    expect(checkResponse(await loadContract(orderSource), post('/inventory_fetch'), 200, inventoryAnswer)).toEqual([]);
    expect(checkResponse(await loadContract(provider), post('/get_recent_changes'), 200, changesAnswer)).toEqual([]);
    for (const change of changesAnswer.changes) {
      expect(checkResponse(await loadContract(provider), post('/get_fulfillments'), 200, change)).toEqual([]);
    }
  });
});

describe('a count', () => {
  const told = (body: object) =>
    stockMoveSink
      .decode(stockMoveSink.page.parse(body), [{} as StockMove], context)
      .map((result) => (result instanceof Error ? result.code : result.kind));

  it('names the row of its own warehouse, and nothing where the WMS keeps none', () => {
    const row = (warehouse: string) => ({
      integration_entity_id: `row-${warehouse}`,
      sku: 'MUG-1',
      warehouse_id: warehouse,
    });
    const read = { items: [row('wh-1'), row('wh-2'), { ...row('wh-3'), sku: 'MUG-2' }] };
    const at = '2026-11-23T12:00:00.000Z';
    const countAt = (locationExternalId: string) =>
      stockMoveSink.request(
        [{ key: 'c', externalId: 'MUG-1', locationExternalId, kind: 'COUNTED', units: 3, at }],
        context,
        read,
      ).json;
    expect(countAt('wh-2')).toMatchObject({ items: [{ integration_entity_id: 'row-wh-2', available_quantity: 3 }] });
    expect(() => countAt('wh-3')).toThrow('keeps no stock of this item there');
  });

  it('is done, taken in for later, refused for good or to be tried again', () => {
    expect(told({ items: [] })).toEqual(['DONE']);
    expect(told({ cursor: 'c', poll_after_ms: 500 })).toEqual(['ACCEPTED']);
    const problem = { integration_inventory_item_id: 'x', message: 'no' };
    expect(told({ errors: [{ ...problem, category: 'not_found' }] })).toEqual(['UPSTREAM_CONTRACT']);
    expect(told({ errors: [{ ...problem, category: 'resource_locked' }] })).toEqual(['UPSTREAM_UNAVAILABLE']);
  });
});

describe('requests', () => {
  it.each(HOSTILE_IDS)('carries %s as a key and nothing else', (id) => {
    expect(ordersById.request([id], context)).toMatchObject({
      path: '/get_fulfillments',
      json: { fulfillment_provider_order_id: id },
    });
    expect(stockByItem.request(keysOf([id]), context)).toMatchObject({ json: { criteria: { skus: [id] } } });
  });
});

describe('stock', () => {
  it('reads each warehouse, and what is known when only the available figure is given', () => {
    const body = stockByItem.page.parse(inventoryAnswer);
    const { values } = stockByItem.decode([body], keysOf(['MUG-1', 'MUG-2', 'LOCKED', 'NONE']), context);
    expect(values.get('MUG-1')).toMatchObject([
      {
        locationExternalId: 'wh-1',
        onHand: 12,
        committed: 4,
        nets: [],
        stamp: { asOf: '2026-11-22T08:00:00.000Z', sequence: '2026-11-21T00:00:00.000Z' },
      },
      { locationExternalId: 'wh-2', onHand: 9, committed: 2, nets: [] },
    ]);
    expect(values.get('MUG-2')).toMatchObject([{ onHand: 5, committed: null, nets: ['committed'] }]);
    expect(values.get('LOCKED')).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect([values.has('NONE'), stockByItem.absent]).toEqual([false, []]);
  });

  it('gives no half of an item: an unreadable warehouse leaves the item unanswered', () => {
    const row = { integration_entity_id: 'e', available_quantity: 3, fetched_at: '2026-11-22T08:00:00Z' };
    const items = [
      { ...row, sku: 'A', warehouse_id: 'wh-1' },
      { ...row, sku: 'A', warehouse_id: 'wh-2', available_quantity: 'many' },
      { ...row, sku: 'B', warehouse_id: 'wh-1' },
    ];
    const { values, rejected } = stockByItem.decode([{ items }], keysOf(['A', 'B']), context);
    expect([[...values.keys()], rejected]).toEqual([['B'], 1]);
  });

  it('follows cursors and polls as long as the WMS asks', () => {
    const first = stockByItem.request(keysOf(['A']), context);
    expect(stockByItem.more?.({ poll_after_ms: 40 }, first, context)).toMatchObject({ afterMs: 40 });
    expect(stockByItem.more?.({ items: [], cursor: 'c2' }, first, context)).toMatchObject({
      afterMs: 0,
      request: { json: { cursor: 'c2' } },
    });
    expect(stockByItem.more?.({ items: [] }, first, context)).toBeNull();
  });
});

describe('fulfillments', () => {
  it('reads state, order number, warehouse and lines', () => {
    const step = orderFeed.decode(orderFeed.page.parse(changesAnswer), null, context);
    expect(step.rejected).toBe(0);
    expect(step.changes).toMatchObject([
      {
        value: {
          externalId: 'F-1',
          orderNumber: 'WEB-1001',
          state: 'IN_TRANSIT',
          vendorState: 'Shipped',
          locationExternalId: 'wh-1',
          lines: [{ code: 'MUG-1', quantity: 2 }],
          updatedAt: '2026-11-22T10:00:00.000Z',
          buyer: null,
        },
      },
      { value: { externalId: 'F-2', orderNumber: null, state: 'PICKING', lines: [{ code: 'MUG-2', quantity: 1 }] } },
      { value: { externalId: 'F-3', state: 'PACKED', vendorState: 'Processing/Packed' } },
      { value: { externalId: 'F-4', state: 'CANCELED' } },
    ]);
  });

  it.each([
    ['received', 'RELEASED'],
    ['picking', 'PICKING'],
    ['packed', 'PACKED'],
  ])('reads a fulfillment in process with the reason %s as %s', (reason, state) => {
    const row = { fulfillment_provider_order_id: 'F-9', status: 'Processing', fulfillments: [{ reason }] };
    expect(orderFeed.decode({ changes: [row] }, null, context).changes).toMatchObject([{ value: { state } }]);
  });

  it('takes the order number from the id where the configuration says so', () => {
    const named = contextOf(wmsConnect, { credentials: { apiKey: 'x' }, options: { orderIdPrefix: 'F-' } });
    const step = orderFeed.decode(orderFeed.page.parse(changesAnswer), null, named);
    expect(step.changes[1]).toMatchObject({ value: { orderNumber: '2' } });
  });

  it('answers null for an order the WMS does not know', () => {
    const body = { errors: [{ code: 'fulfillments_not_found' }], fulfillment_provider_order_id: 'X' };
    expect(ordersById.decode([body], ['X'], context).values.get('X')).toBeNull();
  });

  it('sends the next request back unchanged and begins the next run a minute before this one', () => {
    const first = orderFeed.decode({ next_request: { page: 2 } }, null, context);
    expect(first.done).toBe(false);
    expect(orderFeed.request(first.cursor, context).json).toMatchObject({
      since: '2000-01-01T00:00:00.000Z',
      next_request: { page: 2 },
    });
    const last = orderFeed.decode({ changes: [] }, first.cursor, context);
    expect(last.done).toBe(true);
    expect(readChanges(last.cursor)).toEqual({ since: '2026-11-23T11:59:00.000Z', startedAt: null, nextRequest: null });
  });
});
