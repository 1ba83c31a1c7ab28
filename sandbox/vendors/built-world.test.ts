import { beforeAll, describe, expect, test } from 'vitest';
import { buildWorld } from '#sandbox/world/build.ts';
import type { World } from '#sandbox/world/types.ts';
import { openAmazon } from '#test/support/amazon-calls.ts';
import { contractsAvailable, loadContract } from '#test/support/contracts.ts';
import { createVendorCall } from '#test/support/vendor-call.ts';
import type { VendorCall } from '#test/support/vendor-call.ts';
import { createHubspotVendor } from './crm-hubspot.ts';
import { SQUARE_UNMATCHED_ITEMS } from './pos-square-catalog.ts';
import { createSquareVendor } from './pos-square.ts';

// Every page of every directory of the built world is read as a connector would, and held against the contract.
let world: World;
let square: VendorCall;
let hubspot: VendorCall;

beforeAll(async () => {
  world = await buildWorld({ seed: 1, scale: 'small', builtAt: '2026-03-01T00:00:00.000Z' });
  const contract = contractsAvailable() ? await loadContract('square/square-2025-08-20.json', { closed: true }) : null;
  const pos = createSquareVendor();
  const crm = createHubspotVendor();
  const bearer = (token: string | undefined) => () => ({ authorization: `Bearer ${token}` });
  square = createVendorCall({ vendor: pos, headers: bearer(pos.credentials.token), contractOf: () => contract });
  hubspot = createVendorCall({ vendor: crm, headers: bearer(crm.credentials.token), contractOf: () => null });
});

async function squarePages(path: string, body: object, list: string): Promise<readonly Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  let cursor: string | undefined;
  do {
    const page = await square(world, 'POST', path, { ...body, ...(cursor === undefined ? {} : { cursor }) });
    rows.push(...(page.body[list] ?? []));
    cursor = page.body.cursor;
  } while (cursor !== undefined);
  return rows;
}

const sorted = (values: Iterable<unknown>) => [...values].map(String).toSorted();
const chunksOf = (ids: readonly string[], size: number) =>
  Array.from({ length: Math.ceil(ids.length / size) }, (_, index) => ids.slice(index * size, (index + 1) * size));

describe('the built world in Square', () => {
  test('every variation, customer and loyalty account is listed once', async () => {
    const variations = await squarePages('/v2/catalog/search', { object_types: ['ITEM_VARIATION'] }, 'objects');
    const known = world.products.flatMap(({ posVariationId }) => posVariationId ?? []);
    expect(sorted(variations.map(({ id }) => id))).toEqual(
      sorted([...known, ...SQUARE_UNMATCHED_ITEMS.map(({ id }) => id)]),
    );
    const customers = await squarePages('/v2/customers/search', { limit: 100 }, 'customers');
    const profiles = world.profiles.filter(({ system }) => system === 'pos');
    expect(sorted(customers.map(({ id }) => id))).toEqual(sorted(profiles.map(({ externalId }) => externalId)));
    const accounts = await squarePages('/v2/loyalty/accounts/search', { limit: 200 }, 'loyalty_accounts');
    expect(sorted(accounts.map(({ id, balance }) => `${String(id)}:${String(balance)}`))).toEqual(
      sorted(world.loyalty.map(({ accountId, points }) => `${accountId}:${points}`)),
    );
  });

  test('the tier of each loyalty account follows from the program', async () => {
    const accounts = await squarePages('/v2/loyalty/accounts/search', { limit: 200 }, 'loyalty_accounts');
    const { program } = (await square(world, 'GET', '/v2/loyalty/programs/main')).body;
    const tiers: readonly { readonly name: string; readonly points: number }[] = program.reward_tiers;
    const tierOf = (points: unknown) => tiers.findLast((tier) => tier.points <= Number(points))?.name;
    const told = accounts.map((account) => `${String(account.id)}:${tierOf(account.lifetime_points)}`);
    expect(sorted(told)).toEqual(sorted(world.loyalty.map(({ accountId, tier }) => `${accountId}:${tier}`)));
  });

  test('counts add up to the stock on hand in the stores', async () => {
    const counts = await squarePages('/v2/inventory/counts/batch-retrieve', { limit: 1000 }, 'counts');
    const told = counts.reduce((sum, { quantity }) => sum + Number(quantity), 0);
    const codes = new Set(world.places.filter(({ ids }) => ids.pos !== undefined).map(({ code }) => code));
    const sold = new Set(world.products.filter(({ posVariationId }) => posVariationId !== null).map(({ sku }) => sku));
    const rows = [...world.stock.values()].filter(({ place, sku }) => codes.has(place) && sold.has(sku));
    expect(counts).toHaveLength(rows.length * 2);
    expect(told).toBe(rows.reduce((sum, { onHand }) => sum + onHand, 0));
  });

  test('every till order is found by search', async () => {
    const locations = [...world.places].flatMap(({ ids }) => ids.pos ?? []);
    const sort = { sort_field: 'UPDATED_AT', sort_order: 'ASC' };
    const found: unknown[] = [];
    for (const group of chunksOf(locations, 10)) {
      const orders = await squarePages(
        '/v2/orders/search',
        { location_ids: group, query: { sort }, limit: 100 },
        'orders',
      );
      found.push(...orders.map((order) => order.reference_id));
    }
    const own = world.orders.filter(({ ids }) => ids.pos !== undefined);
    expect(own.length).toBeGreaterThan(0);
    expect(sorted(found)).toEqual(sorted(own.map(({ orderNumber }) => orderNumber)));
  });
});

test('the built world in HubSpot: every contact is listed once and read by id', async () => {
  const ids: string[] = [];
  let after = '';
  do {
    const page = await hubspot(world, 'GET', `/crm/v3/objects/contacts?limit=100${after && `&after=${after}`}`);
    ids.push(...page.body.results.map((contact: { id: string }) => contact.id));
    after = page.body.paging?.next.after ?? '';
  } while (after !== '');
  const profiles = world.profiles.filter(({ system }) => system === 'crm');
  expect(sorted(ids)).toEqual(sorted(profiles.map(({ externalId }) => externalId)));
  for (const group of chunksOf(ids, 100)) {
    const inputs = group.map((id) => ({ id }));
    const answer = await hubspot(world, 'POST', '/crm/v3/objects/contacts/batch/read', {
      inputs,
      properties: ['email'],
      propertiesWithHistory: [],
    });
    expect([answer.status, answer.body.results.length]).toEqual([200, group.length]);
  }
});

test('the built world in Amazon: every order, listing and stocked product is listed once', async () => {
  const { get, restricted } = await openAmazon('2026-03-05T12:00:00.000Z');
  const token = await restricted(world, '/orders/2026-01-01/orders', ['buyerInfo', 'shippingAddress']);
  const pages = async (path: string, parameter: string, accessToken?: string) => {
    const bodies: Record<string, never>[] = [];
    let next = '';
    do {
      const page = await get(world, `${path}${next && `&${parameter}=${encodeURIComponent(next)}`}`, accessToken);
      bodies.push(page.body);
      next = page.body.pagination?.nextToken ?? '';
    } while (next !== '');
    return bodies as unknown as readonly Record<string, { readonly [key: string]: string }[]>[];
  };
  const searched = await pages(
    '/orders/2026-01-01/orders?lastUpdatedAfter=2000-01-01T00:00:00Z&includedData=BUYER,RECIPIENT,PROCEEDS,FULFILLMENT,PACKAGES',
    'paginationToken',
    token,
  );
  const orders = searched.flatMap(({ orders: found }) => found ?? []);
  expect(sorted(orders.map(({ orderId }) => orderId))).toEqual(
    sorted(world.orders.flatMap(({ ids }) => ids.marketplace ?? [])),
  );
  const listed = await pages(
    '/listings/2021-08-01/items/A2MORTARSANDBOX?marketplaceIds=A1F83G8C2ARO7P&pageSize=20&includedData=summaries,attributes,offers,fulfillmentAvailability',
    'pageToken',
  );
  const skus = world.products.flatMap(({ sellerSku }) => sellerSku ?? []);
  expect(sorted(listed.flatMap(({ items }) => (items ?? []).map(({ sku }) => sku)))).toEqual(sorted(skus));
  const stock = await pages(
    '/fba/inventory/v1/summaries?granularityType=Marketplace&granularityId=A1F83G8C2ARO7P&marketplaceIds=A1F83G8C2ARO7P&details=true',
    'nextToken',
  );
  const summaries = stock.flatMap(
    ({ payload }) => (payload as unknown as { inventorySummaries: { sellerSku: string }[] }).inventorySummaries,
  );
  const stocked = world.products.filter(({ sku, sellerSku }) => sellerSku !== null && world.stock.has(`${sku}@FBA`));
  expect(sorted(summaries.map(({ sellerSku }) => sellerSku))).toEqual(
    sorted(stocked.map(({ sellerSku }) => sellerSku)),
  );
});
