import { beforeEach, describe, expect, it } from 'vitest';

import { createHubspotVendor } from '#sandbox/vendors/crm-hubspot.ts';
import { createAmazonVendor } from '#sandbox/vendors/marketplace-amazon.ts';
import { createSquareVendor } from '#sandbox/vendors/pos-square.ts';
import { createWmsVendor } from '#sandbox/vendors/wms-connect.ts';
import { buildWorld } from '#sandbox/world/build.ts';
import type { World, WorldStock } from '#sandbox/world/types.ts';
import { toSku } from '#schema/model/ids.ts';
import type { ItemRecord } from '#schema/model/records.ts';
import type { ConnectedSystem, FeedPage } from '#schema/model/sources.ts';
import type { StockMove } from '#schema/model/writes.ts';
import { connectSandbox } from '#test/support/connect-sandbox.ts';
import { codeOf, within } from '#test/support/conform-harness.ts';

import { crmHubspot } from './crm-hubspot/connector.ts';
import { marketplaceAmazon } from './marketplace-amazon/connector.ts';
import { posSquare } from './pos-square/connector.ts';
import { wmsConnect } from './wms-connect/connector.ts';

// What is written to a fake changes the world, and the connector's own reads say so afterwards.

let world: World;
beforeEach(async () => {
  world = await buildWorld({ seed: 7, scale: 'small', builtAt: '2026-11-20T00:00:00.000Z' });
});

const kinds = (results: readonly (Error | { readonly kind: string })[] | undefined) =>
  results?.map((result) => (result instanceof Error ? codeOf(result) : result.kind));

describe('movements told to Square', () => {
  let pos: ConnectedSystem;
  let row: WorldStock;
  let move: StockMove;
  beforeEach(() => {
    pos = connectSandbox(posSquare, { vendor: createSquareVendor(), world });
    const stores = new Map(world.places.flatMap(({ code, ids }) => (ids.pos === undefined ? [] : [[code, ids.pos]])));
    const variations = new Map(world.products.map(({ sku, posVariationId }) => [sku, posVariationId]));
    const found = [...world.stock.values()].find(({ sku, place }) => stores.has(place) && variations.get(sku));
    if (found === undefined) throw new Error('a store has something');
    row = found;
    move = {
      key: 'delivery-1',
      externalId: variations.get(row.sku) ?? '',
      locationExternalId: stores.get(row.place) ?? '',
      kind: 'RECEIVED',
      units: 5,
      at: new Date().toISOString(),
    };
  });

  const onHand = async () => {
    const [readings] = (await pos.stock?.stockByItem(
      [{ sku: toSku(row.sku), externalId: move.externalId }],
      within(5_000),
    )) ?? [null];
    if (readings instanceof Error || readings === null || readings === undefined) throw new Error('read');
    return readings.find(({ locationExternalId }) => locationExternalId === move.locationExternalId)?.onHand;
  };
  const write = async (...moves: readonly StockMove[]) =>
    kinds(await pos.stockMoveSink?.writeMoves(moves, within(5_000)));

  it.each([
    ['RECEIVED', 5, (before: number) => before + 5],
    ['RETURNED', 1, (before: number) => before + 1],
    ['SOLD', 2, (before: number) => before - 2],
    ['LOST', 2, (before: number) => before - 2],
  ] as const)('change the count: %s %i', async (kind, units, after) => {
    const before = row.onHand;
    expect(await write({ ...move, kind, units })).toEqual(['DONE']);
    expect(await onHand()).toBe(after(before));
  });

  it('set what is for sale when it was counted; what is reserved stays on the shelf', async () => {
    expect(await write({ ...move, kind: 'COUNTED', units: 40 })).toEqual(['DONE']);
    expect(await onHand()).toBe(40 + row.committed);
  });

  it('count once when they are told twice, alone or among others', async () => {
    const before = row.onHand;
    await write(move);
    await write(move, { ...move, key: 'delivery-2' });
    expect(await onHand()).toBe(before + 10);
  });

  it('of an unknown item fail alone', async () => {
    expect(await write({ ...move, externalId: 'NOBODY' }, { ...move, key: 'k2' })).toEqual([
      'UPSTREAM_CONTRACT',
      'DONE',
    ]);
  });

  it('arrive in the next run of the stock feed, whole', async () => {
    const feed = pos.stockFeed;
    if (feed === undefined) throw new Error('bound');
    const run = async (start: string | null) => {
      const ids: string[] = [];
      let cursor = start;
      for (let done = false; !done;) {
        const page = await feed.readPage(cursor, within(5_000));
        ids.push(...page.changes.flatMap((change) => (change.kind === 'upsert' ? [change.value.externalId] : [])));
        ({ cursor, done } = page);
      }
      return { ids: new Set(ids), cursor };
    };
    const first = await run(null);
    expect(first.ids.size).toBeGreaterThan(10);
    await write(move);
    expect([...(await run(first.cursor)).ids]).toEqual([move.externalId]);
  });
});

describe('steps of orders', () => {
  const stageOf = (id: string) =>
    world.orders.find(({ ids }) => ids.pos === id || ids.marketplace === id)?.stage ?? 'none';

  it('move a pickup on in Square, once a key, and not when it is closed', async () => {
    // A second a call: the sandbox's versions are seconds.
    let nowMs = Date.now();
    const vendor = createSquareVendor({ nowMs: () => (nowMs += 1_000) });
    const pos = connectSandbox(posSquare, { vendor, world });
    const order = world.orders.find(({ channel, stage, ids }) => channel === 'web' && stage === 'paid' && ids.pos);
    const id = order?.ids.pos ?? '';
    const step = async (key: string, state: 'READY_FOR_PICKUP' | 'COLLECTED' | 'PICKING') =>
      kinds(await pos.orderStepSink?.writeSteps([{ key, externalId: id, state }], within(5_000)));
    expect([await step('a', 'READY_FOR_PICKUP'), stageOf(id)]).toEqual([['DONE'], 'readyForPickup']);
    const [read] = (await pos.orders?.ordersById([id], within(5_000))) ?? [];
    expect(read).toMatchObject({ state: 'READY_FOR_PICKUP' });
    expect([await step('a', 'PICKING'), stageOf(id)]).toEqual([['DONE'], 'picking']);
    expect([await step('b', 'COLLECTED'), stageOf(id)]).toEqual([['DONE'], 'collected']);
    const { sequence } = world;
    expect([await step('b', 'COLLECTED'), stageOf(id)]).toEqual([['DONE'], 'collected']);
    expect(world.sequence).toBe(sequence);
    expect([await step('c', 'PICKING'), stageOf(id)]).toEqual([['UPSTREAM_CONTRACT'], 'collected']);
  });

  it('are an error for an order Square does not know, and nothing is sent', async () => {
    const pos = connectSandbox(posSquare, { vendor: createSquareVendor(), world });
    const steps = [{ key: 'a', externalId: 'NOBODY', state: 'COLLECTED' as const }];
    expect(kinds(await pos.orderStepSink?.writeSteps(steps, within(5_000)))).toEqual(['UPSTREAM_CONTRACT']);
  });

  it('move a pickup on at Amazon', async () => {
    const amazon = connectSandbox(marketplaceAmazon, { vendor: createAmazonVendor(), world });
    const id = world.orders.find(({ stage, ids }) => stage === 'paid' && ids.marketplace)?.ids.marketplace ?? '';
    const steps = [{ key: 'a', externalId: id, state: 'COLLECTED' as const }];
    expect(kinds(await amazon.orderStepSink?.writeSteps(steps, within(5_000)))).toEqual(['DONE']);
    expect(stageOf(id)).toBe('collected');
  });
});

describe('offers published to Amazon', () => {
  it('keep the highest sequence number, whatever arrives last', async () => {
    const amazon = connectSandbox(marketplaceAmazon, { vendor: createAmazonVendor(), world });
    const externalId = world.products.find(({ sellerSku }) => sellerSku !== null)?.sellerSku ?? '';
    const publish = async (units: number, sequence: number, id = externalId) =>
      kinds(
        await amazon.stockOfferSink?.publishOffers(
          [{ externalId: id, locationExternalId: 'W1', units, sequence }],
          within(5_000),
        ),
      );
    const offered = async () => {
      let cursor: string | null = null;
      for (let done = false; !done;) {
        const page: FeedPage<ItemRecord> | undefined = await amazon.itemFeed?.readPage(cursor, within(5_000));
        const found = page?.changes.find(
          (change) => change.kind === 'upsert' && change.value.externalId === externalId,
        );
        if (found?.kind === 'upsert') return found.value.publishedQuantity;
        done = page?.done ?? true;
        cursor = page?.cursor ?? null;
      }
      return null;
    };

    expect(await publish(7, 100)).toEqual(['DONE']);
    const after = await offered();
    expect(await publish(50, 99)).toEqual(['SUPERSEDED']);
    expect(await offered()).toBe(after);
    expect(await publish(7, 100)).toEqual(['DONE']);
    expect(await publish(9, 101)).toEqual(['DONE']);
    expect(await offered()).toBe((after ?? 0) + 2);
  });

  it('of an unknown sku or place fail alone', async () => {
    const amazon = connectSandbox(marketplaceAmazon, { vendor: createAmazonVendor(), world });
    const externalId = world.products.find(({ sellerSku }) => sellerSku !== null)?.sellerSku ?? '';
    const offer = { externalId, locationExternalId: 'W1', units: 1, sequence: 1 };
    const offers = [{ ...offer, externalId: 'NONE&skuId=x' }, offer, { ...offer, locationExternalId: 'NOWHERE' }];
    expect(kinds(await amazon.stockOfferSink?.publishOffers(offers, within(5_000)))).toEqual([
      'UPSTREAM_CONTRACT',
      'DONE',
      'UPSTREAM_CONTRACT',
    ]);
  });
});

describe('decisions written to HubSpot', () => {
  const known = () => world.profiles.filter(({ system, email }) => system === 'crm' && email !== null);

  it('are what the next read says, and only of that person', async () => {
    const crm = connectSandbox(crmHubspot, { vendor: createHubspotVendor(), world });
    const ids = known().map(({ externalId }) => externalId);
    const read = async () => {
      const slots = (await crm.marketingConsents?.consentsByProfile(ids, within(5_000))) ?? [];
      return new Map(
        slots.flatMap((slot, index) =>
          slot instanceof Error || slot === null ? [] : [[ids[index] ?? '', slot[0]?.decision]],
        ),
      );
    };
    const before = await read();
    expect(new Set(before.values())).toEqual(new Set(['GRANTED', 'WITHDRAWN', 'UNKNOWN']));
    const one = known().find(({ externalId }) => before.get(externalId) === 'GRANTED');
    const decide = async (decision: 'GRANT' | 'WITHDRAW') =>
      kinds(
        await crm.marketingConsentSink?.writeConsents(
          // HubSpot holds addresses in lower case.
          [{ externalId: one?.externalId ?? '', medium: 'EMAIL', decision, address: one?.email?.toUpperCase() ?? '' }],
          within(5_000),
        ),
      );
    expect(await decide('WITHDRAW')).toEqual(['DONE']);
    expect(await read()).toEqual(new Map([...before, [one?.externalId ?? '', 'WITHDRAWN']]));
    expect(await decide('GRANT')).toEqual(['DONE']);
    expect(await read()).toEqual(before);
  });

  it('are no grants without a configured subscription; withdrawals are taken all the same', async () => {
    const vendor = createHubspotVendor();
    const { marketingSubscriptionId: _, ...options } = vendor.options;
    const crm = connectSandbox(crmHubspot, { vendor: { ...vendor, options }, world });
    const inputs = (['GRANT', 'WITHDRAW'] as const).map((decision, index) => ({
      externalId: '1',
      medium: 'EMAIL' as const,
      decision,
      address: `p${index}@person.test`,
    }));
    const results = await crm.marketingConsentSink?.writeConsents(inputs, within(5_000));
    expect(kinds(results)).toEqual(['UPSTREAM_CONTRACT', 'DONE']);
  });

  it('erase a contact: no read, no list and no preference knows it, and the second time is no error', async () => {
    const crm = connectSandbox(crmHubspot, { vendor: createHubspotVendor(), world });
    const [one] = known();
    const externalId = one?.externalId ?? '';
    const erase = async () => kinds(await crm.erasureSink?.eraseProfiles([{ externalId }], within(5_000)));
    expect(await erase()).toEqual(['DONE']);
    expect(await crm.profiles?.profilesById([externalId], within(5_000))).toEqual([null]);
    expect(await crm.marketingConsents?.consentsByProfile([externalId], within(5_000))).toEqual([[]]);
    const left = world.people.flatMap(({ profiles }) => profiles).filter(({ system }) => system === 'crm');
    expect(left.map((profile) => profile.externalId)).not.toContain(externalId);
    expect(await erase()).toEqual(['DONE']);
  });
});

describe('what a WMS is told', () => {
  it('a count sets what is there, on top of what orders need; a row it does not keep is an error', async () => {
    const wms = connectSandbox(wmsConnect, { vendor: createWmsVendor(), world });
    const warehouses = new Map(world.places.map(({ code, ids }) => [code, ids.wms]));
    const row = [...world.stock.values()].find(({ place, committed }) => warehouses.get(place) && committed > 0);
    if (row === undefined) throw new Error('a warehouse has promised something');
    const locationExternalId = warehouses.get(row.place) ?? '';
    const count: StockMove = {
      key: 'count-1',
      externalId: row.sku,
      locationExternalId,
      kind: 'COUNTED',
      units: 41,
      at: new Date().toISOString(),
    };
    const write = async (...moves: StockMove[]) => kinds(await wms.stockMoveSink?.writeMoves(moves, within(5_000)));
    expect(await write(count, { ...count, locationExternalId: 'nowhere' }, { ...count, kind: 'SOLD' })).toEqual([
      'DONE',
      'UPSTREAM_CONTRACT',
      'UPSTREAM_CONTRACT',
    ]);
    const key = { sku: toSku(row.sku), externalId: row.sku };
    const [readings] = (await wms.stock?.stockByItem([key], within(5_000))) ?? [];
    if (readings instanceof Error || readings === null || readings === undefined) throw new Error('read');
    const now = readings.find((reading) => reading.locationExternalId === locationExternalId);
    expect([now?.onHand, now?.committed]).toEqual([41 + row.committed, row.committed]);
    // Told twice it is the same.
    expect(await write(count)).toEqual(['DONE']);
    expect(row.onHand).toBe(41 + row.committed);
  });

  it('a fulfillment is called off while it is in the house, and its units are free again', async () => {
    const wms = connectSandbox(wmsConnect, { vendor: createWmsVendor(), world });
    const of = (stage: string) => world.orders.find((order) => order.ids.wms !== undefined && order.stage === stage);
    const [open, gone] = [of('picking')?.ids.wms ?? '', of('shipped')?.ids.wms ?? ''];
    const cancel = async (externalId: string) =>
      kinds(await wms.orderStepSink?.writeSteps([{ key: 'k', externalId, state: 'CANCELED' }], within(5_000)));
    expect(await cancel(open)).toEqual(['DONE']);
    expect(await wms.orders?.ordersById([open], within(5_000))).toMatchObject([{ state: 'CANCELED' }]);
    expect([await cancel(open), await cancel(gone), await cancel('FF-NONE')]).toEqual([
      ['DONE'],
      ['UPSTREAM_CONTRACT'],
      ['UPSTREAM_CONTRACT'],
    ]);
  });
});
