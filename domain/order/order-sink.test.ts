import { expect, test } from 'vitest';

import { orderMigrations } from './migrations.ts';
import { createOrderDirectory, type OrderDirectory } from './order-directory.ts';
import { createOrderSink } from './order-sink.ts';
import { OPEN_END_MS } from './order-state.ts';
import { createOrderValueReader } from './order-values.ts';
import type { OrderTables } from './tables.ts';
import { createCustomerDirectory } from '#domain/identity/customer-directory.ts';
import { createCursors } from '#platform/cursors.ts';
import type { Database } from '#platform/database.ts';
import { MortarError } from '#platform/errors.ts';
import { toLocationId, toOrderId, toSku, toSystemId } from '#schema/model/ids.ts';
import type { OrderRecord, ProfileRecord } from '#schema/model/records.ts';
import type { FeedSink, OrderSource, Slot } from '#schema/model/sources.ts';
import { describeDatabases } from '#test/support/databases.ts';
import { TEST_NOW_MS, aTestIdentity, identityTestMigrations, testClock } from '#test/support/identity.ts';
import { aFeed, aPage, aProfile, anOrder } from '#test/support/people.ts';
import { aRequestOf } from '#test/support/requests.ts';

const migrations = [...identityTestMigrations, ...orderMigrations];
const feedOf = (system: string) => aFeed<OrderRecord>(system, 'orders');
const store = toLocationId('loc_store');

function setUp(database: Database, sources: readonly OrderSource[] = []) {
  const identity = aTestIdentity(database);
  const cursors = createCursors(new Uint8Array(32).fill(9));
  const customers = createCustomerDirectory({ database, matchKeys: identity.matchKeys, cursors, country: 'GB' });
  const sink: FeedSink<OrderRecord> = createOrderSink({
    database,
    clock: testClock,
    subjects: identity.subjects,
    profiles: identity.writer,
    cipher: identity.cipher,
    policy: { precedence: ['erp', 'pos'], recipients: { marketplace: 'amazon-marketplace' }, returnDays: 30 },
    keepsSnapshot: (order) => order.system === 'marketplace',
    locationOf: () => store,
  });
  const directory: OrderDirectory = createOrderDirectory({ database, cursors, identity: customers });
  const values = createOrderValueReader({
    database,
    cipher: identity.cipher,
    sources,
    precedence: ['erp', 'pos', 'marketplace'].map(toSystemId),
    skus: { skusOf: async (_system, codes) => codes.map((code) => (code === 'unknown' ? null : toSku(code))) },
  });
  const relations = async () => database.as<OrderTables>().write.selectFrom('order_relation').selectAll().execute();
  const list = async (request = aRequestOf()) => {
    const page = await directory.page({ first: 100, after: null, filter: {} }, request);
    return page.rows.map(({ view }) => view);
  };
  return { identity, customers, sink, directory, values, relations, list };
}

const source = (
  system: string,
  answer: (ids: readonly string[]) => readonly Slot<OrderRecord>[],
): OrderSource & { calls: number } => {
  const bound = {
    system: toSystemId(system),
    connector: `${system}-test`,
    calls: 0,
    ordersById: async (ids: readonly string[]) => {
      bound.calls += 1;
      return answer(ids);
    },
  };
  return bound;
};

describeDatabases('order feeds', (open) => {
  test('join facets of one number into one order, whichever comes first', async () => {
    await using db = await open(migrations);
    const { sink, list } = setUp(db.database);
    const erp = anOrder({
      orderNumber: 'N1',
      state: 'RELEASED',
      buyer: aProfile({ system: 'erp', kind: 'GUEST', externalId: 'o1' }),
    });
    const wms = anOrder({
      system: 'wms',
      externalId: 'f1',
      orderNumber: 'N1',
      state: 'PACKED',
      channel: null,
      lines: [],
      total: null,
    });
    await sink.writePage(feedOf('wms'), aPage(wms));
    await sink.writePage(feedOf('erp'), aPage(erp));
    const [order, ...others] = await list();
    expect(others).toEqual([]);
    expect(order).toMatchObject({ state: 'PACKED', channel: 'web', placedAt: '2026-01-05T09:00:00.000Z' });
    expect(order?.references.map((facet) => `${facet.system}:${facet.externalId}`)).toEqual(['erp:o1', 'wms:f1']);
  });

  test('a facet that learns its number later joins the order; its old id stays resolvable', async () => {
    await using db = await open(migrations);
    const { sink, list, directory } = setUp(db.database);
    await sink.writePage(feedOf('erp'), aPage(anOrder({ orderNumber: 'N1' })));
    await sink.writePage(
      feedOf('pos'),
      aPage(anOrder({ system: 'pos', externalId: 's1', placedAt: '2026-01-06T00:00:00.000Z' })),
    );
    const standalone = (await list()).find((order) => order.references[0]?.system === 'pos');
    await sink.writePage(
      feedOf('pos'),
      aPage(anOrder({ system: 'pos', externalId: 's1', orderNumber: 'N1', updatedAt: '2026-01-06T00:00:00.000Z' })),
    );
    const [order, ...others] = await list();
    expect(others).toEqual([]);
    const [byOldId] = await directory.byIds([standalone!.id], aRequestOf());
    expect(byOldId?.id).toBe(order?.id);
  });

  test('ignore older versions, take the same one twice, and forget deleted orders', async () => {
    await using db = await open(migrations);
    const { sink, list, relations } = setUp(db.database);
    const shipped = anOrder({ state: 'IN_TRANSIT', updatedAt: '2026-01-07T00:00:00.000Z' });
    await sink.writePage(feedOf('erp'), aPage(shipped));
    await sink.writePage(feedOf('erp'), aPage(anOrder({ state: 'RECEIVED', updatedAt: '2026-01-06T00:00:00.000Z' })));
    await sink.writePage(feedOf('erp'), aPage(shipped));
    expect((await list()).map((order) => order.state)).toEqual(['IN_TRANSIT']);
    const gone = { kind: 'delete', system: toSystemId('erp'), externalId: 'o1' } as const;
    await sink.writePage(feedOf('erp'), { changes: [gone], cursor: null, done: true });
    expect(await list()).toEqual([]);
    expect(await relations()).toEqual([]);
  });

  test('relate the order to its buyer, place and recipient for as long as it is open', async () => {
    await using db = await open(migrations);
    const { sink, relations, identity } = setUp(db.database);
    const buyer: ProfileRecord = aProfile({ system: 'marketplace', externalId: 'b1', kind: 'MARKETPLACE_BUYER' });
    const order = anOrder({
      system: 'marketplace',
      externalId: 'm1',
      channel: 'amazon',
      buyer,
      locationExternalId: 'FBA',
    });
    await sink.writePage(feedOf('marketplace'), aPage(order));
    const [ensured] = await identity.subjects.ensureSubjects([{ system: toSystemId('marketplace'), externalId: 'b1' }]);
    expect(await relations()).toMatchObject([
      {
        subject_id: ensured?.subject,
        store,
        recipient: 'amazon-marketplace',
        open_until: OPEN_END_MS,
        synced_at: TEST_NOW_MS,
      },
    ]);
    await sink.writePage(
      feedOf('marketplace'),
      aPage({ ...order, state: 'DELIVERED', updatedAt: '2026-01-10T00:00:00.000Z' }),
    );
    expect(await relations()).toMatchObject([{ open_until: Date.parse('2026-02-09T00:00:00.000Z') }]);
  });

  test('an order that names a profile of another system belongs to that profile, known or not', async () => {
    await using db = await open(migrations);
    const { sink, list, identity } = setUp(db.database);
    await sink.writePage(
      feedOf('erp'),
      aPage(anOrder({ customerExternalId: 'p1', customerSystem: toSystemId('crm') })),
    );
    const [ensured] = await identity.subjects.ensureSubjects([{ system: toSystemId('crm'), externalId: 'p1' }]);
    expect((await list())[0]?.subjects).toEqual([ensured?.subject]);
  });

  test('page newest first without gaps or repeats, and filter', async () => {
    await using db = await open(migrations);
    const { sink, directory } = setUp(db.database);
    const orders = Array.from({ length: 7 }, (_, index) =>
      anOrder({
        externalId: `o${index}`,
        placedAt: `2026-01-0${1 + (index % 3)}T10:00:00.000Z`,
        channel: index % 2 === 0 ? 'web' : 'store',
      }),
    );
    await sink.writePage(feedOf('erp'), aPage(...orders));
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page = await directory.page({ first: 3, after, filter: {} }, aRequestOf());
      seen.push(...page.rows.map(({ view }) => view.placedAt!));
      after = page.hasNextPage ? (page.rows.at(-1)?.cursor ?? null) : null;
    } while (after !== null);
    expect(seen).toHaveLength(7);
    expect(seen).toEqual(seen.toSorted().toReversed());
    const filter = { channel: 'store', placedAfter: '2026-01-02T00:00:00.000Z', states: ['RECEIVED'] as const };
    const page = await directory.page({ first: 10, after: null, filter }, aRequestOf());
    expect(page.rows).toHaveLength(2);
    expect(await directory.count({ channel: 'web' }, aRequestOf())).toBe(4);
    await expect(directory.page({ first: 101, after: null, filter: {} }, aRequestOf())).rejects.toMatchObject({
      code: 'LIMIT_LIST',
    });
    await expect(directory.page({ first: 1, after: 'forged', filter: {} }, aRequestOf())).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  });

  test('show customers their own orders, associates those of their stores, partners and analysts none', async () => {
    await using db = await open(migrations);
    const { sink, list, identity, directory } = setUp(db.database);
    await identity.profiles.writePage(aFeed('crm', 'customers'), aPage(aProfile(), aProfile({ externalId: 'p2' })));
    const crm = toSystemId('crm');
    await sink.writePage(
      feedOf('erp'),
      aPage(
        anOrder({ externalId: 'o1', customerExternalId: 'p1', customerSystem: crm, locationExternalId: 'S01' }),
        anOrder({ externalId: 'o2', customerExternalId: 'p2', customerSystem: crm }),
      ),
    );
    const [own] = await identity.tables.write.selectFrom('subject').selectAll().orderBy('created_seq').execute();
    const refs = async (principal: Parameters<typeof aRequestOf>[0]) =>
      (await list(aRequestOf(principal))).map((order) => order.references[0]?.externalId ?? '').toSorted();
    expect(await refs({ principal: { role: 'customer', customer: own!.own_customer_id as never } })).toEqual(['o1']);
    expect(await refs({ principal: { role: 'associate', stores: [store] } })).toEqual(['o1']);
    expect(await refs({ principal: { role: 'associate', stores: [] } })).toEqual([]);
    expect(await refs({ principal: { role: 'partner' } })).toEqual([]);
    expect(await refs({ principal: { role: 'analyst' } })).toEqual([]);
    const [foreign] = (await list()).filter((order) => order.references[0]?.externalId === 'o2');
    const asCustomer = aRequestOf({ principal: { role: 'customer', customer: own!.own_customer_id as never } });
    expect(await directory.byIds([foreign!.id, toOrderId('ord_absent')], asCustomer)).toEqual([null, null]);
  });

  test('lines come from the first system that carries them; the next is asked where one failed', async () => {
    await using db = await open(migrations);
    const erp = source('erp', (ids) =>
      ids.map((id) =>
        id === 'o2' ? new MortarError('UPSTREAM_TIMEOUT', { system: 'erp' }) : anOrder({ externalId: id }),
      ),
    );
    const pos = source('pos', (ids) =>
      ids.map((id) =>
        anOrder({
          system: 'pos',
          externalId: id,
          lines: [{ code: 'unknown', title: 'Mug', quantity: 1, unitPrice: null }],
        }),
      ),
    );
    const { sink, list, values } = setUp(db.database, [erp, pos]);
    await sink.writePage(
      feedOf('erp'),
      aPage(anOrder({ externalId: 'o1', orderNumber: 'N1' }), anOrder({ externalId: 'o2', orderNumber: 'N2' })),
    );
    await sink.writePage(feedOf('pos'), aPage(anOrder({ system: 'pos', externalId: 's2', orderNumber: 'N2' })));
    const orders = (await list()).toSorted((a, b) => a.references.length - b.references.length);
    const [plain, fallback] = await values.read(orders, aRequestOf());
    expect(plain).toMatchObject({ lines: [{ sku: 'SKU-1', quantity: 2 }], total: { amount: '20.00' }, failures: [] });
    expect(fallback).toMatchObject({ lines: [{ sku: null, title: 'Mug' }], failures: [{ system: 'erp' }] });
    expect([erp.calls, pos.calls]).toEqual([1, 1]);
  });

  test('marketplace values are ciphertext at rest and gone with the buyer’s key', async () => {
    await using db = await open(migrations);
    const { sink, list, values, identity } = setUp(db.database);
    const buyer = aProfile({ system: 'marketplace', externalId: 'b1', kind: 'MARKETPLACE_BUYER' });
    const lines = [{ code: 'A', title: 'Canary-99', quantity: 1, unitPrice: null }];
    await sink.writePage(
      feedOf('marketplace'),
      aPage(anOrder({ system: 'marketplace', externalId: 'm1', buyer, lines })),
    );
    const stored = await db.database.as<OrderTables>().read.selectFrom('order_snapshot').selectAll().execute();
    expect(JSON.stringify(stored)).not.toContain('Canary');
    const [order] = await list();
    expect((await values.read([order!], aRequestOf()))[0]?.lines?.[0]?.title).toBe('Canary-99');
    await identity.cipher.destroyKeys(order!.subjects);
    expect((await values.read([order!], aRequestOf()))[0]).toEqual({ lines: null, total: null, failures: [] });
  });

  test('a finished feed confirms open orders it did not deliver again', async () => {
    await using db = await open(migrations);
    const first = setUp(db.database);
    await first.sink.writePage(feedOf('erp'), aPage(anOrder()));
    await db.database.as<OrderTables>().write.updateTable('order_relation').set({ synced_at: 1 }).execute();
    const restarted = setUp(db.database);
    await restarted.sink.writePage(feedOf('erp'), { changes: [], cursor: null, done: true });
    expect(await restarted.relations()).toMatchObject([{ synced_at: TEST_NOW_MS }]);
  });
});
