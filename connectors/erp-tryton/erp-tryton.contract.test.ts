import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { connectSystem } from '#connectors/kit/connect-system.ts';
import { systemClock } from '#platform/clock.ts';
import { silentLogger } from '#platform/log.ts';
import { toSku } from '#schema/model/ids.ts';
import type { ItemRecord, OrderRecord, ProfileRecord, StockReading } from '#schema/model/records.ts';
import type { ConnectedSystem, FeedSource } from '#schema/model/sources.ts';
import type { NewProfile, StockMove } from '#schema/model/writes.ts';
import { within } from '#test/support/conform-harness.ts';
import { TRYTON_WITHIN_MS, type Tryton, startTryton, trytonOrSkip } from '#test/support/tryton/trytond.ts';

import { erpTryton } from './connector.ts';

const isThere = await trytonOrSkip();
const scope = () => within(60_000);

/** Every value of a feed from a cursor on, and the cursor after it. */
async function readFeed<V>(feed: FeedSource<V> | undefined, from: string | null = null) {
  const values: V[] = [];
  let cursor = from;
  for (let done = false; !done;) {
    const page = await feed?.readPage(cursor, scope());
    if (page === undefined) throw new Error('no such feed');
    values.push(...page.changes.flatMap((change) => (change.kind === 'upsert' ? [change.value] : [])));
    ({ cursor, done } = page);
  }
  return { values, cursor };
}

describe.skipIf(!isThere)('a real Tryton', { timeout: 120_000 }, () => {
  let tryton: Tryton;
  let erp: ConnectedSystem;
  let lastAuthorization = '';
  let logins = 0;
  const itemOf = new Map<string, ItemRecord>();

  beforeAll(async () => {
    tryton = await startTryton();
    const { url, credentials, options } = tryton;
    erp = connectSystem(erpTryton, {
      config: { id: 'erp', connector: 'erp-tryton', url, credentials, options: { ...options } },
      clock: systemClock,
      logger: silentLogger,
      trace: () => {},
      fetch: async (input, init) => {
        const authorization = new Headers(init?.headers).get('authorization');
        if (authorization === null) logins += 1;
        else lastAuthorization = authorization;
        return fetch(input, init);
      },
    });
    for (const item of (await readFeed(erp.itemFeed)).values) itemOf.set(item.code ?? '', item);
  }, TRYTON_WITHIN_MS);
  afterAll(async () => {
    await erp?.close();
    await tryton?.[Symbol.asyncDispose]();
  });

  const stockOf = async (skus: readonly string[]): Promise<readonly (readonly StockReading[])[]> => {
    const keys = skus.map((sku) => ({ sku: toSku(sku), externalId: itemOf.get(sku)?.externalId ?? '' }));
    const slots = (await erp.stock?.stockByItem(keys, scope())) ?? [];
    return slots.map((slot) => {
      if (slot === null || slot instanceof Error) throw new Error('no reading', { cause: slot });
      return slot;
    });
  };
  /** What Tryton itself says of a product in a building. */
  const forecastOf = async (sku: string, place: string) => {
    const context = { locations: [tryton.ids.warehouses[place]], with_childs: true };
    const ids = [Number(itemOf.get(sku)?.externalId)];
    const rows = await tryton.rpc('product.product.read', ids, ['quantity', 'forecast_quantity'], context);
    return (rows as { readonly quantity: number; readonly forecast_quantity: number }[])[0];
  };
  const readingOf = async (sku: string, place: string) => {
    const [readings = []] = await stockOf([sku]);
    return readings.find(({ locationExternalId }) => locationExternalId === String(tryton.ids.warehouses[place]));
  };

  it('gives every product with its price and code, by feed and by code', async () => {
    const { products } = tryton.world;
    expect(new Set(itemOf.keys())).toEqual(new Set(products.map(({ sku }) => sku)));
    const codes = [...products.map(({ sku }) => sku), "no'such"];
    const slots = (await erp.items?.itemsByCode(codes, scope())) ?? [];
    for (const [index, product] of products.entries()) {
      const price = { amount: (product.priceMinor / 100).toFixed(2), currency: 'GBP' };
      const { title, gtin, category, baseUnit } = product;
      expect(slots[index]).toMatchObject({ code: product.sku, title, gtin, category, baseUnit, price, blocked: false });
    }
    expect(slots.at(-1)).toBeNull();
  });

  it('gives every customer, by feed and by id, and neither the company nor suppliers', async () => {
    const { values } = await readFeed<ProfileRecord>(erp.profileFeed);
    const contacts = tryton.world.profiles.filter(({ system }) => system === 'crm');
    const guests = tryton.world.orders.filter(({ ids, profileIds }) => ids.erp !== undefined && !profileIds.crm);
    expect(values.length).toBe(contacts.length + guests.length);
    const references = new Map(values.map((value) => [value.provenance.source?.reference, value]));
    for (const contact of contacts.slice(0, 50)) {
      const { email, phone, address } = contact;
      expect(references.get(`CRM-${contact.externalId}`)).toMatchObject({
        email,
        phone,
        country: address?.country ?? null,
      });
    }
    const ids = values.slice(0, 120).map(({ externalId }) => externalId);
    const byId = (await erp.profiles?.profilesById([...ids, '900000001'], scope())) ?? [];
    expect(byId.map((slot) => (slot instanceof Error ? slot.message : (slot?.externalId ?? null)))).toEqual([
      ...ids,
      null,
    ]);
  });

  it('gives every sale with lines, buyer and how far its shipment is, by feed and by id', async () => {
    const { values } = await readFeed<OrderRecord>(erp.orderFeed);
    const truth = tryton.world.orders.filter(({ ids }) => ids.erp !== undefined);
    const byNumber = new Map(values.map((value) => [value.orderNumber, value]));
    expect(new Set(byNumber.keys())).toEqual(new Set(truth.map(({ orderNumber }) => orderNumber)));
    expect(values.length).toBe(truth.length);
    const stages = { validated: 'VALIDATED', picking: 'PICKING', packed: 'PACKED', shipped: 'IN_TRANSIT' } as const;
    for (const order of truth) {
      const found = byNumber.get(order.orderNumber);
      const crm = order.profileIds.crm;
      expect(found).toMatchObject({
        channel: order.channel,
        ...(crm === undefined ? {} : { customerExternalId: crm, customerSystem: 'crm' }),
        lines: order.lines.map(({ sku, quantity }) => ({ code: sku, quantity })),
      });
    }
    const inOurHouses = truth.filter(({ place }) => Object.hasOwn(tryton.ids.warehouses, place ?? ''));
    for (const [stage, state] of Object.entries(stages)) {
      const numbers = inOurHouses.filter((order) => order.stage === stage).map(({ orderNumber }) => orderNumber);
      expect(numbers.length).toBeGreaterThan(0);
      expect(numbers.map((number) => byNumber.get(number)?.state)).toEqual(numbers.map(() => state));
    }
    const ids = values.slice(0, 60).map(({ externalId }) => externalId);
    const byId = (await erp.orders?.ordersById(ids, scope())) ?? [];
    expect(byId).toMatchObject(ids.map((externalId) => ({ externalId })));
  });

  it('tells stock of every warehouse as it is, and so that it adds up to Tryton’s own forecast', async () => {
    const skus = tryton.world.products.map(({ sku }) => sku);
    const readings = await stockOf(skus);
    for (const [index, sku] of skus.entries()) {
      for (const [place, id] of Object.entries(tryton.ids.warehouses)) {
        const { onHand = 0, committed = 0, incoming = 0 } = tryton.world.stock.get(`${sku}@${place}`) ?? {};
        const found = readings[index]?.find(({ locationExternalId }) => locationExternalId === String(id));
        expect([sku, place, found]).toMatchObject([sku, place, { onHand, committed, incoming, nets: [] }]);
      }
    }
    for (const place of Object.keys(tryton.ids.warehouses)) {
      const context = { locations: [tryton.ids.warehouses[place]], with_childs: true };
      const fields = ['code', 'forecast_quantity'];
      const rows = await tryton.rpc('product.product.search_read', [], 0, null, null, fields, context);
      for (const { code, forecast_quantity } of rows as { code: string; forecast_quantity: number }[]) {
        const own = readings[skus.indexOf(code)]?.find(
          ({ locationExternalId }) => locationExternalId === String(tryton.ids.warehouses[place]),
        );
        const forecast = (own?.onHand ?? 0) - (own?.committed ?? 0) + (own?.incoming ?? 0);
        expect([code, place, forecast]).toEqual([code, place, forecast_quantity]);
      }
    }
  });

  it('sees an order move on with its shipment, and a price that changed, in the next run of a feed', async () => {
    const orders = await readFeed<OrderRecord>(erp.orderFeed);
    const items = await readFeed<ItemRecord>(erp.itemFeed);
    const picking = orders.values.find(({ state }) => state === 'PICKING');
    const [sale] = (await tryton.rpc('sale.sale.read', [Number(picking?.externalId)], ['shipments'], {})) as {
      shipments: number[];
    }[];
    await tryton.rpc('stock.shipment.out.pick', sale?.shipments, {});
    await tryton.rpc('stock.shipment.out.pack', sale?.shipments, {});
    const [product] = (await tryton.rpc(
      'product.product.search_read',
      [['code', '=', 'MG-00007']],
      0,
      null,
      null,
      ['template'],
      {},
    )) as {
      template: number;
    }[];
    const price = { __class__: 'Decimal', decimal: '19.90' };
    await tryton.rpc('product.template.write', [product?.template], { list_price: price }, {});
    const moved = await readFeed<OrderRecord>(erp.orderFeed, orders.cursor);
    expect(moved.values.find(({ externalId }) => externalId === picking?.externalId)).toMatchObject({
      state: 'PACKED',
      vendorState: 'processing/packed',
    });
    const changed = await readFeed<ItemRecord>(erp.itemFeed, items.cursor);
    expect(changed.values.find(({ code }) => code === 'MG-00007')?.price).toEqual({ amount: '19.90', currency: 'GBP' });
  });

  it('logs in once, and again when its session was ended', async () => {
    const before = logins;
    await stockOf(['MG-00001']);
    expect([before, logins]).toEqual([1, 1]);
    await fetch(`${tryton.url}/mortar/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: lastAuthorization },
      body: JSON.stringify({ method: 'common.db.logout', params: [] }),
    });
    expect((await stockOf(['MG-00001'])).length).toBe(1);
    expect(logins).toBe(2);
  });

  it('writes a stock move, which Tryton forecasts at once and its warehouse carries out', async () => {
    const [sku, place, units] = ['MG-00003', 'W1', 4];
    const before = { own: await readingOf(sku, place), vendor: await forecastOf(sku, place) };
    const move: StockMove = {
      key: 'loss-1',
      externalId: itemOf.get(sku)?.externalId ?? '',
      locationExternalId: String(tryton.ids.warehouses[place]),
      kind: 'LOST',
      units,
      at: '2026-11-23T09:00:00.000Z',
    };
    expect(await erp.stockMoveSink?.writeMoves([move], scope())).toEqual([{ kind: 'ACCEPTED' }]);
    const planned = { own: await readingOf(sku, place), vendor: await forecastOf(sku, place) };
    expect(planned.vendor).toMatchObject({
      quantity: before.vendor?.quantity,
      forecast_quantity: (before.vendor?.forecast_quantity ?? 0) - units,
    });
    expect(planned.own).toMatchObject({
      onHand: before.own?.onHand,
      committed: (before.own?.committed ?? 0) + units,
      incoming: before.own?.incoming,
    });
    const domain = [
      ['product', '=', Number(move.externalId)],
      ['to_location', '=', tryton.ids.lost],
      ['state', '=', 'draft'],
    ];
    await tryton.rpc('stock.move.do', await tryton.rpc('stock.move.search', domain, 0, null, null, {}), {});
    const done = { own: await readingOf(sku, place), vendor: await forecastOf(sku, place) };
    expect(done.vendor?.quantity).toBe((before.vendor?.quantity ?? 0) - units);
    expect(done.own).toMatchObject({
      onHand: (before.own?.onHand ?? 0) - units,
      committed: before.own?.committed,
    });
  });

  it('writes moves to and from customers, and none of a batch that Tryton refuses', async () => {
    const [sku, place] = ['MG-00004', 'W2'];
    const before = await readingOf(sku, place);
    const move = {
      externalId: itemOf.get(sku)?.externalId ?? '',
      locationExternalId: String(tryton.ids.warehouses[place]),
      at: '2026-11-23T09:00:00.000Z',
    };
    const good: readonly StockMove[] = [
      { ...move, key: 'a', kind: 'SOLD', units: 3 },
      { ...move, key: 'b', kind: 'RETURNED', units: 2 },
    ];
    expect(await erp.stockMoveSink?.writeMoves(good, scope())).toEqual([{ kind: 'ACCEPTED' }, { kind: 'ACCEPTED' }]);
    const after = await readingOf(sku, place);
    expect(after).toMatchObject({
      onHand: before?.onHand,
      committed: (before?.committed ?? 0) + 3,
      incoming: (before?.incoming ?? 0) + 2,
    });
    const unknown: StockMove = { ...move, key: 'c', externalId: '900000001', kind: 'SOLD', units: 1 };
    const [refused] = (await erp.stockMoveSink?.writeMoves([unknown], scope())) ?? [];
    expect(refused).toMatchObject({ code: 'UPSTREAM_CONTRACT', system: 'erp' });
    expect(await readingOf(sku, place)).toMatchObject({ committed: after?.committed });
  });

  it('writes a person as a party, once a code', async () => {
    const { cursor } = await readFeed<ProfileRecord>(erp.profileFeed);
    const address = { lines: ['1 Lane', 'Flat 2'], postalCode: 'LS1 1AA', city: 'Leeds', region: null, country: 'GB' };
    const ada: NewProfile = {
      code: 'MORTAR-1',
      givenName: 'Ada',
      familyName: 'Byron',
      email: 'ada@example.com',
      phone: '+441134960000',
      address,
    };
    expect(await erp.profileSink?.writeProfiles([ada], scope())).toEqual([{ kind: 'DONE' }]);
    const { values } = await readFeed<ProfileRecord>(erp.profileFeed, cursor);
    const found = values.filter(({ provenance }) => provenance.source?.reference === ada.code);
    const { code: _code, address: _address, ...person } = ada;
    expect(found).toMatchObject([{ ...person, addresses: [address], country: 'GB' }]);
    const [again, other] = (await erp.profileSink?.writeProfiles([ada, { ...ada, code: 'MORTAR-2' }], scope())) ?? [];
    expect([again, other]).toMatchObject([{ code: 'UPSTREAM_CONTRACT' }, { kind: 'DONE' }]);
  });

  it('takes what was promised off also when its day has passed, which Tryton forgets', async () => {
    const [sku, place] = ['MG-00001', 'W1'];
    const before = { own: await readingOf(sku, place), forecast: await forecastOf(sku, place) };
    const [row] = (await tryton.rpc(
      'stock.location.read',
      [tryton.ids.warehouses[place]],
      ['storage_location'],
      {},
    )) as {
      storage_location: number;
    }[];
    const overdue = {
      product: Number(itemOf.get(sku)?.externalId),
      uom: 1,
      quantity: 2,
      from_location: row?.storage_location,
      to_location: tryton.ids.lost,
      planned_date: { __class__: 'date', year: 2026, month: 1, day: 5 },
    };
    await tryton.rpc('stock.move.create', [overdue], {});
    const after = { own: await readingOf(sku, place), forecast: await forecastOf(sku, place) };
    expect(after.forecast).toEqual(before.forecast);
    expect(after.own?.committed).toBe((before.own?.committed ?? 0) + 2);
  });
});
