import { describe, expect, it } from 'vitest';

import { toSku } from '#schema/model/ids.ts';
import { HOSTILE_IDS, checkWire, contextOf } from '#test/support/connector-contract.ts';
import { checkResponse, contractsAvailable, loadContract } from '#test/support/contracts.ts';

import { itemFeed } from './catalog.ts';
import { posSquare } from './connector.ts';
import { profileFeed, profilesById } from './customers.ts';
import catalogAnswer from './fixtures/catalog-search.json' with { type: 'json' };
import countsAnswer from './fixtures/inventory-counts.json' with { type: 'json' };
import customersAnswer from './fixtures/customers-bulk-retrieve.json' with { type: 'json' };
import locationsAnswer from './fixtures/locations.json' with { type: 'json' };
import loyaltyAnswer from './fixtures/loyalty-accounts.json' with { type: 'json' };
import ordersAnswer from './fixtures/orders.json' with { type: 'json' };
import { locations } from './locations.ts';
import { loyaltyByCustomer } from './loyalty.ts';
import { readPlan } from './order-plan.ts';
import { orderState } from './order-state.ts';
import { orderFeed, ordersById } from './orders.ts';
import { stockByItem } from './stock.ts';

const context = contextOf(posSquare, { credentials: { token: 'secret' } });
const headers = posSquare.auth.kind === 'headers' ? posSquare.auth.headers(context.settings) : {};
const later = JSON.stringify({ since: '2026-11-01T00:00:00.000Z', startedAt: null, seen: null, token: 'next-1' });
const plan = JSON.stringify({ run: later, groups: [['L1', 'L2'], ['L3']] });
const keysOf = (ids: readonly string[]) => ids.map((externalId) => ({ sku: toSku(`SKU-${externalId}`), externalId }));

describe.skipIf(!contractsAvailable())('by the contract of Square', () => {
  it('emits valid requests', async () => {
    const contract = await loadContract('square/square-2025-08-20.json');
    const first = stockByItem.request(keysOf(['V1']), context);
    for (const request of [
      locations.request(context),
      first,
      stockByItem.more?.({ cursor: 'c' }, first, context)?.request ?? first,
      profilesById.request(['C1', 'C2'], context),
      loyaltyByCustomer.request(['C1'], context),
      ordersById.request(['O1'], context),
      itemFeed.request(null, context),
      itemFeed.request(later, context),
      profileFeed.request(null, context),
      profileFeed.request(later, context),
      orderFeed.request(null, context),
      orderFeed.request(plan, context),
    ]) {
      expect([request.operation, checkWire(contract, request, headers)]).toEqual([request.operation, []]);
    }
  });

  it('uses fixtures that are valid answers', async () => {
    const contract = await loadContract('square/square-2025-08-20.json');
    const answers: readonly [string, string, unknown][] = [
      ['GET', '/v2/locations', locationsAnswer],
      ['POST', '/v2/inventory/counts/batch-retrieve', countsAnswer],
      ['POST', '/v2/customers/bulk-retrieve', customersAnswer],
      ['POST', '/v2/loyalty/accounts/search', loyaltyAnswer],
      ['POST', '/v2/orders/batch-retrieve', ordersAnswer],
      ['POST', '/v2/catalog/search', catalogAnswer],
    ];
    for (const [method, url, answer] of answers) {
      expect([url, checkResponse(contract, { method, url }, 200, answer)]).toEqual([url, []]);
    }
  });
});

describe('requests', () => {
  it.each(HOSTILE_IDS)('carries %s as a key and nothing else', (id) => {
    expect(profilesById.request([id], context)).toMatchObject({
      path: '/v2/customers/bulk-retrieve',
      json: { customer_ids: [id] },
    });
    expect(ordersById.request([id], context)).toMatchObject({
      path: '/v2/orders/batch-retrieve',
      json: { order_ids: [id] },
    });
  });

  it('keeps the vendor limits: 100 customers, 100 orders, 30 loyalty customers', () => {
    expect([profilesById.max, ordersById.max, loyaltyByCustomer.max]).toEqual([100, 100, 30]);
  });
});

describe('stock', () => {
  it('adds reserved units to the shelf, over pages, per location', () => {
    const [first, second] = [countsAnswer.counts.slice(0, 2), countsAnswer.counts.slice(2)];
    const { values } = stockByItem.decode(
      [{ counts: first, cursor: 'c' }, { counts: second }],
      keysOf(['V1', 'V2']),
      context,
    );
    expect(values.get('V1')).toMatchObject([
      {
        code: 'SKU-V1',
        locationExternalId: 'L1',
        onHand: 20,
        committed: 3,
        nets: [],
        stamp: { asOf: '2026-11-22T09:00:00.000Z' },
      },
      { locationExternalId: 'L2', onHand: -2, committed: 0 },
    ]);
    expect(values.get('V2')).toEqual([]);
  });

  it.each([
    ['of the same item', { catalog_object_id: 'V1', location_id: 'L2', state: 'IN_STOCK', quantity: 'many' }, ['V2']],
    ['whose item it does not name', { location_id: 'L2' }, []],
  ])('gives no half of an item: an unreadable count %s leaves it unanswered', (_case, bad, answered) => {
    const count = (id: string) => ({ catalog_object_id: id, location_id: 'L1', state: 'IN_STOCK', quantity: '5' });
    const body = { counts: [count('V1'), count('V2'), bad] };
    const { values, rejected } = stockByItem.decode([body], keysOf(['V1', 'V2']), context);
    expect([[...values.keys()], rejected]).toEqual([answered, 1]);
  });

  it('answers no empty list for items whose rows may be among the unreadable ones', () => {
    const decoded = stockByItem.decode(
      [{ counts: [{ catalog_object_id: 'V1', quantity: 3 }] }],
      keysOf(['V1']),
      context,
    );
    expect(decoded).toEqual({ values: new Map(), rejected: 1 });
  });
});

describe('customers', () => {
  it('answers each id for itself: a profile, null, or an error', () => {
    const body = profilesById.page.parse(customersAnswer);
    const { values } = profilesById.decode([body], ['C1', 'GONE', 'BAD', '__proto__', 'ABSENT'], context);
    expect(values.get('C1')).toMatchObject({
      givenName: 'Ada',
      email: 'ada@example.com',
      emailVerified: false,
      birthDate: null,
      country: 'GB',
      loyaltyNumber: 'LOY-1',
      isTest: true,
      addresses: [{ lines: ['1 Long Acre'], city: 'London', postalCode: 'WC2E 9LH', country: 'GB' }],
      stamp: { sequence: '4' },
    });
    expect(values.get('GONE')).toBeNull();
    expect(values.get('BAD')).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect([values.has('__proto__'), values.has('ABSENT')]).toEqual([false, false]);
  });
});

describe('loyalty', () => {
  it('gives every account to its customer', () => {
    const { values } = loyaltyByCustomer.decode([loyaltyByCustomer.page.parse(loyaltyAnswer)], ['C1', 'C2'], context);
    expect(values.get('C1')).toMatchObject([{ externalId: 'A1', number: '+447700900123', points: 120, tier: null }]);
    expect(values.has('C2')).toBe(false);
  });

  it.each([
    [['GOLD=500', 'BRONZE=0', 'SILVER=300'], 'GOLD'],
    [['GOLD=501', 'SILVER=300'], 'SILVER'],
    [['GOLD=501'], null],
  ])('reads the tier of 500 lifetime points from the configured tiers %j: %s', (loyaltyTiers, tier) => {
    const tiered = contextOf(posSquare, { credentials: { token: 'secret' }, options: { loyaltyTiers } });
    const { values } = loyaltyByCustomer.decode([loyaltyByCustomer.page.parse(loyaltyAnswer)], ['C1'], tiered);
    expect(values.get('C1')).toMatchObject([{ externalId: 'A1', tier }]);
  });

  it('refuses a tier that names no points', () => {
    expect(() =>
      contextOf(posSquare, { credentials: { token: 'secret' }, options: { loyaltyTiers: ['GOLD'] } }),
    ).toThrow(/loyaltyTiers/);
  });
});

describe('locations', () => {
  it('reads active stores with their hours', () => {
    expect(locations.decode([locations.page.parse(locationsAnswer)], context)).toEqual([
      {
        externalId: 'L1',
        name: 'London',
        kind: 'STORE',
        zone: null,
        latitude: 51.5117,
        longitude: -0.124,
        postalCode: 'WC2E 9LH',
        country: 'GB',
        timeZone: 'Europe/London',
        openingPeriods: [
          { weekday: 1, opensAt: '09:00', closesAt: '17:30' },
          { weekday: 7, opensAt: '10:30', closesAt: '16:30' },
        ],
      },
    ]);
  });
});

describe('items', () => {
  it("reads variations with their parent's title, and deletions", () => {
    const step = itemFeed.decode(itemFeed.page.parse(catalogAnswer), null, context);
    expect(step).toMatchObject({ done: true, rejected: 0 });
    expect(step.changes).toMatchObject([
      {
        kind: 'upsert',
        value: {
          externalId: 'V1',
          code: 'MUG-1',
          title: 'Mug',
          price: { amount: '11.99', currency: 'GBP' },
          blocked: false,
        },
      },
      { kind: 'delete', externalId: 'V9' },
    ]);
  });
});

describe('orders', () => {
  it('reads a sale over the counter and a pickup of a guest', () => {
    const { values } = ordersById.decode([ordersById.page.parse(ordersAnswer)], [], context);
    expect(values.get('O1')).toMatchObject({
      orderNumber: 'R-1',
      state: 'COLLECTED',
      channel: 'store',
      customerExternalId: 'C1',
      buyer: null,
      locationExternalId: 'L1',
      lines: [{ code: 'V1', quantity: 2, unitPrice: { amount: '11.99', currency: 'GBP' } }],
      total: { amount: '23.98', currency: 'GBP' },
    });
    expect(values.get('O2')).toMatchObject({
      state: 'READY_FOR_PICKUP',
      vendorState: 'OPEN/PREPARED',
      channel: 'web',
      buyer: { kind: 'GUEST', externalId: 'O2', givenName: 'Grace', familyName: 'Hopper', email: 'grace@example.com' },
    });
  });

  it.each([
    [{ state: 'CANCELED' }, 'CANCELED'],
    [{ state: 'COMPLETED', returns: [{}] }, 'RETURN_RECEIVED'],
    [{ state: 'COMPLETED', returns: [{}], refunds: [{ status: 'APPROVED' }] }, 'REFUNDED'],
    [{ state: 'OPEN', fulfillments: [{ type: 'SHIPMENT', state: 'PREPARED' }] }, 'PACKED'],
    [{ state: 'COMPLETED', fulfillments: [{ type: 'DELIVERY', state: 'COMPLETED' }] }, 'DELIVERED'],
    [{ state: 'OPEN', fulfillments: [{ type: 'PICKUP', state: 'RESERVED' }] }, 'PICKING'],
    [{ state: 'SOMETHING_NEW' }, 'UNKNOWN'],
  ])('maps %o to %s', (order, state) => {
    expect(orderState(order).state).toBe(state);
  });

  it('lists the locations first and then searches them in groups of ten, in one run', () => {
    const list = Array.from({ length: 12 }, (_, index) => ({ id: `L${index + 1}` }));
    const listed = orderFeed.decode({ locations: list }, null, context);
    expect(listed).toMatchObject({ done: false, changes: [] });
    expect(orderFeed.request(listed.cursor, context).json).toMatchObject({ location_ids: { length: 10 } });
    const firstGroup = orderFeed.decode({ orders: ordersAnswer.orders }, listed.cursor, context);
    expect(firstGroup.done).toBe(false);
    expect(orderFeed.request(firstGroup.cursor, context).json).toMatchObject({ location_ids: ['L11', 'L12'] });
    const last = orderFeed.decode({ orders: [] }, firstGroup.cursor, context);
    expect(last.done).toBe(true);
    expect(readPlan(last.cursor).groups).toBeNull();
    expect(orderFeed.request(last.cursor, context).operation).toBe('ListLocations');
    const again = orderFeed.decode({ locations: list }, last.cursor, context);
    expect(orderFeed.request(again.cursor, context).json).toMatchObject({
      query: { filter: { date_time_filter: { updated_at: { start_at: '2026-11-21T12:00:00.001Z' } } } },
    });
  });

  it('begins the run again when its cursor expired', () => {
    const answer = {
      status: 400,
      headers: {},
      body: { errors: [{ category: 'INVALID_REQUEST_ERROR', code: 'INVALID_CURSOR' }] },
    };
    expect(orderFeed.expired?.(answer)).toBe(true);
    expect(orderFeed.expired?.({ ...answer, body: { errors: [{ code: 'BAD_REQUEST' }] } })).toBe(false);
    expect(orderFeed.request(orderFeed.restart?.(plan) ?? null, context).operation).toBe('ListLocations');
  });
});
