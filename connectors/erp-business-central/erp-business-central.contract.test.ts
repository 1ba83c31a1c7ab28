import { describe, expect, it } from 'vitest';

import type { MortarError } from '#platform/errors.ts';
import { HOSTILE_IDS, checkWire, contextOf } from '#test/support/connector-contract.ts';
import { checkResponse, contractsAvailable } from '#test/support/contracts.ts';
import { loadODataContract, withoutParentheses } from '#test/support/odata-contract.ts';

import { erpBusinessCentral } from './connector.ts';
import itemsAnswer from './fixtures/items.json' with { type: 'json' };
import ordersAnswer from './fixtures/sales-orders.json' with { type: 'json' };
import { itemFeed, itemsByCode } from './items.ts';
import { orderFeed, ordersById } from './orders.ts';

const COMPANY = '2b1c1f0a-7d8e-4c54-9a8e-0d4f6c1d2e3f';
const config = {
  credentials: { clientId: 'id', clientSecret: 'secret' },
  options: { companyId: COMPANY, environment: 'sandbox', customerSystem: 'crm', currency: 'GBP' },
};
const context = contextOf(erpBusinessCentral, config);
const BASE = `/v2.0/sandbox/api/v2.0/companies(${COMPANY})`;
const later = JSON.stringify({ since: '2026-11-01T00:00:00.000Z', startedAt: null, seen: null, token: null });

// The stored contract is v1.0: it checks what both versions share. It knows no $orderby and no Prefer header.
describe.skipIf(!contractsAvailable())('requests by the contract of Business Central v1.0', () => {
  it('emits valid reads', async () => {
    const contract = await loadODataContract('business-central/BCOAS1.0.json', '/v2.0/sandbox/api/v2.0');
    const { $orderby: _orderby, ...query } = itemFeed.request(later, context).query ?? {};
    for (const request of [
      itemsByCode.request(["O'Neill", 'B'], context),
      ordersById.request(['S-1', 'd3d8ab2e-1f0b-4c1f-8a43-0e0b5a5a0001'], context),
      { ...itemFeed.request(null, context), query },
    ]) {
      expect(checkWire(contract, { ...request, path: withoutParentheses(request.path) })).toEqual([]);
    }
  });

  it('uses fixtures that are valid answers', async () => {
    const contract = await loadODataContract('business-central/BCOAS1.0.json', '/v2.0/sandbox/api/v2.0');
    const get = (set: string) => ({ method: 'GET', url: withoutParentheses(`${BASE}/${set}`) });
    expect(checkResponse(contract, get('items'), 200, itemsAnswer)).toEqual([]);
    expect(checkResponse(contract, get('salesOrders'), 200, ordersAnswer)).toEqual([]);
  });
});

describe('requests', () => {
  it('filters by number with quotes doubled, below the configured company', () => {
    const request = itemsByCode.request(["O'Neill", 'B'], context);
    expect(request.path).toBe(`${BASE}/items`);
    expect(request.query).toEqual({ $filter: "number eq 'O''Neill' or number eq 'B'" });
  });

  it.each(HOSTILE_IDS)('keeps %s inside its literal and the path unchanged', (id) => {
    const items = itemsByCode.request([id], context);
    const orders = ordersById.request([id], context);
    const inside = `number eq '${id.replaceAll("'", "''")}'`;
    expect([items.path, items.query?.['$filter']]).toEqual([`${BASE}/items`, inside]);
    expect([orders.path, orders.query?.['$filter']]).toEqual([`${BASE}/salesOrders`, inside]);
  });

  it('asks for changes after the watermark and follows only the query of a next link', () => {
    expect(orderFeed.request(later, context).query).toMatchObject({
      $filter: 'lastModifiedDateTime gt 2026-11-01T00:00:00.000Z',
      $expand: 'salesOrderLines',
    });
    const paged = JSON.stringify({ ...JSON.parse(later), token: 'https://evil.example/x?$skiptoken=9&aid=1' });
    const next = orderFeed.request(paged, context);
    expect(next).toMatchObject({ path: `${BASE}/salesOrders`, query: { $skiptoken: '9', aid: '1' } });
  });
});

describe('answers', () => {
  it('reads items with price, base unit and company-wide quantity', () => {
    const { values, rejected } = itemsByCode.decode([itemsByCode.page.parse(itemsAnswer)], ['MUG-1'], context);
    expect(rejected).toBe(0);
    expect(values.get('MUG-1')).toEqual({
      externalId: '5d115c9c-44e3-ea11-bb43-000d3a2feca1',
      code: 'MUG-1',
      kind: 'item',
      gtin: '5012345678900',
      title: 'Mug, blue',
      brand: null,
      category: 'KITCHEN',
      productType: null,
      baseUnit: 'PIECE',
      hazardous: null,
      price: { amount: '12.50', currency: 'GBP' },
      publishedQuantity: null,
      companyQuantity: 37,
      blocked: false,
      stamp: {
        asOf: '2026-11-20T10:11:12.000Z',
        reference: 'MUG-1',
        sequence: '2026-11-20T10:11:12.000Z',
      },
    });
  });

  it.each([
    [{}, null],
    [{ netPrices: true }, { amount: '12.50', currency: 'GBP' }],
  ])('gives a price without tax only where the channels sell so (%j)', (options, price) => {
    const answer = { value: itemsAnswer.value.map((row) => ({ ...row, priceIncludesTax: false })) };
    const { settings } = context;
    const { values } = itemsByCode.decode([answer], ['MUG-1'], { ...context, settings: { ...settings, ...options } });
    expect(values.get('MUG-1')).toMatchObject({ price });
  });

  it('reads brand, product type and hazard from the fields an extension adds, and nothing of another type', () => {
    const options = { brandField: 'brand', productTypeField: 'kind', hazardousField: 'danger' };
    const read = (extra: object) => {
      const answer = { value: itemsAnswer.value.map((row) => ({ ...row, ...extra })) };
      const settings = { ...context.settings, ...options };
      return itemsByCode.decode([answer], ['MUG-1'], { ...context, settings }).values.get('MUG-1');
    };
    const full = { brand: 'Acme', productType: 'Mug', hazardous: true };
    expect(read({ brand: 'Acme', kind: 'Mug', danger: true })).toMatchObject(full);
    const none = { brand: null, productType: null, hazardous: null };
    expect(read({ brand: 7, kind: ' ', danger: 'yes' })).toMatchObject(none);
  });

  it('finds an order by GUID in any case and by number', () => {
    const id = 'D3D8AB2E-1F0B-4C1F-8A43-0E0B5A5A0001';
    const { values } = ordersById.decode([ordersById.page.parse(ordersAnswer)], [id, 'S-ORD101002'], context);
    expect(values.get(ordersById.keyOf(id))).toMatchObject({
      orderNumber: 'WEB-1001',
      state: 'RELEASED',
      channel: 'web',
      customerExternalId: '100000123',
      customerSystem: 'crm',
      buyer: null,
      total: { amount: '37.50', currency: 'GBP' },
      lines: [{ code: 'MUG-1', quantity: 3, unitPrice: { amount: '12.50', currency: 'GBP' } }],
    });
    expect(values.get('S-ORD101002')).toMatchObject({
      state: 'IN_TRANSIT',
      customerExternalId: null,
      buyer: { kind: 'GUEST', givenName: 'Ada', familyName: 'Byron', email: 'ada@example.com', country: 'GB' },
    });
  });

  it('names no profile when no system owns the customer numbers', () => {
    const { customerSystem: _system, ...options } = config.options;
    const without = contextOf(erpBusinessCentral, { ...config, options });
    const { values } = ordersById.decode([ordersById.page.parse(ordersAnswer)], [], without);
    expect([...values.values()]).toMatchObject(Array.from({ length: 4 }, () => ({ customerExternalId: null })));
  });

  it('pages a feed and moves its watermark', () => {
    const link = 'https://erp/x?$skiptoken=9';
    const first = itemFeed.decode({ ...itemFeed.page.parse(itemsAnswer), '@odata.nextLink': link }, null, context);
    expect(first.done).toBe(false);
    const last = itemFeed.decode({ value: [] }, first.cursor, context);
    expect(last).toMatchObject({ done: true, changes: [] });
    expect(itemFeed.request(last.cursor, context).query?.['$filter']).toBe(
      'lastModifiedDateTime gt 2026-11-20T10:11:12.000Z',
    );
  });
});

describe('configuration', () => {
  it.each([
    [{ options: { ...config.options, companyId: "x')/../" } }, 'options.companyId'],
    [{ options: { ...config.options, colour: 'red' } }, 'colour'],
    [{ credentials: { clientId: 'id' } }, 'credentials.clientSecret'],
  ])('refuses %o and names the key', (change, key) => {
    expect(() => contextOf(erpBusinessCentral, { ...config, ...change })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', message: expect.stringContaining(key) }) as MortarError,
    );
  });
});
