import { beforeAll, describe, expect, test } from 'vitest';
import { buildWorld } from '#sandbox/world/build.ts';
import type { World } from '#sandbox/world/types.ts';
import { checkRequest, checkResponse, contractsAvailable } from '#test/support/contracts.ts';
import type { Contract } from '#test/support/contracts.ts';
import { loadODataContract, withoutParentheses } from '#test/support/odata-contract.ts';
import { createErpVendor, ERP_COMPANY_ID } from './erp-business-central.ts';
import { parseFilter } from './erp-odata.ts';
import { ERP_CREDENTIALS } from './erp-token.ts';

const BASE = '/v2.0/production/api/v2.0';
const COMPANY = `${BASE}/companies(${ERP_COMPANY_ID})`;
let nowMs = Date.parse('2026-11-20T09:00:00Z');
const vendor = createErpVendor({ nowMs: () => nowMs });
let world: World;
let contract: Contract | null = null;
let token = '';

beforeAll(async () => {
  world = await buildWorld({ seed: 1, scale: 'small', builtAt: '2026-11-20T00:00:00.000Z' });
  if (contractsAvailable()) contract = await loadODataContract('business-central/BCOAS1.0.json', BASE);
  token = (await login()).access_token ?? '';
});

interface Row {
  readonly [field: string]: unknown;
}
interface Page {
  readonly value: readonly Row[];
  readonly '@odata.nextLink'?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

async function login(overrides: Record<string, string> = {}): Promise<Record<string, string>> {
  const form = {
    grant_type: 'client_credentials',
    client_id: ERP_CREDENTIALS.clientId,
    client_secret: ERP_CREDENTIALS.clientSecret,
  };
  const body = new URLSearchParams({ ...form, ...overrides });
  const response = await vendor.handler(
    new Request('http://erp.test/oauth2/v2.0/token', { method: 'POST', body }),
    world,
  );
  return { status: String(response.status), ...((await response.json()) as Record<string, string>) };
}

/** Calls the fake and holds request and answer against the v1.0 contract where it is present. */
async function get(path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: Page & Row }> {
  const url = `http://erp.test${path}`;
  const response = await vendor.handler(
    new Request(url, { headers: { authorization: `Bearer ${token}`, ...headers } }),
    world,
  );
  const body = (await response.json()) as Page & Row;
  const wire = { method: 'GET', url: declared(url) };
  const violations =
    contract === null || !response.ok
      ? []
      : [...checkRequest(contract, wire), ...checkResponse(contract, wire, response.status, body)];
  if (violations.length > 0) throw new Error(`${path}: ${violations.join('; ')}`);
  return { status: response.status, body };
}

/** The v1.0 document leaves out two options of OData that both versions serve. */
function declared(url: string): string {
  const wire = new URL(withoutParentheses(url));
  for (const name of ['$orderby', '$skiptoken']) wire.searchParams.delete(name);
  return wire.href;
}

const list = (set: string, query: object, headers = {}) =>
  get(`${COMPANY}/${set}?${new URLSearchParams({ ...query }).toString()}`, headers);

describe('Business Central sign-in', () => {
  test('a token serves an hour, then 401 with an OData error', async () => {
    expect((await get(`${BASE}/companies`)).body.value).toMatchObject([{ id: ERP_COMPANY_ID }]);
    nowMs += 3_600_000;
    const late = await get(`${BASE}/companies`);
    expect([late.status, late.body.error?.code]).toEqual([401, 'Authentication_InvalidCredentials']);
    token = (await login()).access_token ?? '';
    expect((await get(`${BASE}/companies`)).status).toBe(200);
  });

  test('a wrong secret or grant gets no token', async () => {
    expect(await login({ client_secret: 'x' })).toMatchObject({ status: '401', error: 'invalid_client' });
    expect(await login({ grant_type: 'password' })).toMatchObject({ status: '400', error: 'unsupported_grant_type' });
  });
});

describe('Business Central items', () => {
  test('are found by number, whatever the case, and unknown ones are left out', async () => {
    const { body } = await list('items', {
      $filter: "number eq 'mg-00003' or number eq 'NONE' or number eq 'MG-00001'",
    });
    expect(new Set(body.value.map((row) => row['number']))).toEqual(new Set(['MG-00001', 'MG-00003']));
  });

  test('state the list price, the unit, the brand and the company-wide quantity', async () => {
    const product = world.products[2]!;
    const total = [...world.stock.values()]
      .filter(({ sku }) => sku === product.sku)
      .reduce((sum, row) => sum + row.onHand, 0);
    const { body } = await list('items', { $filter: `id eq ${product.erpId}` });
    expect(body.value).toMatchObject([
      {
        number: product.sku,
        unitPrice: product.priceMinor / 100,
        baseUnitOfMeasureCode: 'PCS',
        brand: product.brand,
        inventory: total,
      },
    ]);
  });

  test('page in order of change and every item comes once', async () => {
    const seen: string[] = [];
    let path: string | undefined = `${COMPANY}/items?$orderby=lastModifiedDateTime`;
    let pages = 0;
    while (path !== undefined) {
      const { body }: { body: Page } = await get(path, { prefer: 'odata.maxpagesize=50' });
      seen.push(...body.value.map((row) => `${row['lastModifiedDateTime'] as string} ${row['number'] as string}`));
      const link = body['@odata.nextLink'];
      path = link === undefined ? undefined : link.slice('http://erp.test'.length);
      pages += 1;
    }
    expect([pages, new Set(seen).size]).toEqual([3, world.products.length]);
    expect(seen.map((row) => row.slice(0, 24))).toEqual(seen.map((row) => row.slice(0, 24)).toSorted());
  });

  test('a stock change moves the item behind the feed watermark', async () => {
    const fresh = await buildWorld({ seed: 1, scale: 'small', builtAt: '2026-11-20T00:00:00.000Z' });
    [world] = [fresh];
    const row = [...fresh.stock.values()][0]!;
    Object.assign(row, { onHand: row.onHand + 5, changedAt: '2026-11-20T08:59:00.000Z' });
    fresh.sequence += 1;
    const { body } = await list('items', { $filter: 'lastModifiedDateTime gt 2026-11-20T00:00:00Z' });
    expect(body.value.map((item) => item['number'])).toEqual([row.sku]);
  });

  test('$top cuts the list and $select the fields', async () => {
    const { body } = await list('items', { $top: '2', $select: 'id,number' });
    expect(body.value.map((row) => Object.keys(row))).toEqual([
      ['id', 'number'],
      ['id', 'number'],
    ]);
    expect(body['@odata.nextLink']).toBeUndefined();
  });
});

describe('Business Central sales orders', () => {
  test('name the CRM contact, the channel and, expanded, the lines', async () => {
    const order = world.orders.find((row) => row.ids.erp !== undefined && row.profileIds.crm !== undefined)!;
    const { body } = await list('salesOrders', { $filter: `id eq ${order.ids.erp}`, $expand: 'salesOrderLines' });
    expect(body.value).toMatchObject([
      {
        externalDocumentNumber: order.orderNumber,
        customerNumber: order.profileIds.crm,
        shortcutDimension1Code: order.channel.toUpperCase(),
        salesOrderLines: order.lines.map(({ sku, quantity }) => ({
          lineType: 'Item',
          lineObjectNumber: sku,
          quantity,
        })),
      },
    ]);
    const plain = await list('salesOrders', { $filter: `number eq 'SO-${order.orderNumber}'` });
    expect(plain.body.value[0]).not.toHaveProperty('salesOrderLines');
  });

  test('of guests carry what the guest typed in', async () => {
    const order = world.orders.find((row) => row.ids.erp !== undefined && row.guest !== null)!;
    const { body } = await get(`${COMPANY}/salesOrders(${order.ids.erp})`);
    expect(body).toMatchObject({
      customerNumber: 'GUEST',
      email: order.guest?.email,
      shipToPostCode: order.guest?.address?.postalCode,
    });
  });
});

describe('Business Central refuses', () => {
  test.each([
    ['items', { $filter: 'color eq red' }],
    ['items', { $filter: "number eq 'a' xor number eq 'b'" }],
    ['items', { $filter: "number eq 'a' or" }],
    ['items', { $filter: "contains(number,'a')" }],
    ['items', { $apply: 'aggregate' }],
    ['items', { $top: '-1' }],
    ['items', { $skiptoken: 'made-up' }],
    ['items', { $expand: 'vendors' }],
    ['items', { $orderby: 'color' }],
  ])('%s with %j as 400 BadRequest', async (set, query) => {
    const { status, body } = await list(set, query);
    expect([status, body.error?.code]).toEqual([400, 'BadRequest']);
  });

  test('what it does not have as 404', async () => {
    expect((await get(`${COMPANY}/vendors`)).status).toBe(404);
    expect((await get(`${COMPANY}/constructor`)).status).toBe(404);
    expect((await get(`${COMPANY}/items(00000000-0000-0000-0000-000000000000)`)).status).toBe(404);
    expect((await get('/v2.0/production/api/v2.0/companies(00000000-0000-0000-0000-000000000000)/items')).status).toBe(
      404,
    );
  });
});

test('a quote inside a filter value never ends it', () => {
  const fields = new Set(['number']);
  expect(parseFilter("number eq 'O''Neill'' or number eq ''x'", fields)).toEqual([
    [{ field: 'number', operator: 'eq', value: "O'Neill' or number eq 'x" }],
  ]);
});

test('operations are counted by entity set, never by id', () => {
  const name = (path: string) => vendor.operationOf(new Request(`http://erp.test${path}`));
  expect(name(`${COMPANY}/items?$filter=x`)).toBe('GET /companies({id})/items');
  expect(name(`${COMPANY}/items(00000000-0000-0000-0000-000000000000)`)).toBe('GET /companies({id})/items({id})');
  expect(name('/anything/12')).toBe('GET /unknown');
});
