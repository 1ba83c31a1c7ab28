import { readFile } from 'node:fs/promises';

import { describe, expect, it } from 'vitest';

import { checkWire, contextOf } from '#test/support/connector-contract.ts';
import { checkResponse, contractsAvailable, loadContract } from '#test/support/contracts.ts';

import { marketplaceAmazon } from './connector.ts';
import { itemFeed } from './listings.ts';
import { readListings } from './listings-cursor.ts';
import { orderFeed } from './orders.ts';
import { stockFeed } from './stock.ts';

function contextIn(marketplaceId: string) {
  return contextOf(marketplaceAmazon, {
    credentials: { clientId: 'c', clientSecret: 's', refreshToken: 'r' },
    options: { sellerId: 'A1SELLER', marketplaceId, stockLocation: 'FBA' },
  });
}

const context = contextIn('A1F83G8C2ARO7P');
const later = JSON.stringify({ since: '2026-11-01T00:00:00.000Z', startedAt: null, seen: null, token: 'next-1' });

async function fixture(name: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(`./fixtures/${name}.json`, import.meta.url), 'utf8'));
}

describe.skipIf(!contractsAvailable())('requests by the contracts of Amazon', () => {
  it.each([
    ['amazon-sp-api/listingsItems_2021-08-01.json', itemFeed],
    ['amazon-sp-api/fbaInventory.json', stockFeed],
    ['amazon-sp-api/orders_2026.json', orderFeed],
  ])('emits valid first and later pages for %s', async (file, feed) => {
    const contract = await loadContract(file);
    expect(checkWire(contract, feed.request(null, context))).toEqual([]);
    expect(checkWire(contract, feed.request(later, context))).toEqual([]);
  });

  it('uses fixtures that are valid answers', async () => {
    const listings = await loadContract('amazon-sp-api/listingsItems_2021-08-01.json');
    const orders = await loadContract('amazon-sp-api/orders_2026.json');
    const stock = await loadContract('amazon-sp-api/fbaInventory.json');
    const get = (url: string) => ({ method: 'GET', url });
    const listed = await fixture('search-listings-items');
    expect(checkResponse(listings, get('/listings/2021-08-01/items/A1'), 200, listed)).toEqual([]);
    for (const answer of (await fixture('search-orders')) as unknown[]) {
      expect(checkResponse(orders, get('/orders/2026-01-01/orders'), 200, answer)).toEqual([]);
    }
    const summaries = await fixture('inventory-summaries');
    expect(checkResponse(stock, get('/fba/inventory/v1/summaries'), 200, summaries)).toEqual([]);
  });
});

describe('listings', () => {
  it("reads Amazon's own example: the own marketplace's offer, title and quantity", async () => {
    const body = itemFeed.page.parse(await fixture('search-listings-items'));
    const step = itemFeed.decode(body, null, contextIn('A2EUQ1WTGCTBG2'));
    expect(step).toMatchObject({ done: false, rejected: 0 });
    expect(step.changes).toMatchObject([
      {
        kind: 'upsert',
        value: {
          externalId: 'GM-ZDPI-9B4E',
          code: 'GM-ZDPI-9B4E',
          title: 'Hardside Carry-On Spinner Suitcase Luggage',
          productType: 'LUGGAGE',
          price: { amount: '130.00', currency: 'CAD' },
          publishedQuantity: 100,
          blocked: true,
          stamp: { reference: 'B071VG5N9D' },
        },
      },
    ]);
    expect(readListings(step.cursor)).toMatchObject({ rowCount: 1 });
  });

  it('searches again from the last change when a search ended at its 1,000 rows', () => {
    const cursor = JSON.stringify({
      since: null,
      startedAt: null,
      seen: '2026-01-01T00:00:00.000Z',
      token: 'x',
      rowCount: 999,
    });
    const row = { sku: 'A', summaries: [{ marketplaceId: 'A1F83G8C2ARO7P', lastUpdatedDate: '2026-02-01T00:00:00Z' }] };
    const step = itemFeed.decode({ items: [row] }, cursor, context);
    expect(step.done).toBe(false);
    expect(readListings(step.cursor)).toMatchObject({ since: '2026-02-01T00:00:00.000Z', token: null, rowCount: 0 });
  });
});

describe('orders', () => {
  it("decodes every one of Amazon's own examples", async () => {
    for (const answer of (await fixture('search-orders')) as unknown[]) {
      const body = orderFeed.page.parse(answer);
      const step = orderFeed.decode(body, null, context);
      expect(step.rejected).toBe(0);
      expect(step.changes.length).toBe(body.orders.length);
    }
  });

  it('reads buyer, alias, lines and total of an order', async () => {
    const [first] = (await fixture('search-orders')) as unknown[];
    const step = orderFeed.decode(orderFeed.page.parse(first), null, context);
    expect(step.changes[0]).toMatchObject({
      kind: 'upsert',
      value: {
        externalId: '250-1234567-8901234',
        orderNumber: 'JP-ORDER-2024-001',
        state: 'IN_TRANSIT',
        vendorState: 'SHIPPED',
        channel: 'amazon',
        customerExternalId: 'buyer-email',
        buyer: {
          kind: 'MARKETPLACE_BUYER',
          externalId: 'buyer-email',
          givenName: 'John',
          familyName: 'Smith',
          country: 'JP',
        },
        total: { amount: '19940', currency: 'JPY' },
        updatedAt: '2024-12-25T06:45:00.000Z',
      },
    });
    const [change] = step.changes;
    expect(change?.kind === 'upsert' ? change.value.lines : []).toMatchObject([
      { code: 'ECHO-DOT-4-JP-CHARCOAL', quantity: 1, unitPrice: { amount: '5980', currency: 'JPY' } },
      { code: 'FIRE-TV-4K-MAX-JP', quantity: 2 },
    ]);
  });

  it('leaves out a row it cannot read and says so', () => {
    const step = orderFeed.decode({ orders: [{ orderId: 5 }] }, null, context);
    expect(step).toMatchObject({ changes: [], rejected: 1, done: true });
  });
});

describe('stock in the warehouses of Amazon', () => {
  it('counts fulfillable units and those of open orders, not what is moved or examined', async () => {
    const step = stockFeed.decode(stockFeed.page.parse(await fixture('inventory-summaries')), null, context);
    expect(step.changes).toMatchObject([
      { value: { externalId: 'MUG-1', locationExternalId: 'FBA', onHand: 14, committed: 4, incoming: 7, nets: [] } },
      { value: { externalId: 'MUG-2', onHand: null, committed: null, incoming: null } },
    ]);
  });

  it('starts the run again when the page token ended', () => {
    expect(stockFeed.expired?.({ status: 400, headers: {}, body: {} })).toBe(true);
    expect(stockFeed.restart?.(later)).toContain('"since":"2026-11-01T00:00:00.000Z"');
    expect(stockFeed.restart?.(later)).not.toContain('next-1');
  });

  it('asks for all of the stock where the last change is older than Amazon tells changes of', () => {
    const since = (instant: string) => JSON.stringify({ since: instant, startedAt: null, seen: null, token: null });
    const startOf = (cursor: string) => stockFeed.request(cursor, context).query?.['startDateTime'];
    expect(startOf(since('2026-11-01T00:00:00.000Z'))).toBe('2026-11-01T00:00:00.000Z');
    expect(startOf(since('2025-05-01T00:00:00.000Z'))).toBeUndefined();
  });
});
