import { beforeAll, describe, expect, it } from 'vitest';

import { toSku } from '#schema/model/ids.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { FeedSource, Slot } from '#schema/model/sources.ts';
import { createHubspotVendor } from '#sandbox/vendors/crm-hubspot.ts';
import { createErpVendor } from '#sandbox/vendors/erp-business-central.ts';
import { createAmazonVendor } from '#sandbox/vendors/marketplace-amazon.ts';
import { createSquareVendor } from '#sandbox/vendors/pos-square.ts';
import { createWmsVendor } from '#sandbox/vendors/wms-connect.ts';
import { buildWorld } from '#sandbox/world/build.ts';
import type { Vendor, World } from '#sandbox/world/types.ts';
import { connectSandbox } from '#test/support/connect-sandbox.ts';

import { crmHubspot } from './crm-hubspot/connector.ts';
import { erpBusinessCentral } from './erp-business-central/connector.ts';
import type { ConnectorDefinition } from './kit/definition.ts';
import { marketplaceAmazon } from './marketplace-amazon/connector.ts';
import { posSquare } from './pos-square/connector.ts';
import { wmsConnect } from './wms-connect/connector.ts';

// Connectors and fake systems were written apart, from the same vendor contracts: here they meet.

let world: World;
const warnings: object[] = [];
beforeAll(async () => {
  world = await buildWorld({ seed: 7, scale: 'small', builtAt: '2026-11-20T00:00:00.000Z' });
});

const connect = <S>(definition: ConnectorDefinition<S>, vendor: Vendor, options: Vendor['options'] = {}) =>
  connectSandbox(definition, { vendor, world, options, onWarning: (facts) => warnings.push(facts) });

function scope(): CallScope {
  return { requestId: 'r', deadlineAtMs: Date.now() + 10_000, signal: new AbortController().signal };
}

/** All values of a feed's first run, and how many the second run gives. */
async function readFeed<V>(
  feed: FeedSource<V> | undefined,
): Promise<{ readonly values: readonly V[]; readonly again: number }> {
  if (feed === undefined) throw new Error('no such feed');
  const values: V[] = [];
  let cursor: string | null = null;
  for (let done = false; !done;) {
    const page = await feed.readPage(cursor, scope());
    values.push(...page.changes.flatMap((change) => (change.kind === 'upsert' ? [change.value] : [])));
    ({ cursor, done } = page);
  }
  let again = 0;
  for (let done = false; !done;) {
    const page = await feed.readPage(cursor, scope());
    again += page.changes.length;
    ({ cursor, done } = page);
  }
  return { values, again };
}

const inSystem = (system: 'crm' | 'pos' | 'marketplace') =>
  world.people.flatMap(({ profiles }) => profiles).filter((profile) => profile.system === system);
const ordersIn = (system: 'erp' | 'wms' | 'pos' | 'marketplace') =>
  world.orders.filter(({ ids }) => ids[system] !== undefined);
const sorted = (texts: readonly (string | null | undefined)[]) =>
  texts.map(String).toSorted((a, b) => (a < b ? -1 : 1));
const idOf = (slot: Slot<{ readonly externalId: string }>) => (slot instanceof Error ? slot.message : slot?.externalId);

describe('the ERP', () => {
  it('gives every item and every order, once, by feed and by key', async () => {
    const erp = connect(erpBusinessCentral, createErpVendor());
    const items = await readFeed(erp.itemFeed);
    expect(sorted(items.values.map(({ code }) => code))).toEqual(sorted(world.products.map(({ sku }) => sku)));
    expect(items.values.every(({ price, companyQuantity }) => price !== null && companyQuantity !== null)).toBe(true);
    const read = await erp.items?.itemsByCode([...world.products.map(({ sku }) => sku), "no'such"], scope());
    expect(read?.filter((slot) => slot === null).length).toBe(1);
    expect(read?.some((slot) => slot instanceof Error)).toBe(false);
    const orders = await readFeed(erp.orderFeed);
    expect(sorted(orders.values.map(({ orderNumber }) => orderNumber))).toEqual(
      sorted(ordersIn('erp').map(({ orderNumber }) => orderNumber)),
    );
    expect([items.again, orders.again]).toEqual([0, 0]);
    const ids = orders.values.slice(0, 90).map(({ externalId }) => externalId);
    const byId = await erp.orders?.ordersById(ids, scope());
    expect(byId?.map(idOf)).toEqual(ids);
  });
});

describe('the WMS', () => {
  it('gives stock of every warehouse and every fulfillment', async () => {
    const wms = connect(wmsConnect, createWmsVendor());
    const keys = world.products.slice(0, 150).map(({ sku }) => ({ sku: toSku(sku), externalId: sku }));
    const read = (await wms.stock?.stockByItem(keys, scope())) ?? [];
    expect(read.filter((slot) => slot instanceof Error)).toEqual([]);
    const places = world.places.filter(({ ids }) => ids.wms !== undefined);
    const truth = keys.flatMap(({ sku }) => places.flatMap((place) => world.stock.get(`${sku}@${place.code}`) ?? []));
    const sum = (figures: readonly number[]) => figures.reduce((total, figure) => total + figure, 0);
    const readings = read.flatMap((slot) => (slot instanceof Error || slot === null ? [] : slot));
    expect(sum(readings.map(({ onHand }) => onHand ?? 0))).toBe(sum(truth.map(({ onHand }) => onHand)));
    expect(sum(readings.map(({ committed }) => committed ?? 0))).toBe(sum(truth.map(({ committed }) => committed)));
    const orders = await readFeed(wms.orderFeed);
    expect(sorted(orders.values.map(({ orderNumber }) => orderNumber))).toEqual(
      sorted(ordersIn('wms').map(({ orderNumber }) => orderNumber)),
    );
    const ids = orders.values.slice(0, 20).map(({ externalId }) => externalId);
    const byId = await wms.orders?.ordersById([...ids, 'nobody'], scope());
    expect(byId?.map(idOf)).toEqual([...ids, undefined]);
  });
});

describe('the POS', () => {
  it('gives stores, items, stock, customers, loyalty and orders', async () => {
    const pos = connect(posSquare, createSquareVendor());
    const stores = await pos.locations?.locations(scope());
    const places = world.places.filter(({ ids }) => ids.pos !== undefined);
    expect(sorted(stores?.map(({ externalId }) => externalId) ?? [])).toEqual(sorted(places.map(({ ids }) => ids.pos)));
    const items = await readFeed(pos.itemFeed);
    const sold = world.products.filter(({ posVariationId }) => posVariationId !== null);
    // The till also knows things of its own: wrapping, items without a code.
    const variations = new Map(items.values.map(({ externalId, code }) => [externalId, code]));
    expect(sold.filter(({ sku, posVariationId }) => variations.get(posVariationId ?? '') !== sku)).toEqual([]);
    const keys = sold
      .slice(0, 120)
      .map(({ sku, posVariationId }) => ({ sku: toSku(sku), externalId: posVariationId ?? '' }));
    const counts = (await pos.stock?.stockByItem(keys, scope())) ?? [];
    const readings = counts.flatMap((slot) => (slot instanceof Error || slot === null ? [] : slot));
    const truth = keys.flatMap(({ sku }) => places.flatMap(({ code }) => world.stock.get(`${sku}@${code}`) ?? []));
    const sum = (figures: readonly number[]) => figures.reduce((total, figure) => total + figure, 0);
    expect(sum(readings.map(({ onHand }) => onHand ?? 0))).toBe(sum(truth.map(({ onHand }) => onHand)));
    const customers = await readFeed(pos.profileFeed);
    const ids = inSystem('pos').map(({ externalId }) => externalId);
    expect(sorted(customers.values.map(({ externalId }) => externalId))).toEqual(sorted(ids));
    const read = await pos.profiles?.profilesById([...ids, 'nobody'], scope());
    expect(read?.map(idOf)).toEqual([...ids, undefined]);
    const loyalty = await pos.loyalty?.loyaltyByCustomer(ids, scope());
    const accounts = (loyalty ?? []).flatMap((slot) => (slot instanceof Error || slot === null ? [] : slot));
    expect(accounts.length).toBe(world.loyalty.length);
    const orders = await readFeed(pos.orderFeed);
    expect(sorted(orders.values.map(({ externalId }) => externalId))).toEqual(
      sorted(ordersIn('pos').map(({ ids: own }) => own.pos)),
    );
    expect([items.again, customers.again, orders.again]).toEqual([0, 0, 0]);
    const orderIds = orders.values.slice(0, 150).map(({ externalId }) => externalId);
    const byId = await pos.orders?.ordersById(orderIds, scope());
    expect(byId?.map(idOf)).toEqual(orderIds);
  });
});

describe('the CRM', () => {
  it('gives every contact by feed and by id', async () => {
    const crm = connect(crmHubspot, createHubspotVendor());
    const contacts = await readFeed(crm.profileFeed);
    const ids = inSystem('crm').map(({ externalId }) => externalId);
    expect(sorted(contacts.values.map(({ externalId }) => externalId))).toEqual(sorted(ids));
    expect(contacts.again).toBe(0);
    const read = await crm.profiles?.profilesById([...ids, '1'], scope());
    expect(read?.map(idOf)).toEqual([...ids, undefined]);
  });
});

describe('the marketplace', () => {
  it('gives listings, stock and orders with their buyers by feed', async () => {
    const [place] = world.places.flatMap(({ ids }) => ids.marketplace ?? []);
    const options = { restrictedDataToken: true, stockLocation: place ?? '' };
    const amazon = connect(marketplaceAmazon, createAmazonVendor(), options);
    const listed = world.products.filter(({ sellerSku }) => sellerSku !== null);
    const items = await readFeed(amazon.itemFeed);
    expect(sorted(items.values.map(({ externalId }) => externalId))).toEqual(
      sorted(listed.map(({ sellerSku }) => sellerSku)),
    );
    const stock = await readFeed(amazon.stockFeed);
    expect(stock.values.length).toBeGreaterThan(0);
    const orders = await readFeed(amazon.orderFeed);
    expect(sorted(orders.values.map(({ externalId }) => externalId))).toEqual(
      sorted(ordersIn('marketplace').map(({ ids }) => ids.marketplace)),
    );
    expect(orders.values.filter(({ buyer }) => buyer === null).length).toBe(0);
    const buyers = new Set(orders.values.map(({ customerExternalId }) => customerExternalId));
    const aliases = inSystem('marketplace').map(({ externalId }) => externalId);
    expect([...buyers].filter((id) => !aliases.includes(id ?? ''))).toEqual([]);
    expect(new Set(stock.values.map(({ locationExternalId }) => locationExternalId))).toEqual(new Set([place]));
  });
});

it('reads every row the fakes give', () => {
  expect(warnings).toEqual([]);
});
