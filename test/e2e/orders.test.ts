import { expect, it } from 'vitest';

import { customersOf, profileKey } from '#test/support/customers.ts';
import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();

interface OrderNode {
  readonly id: string;
  readonly placedAt: string;
  readonly state: string;
  readonly channel: { readonly id: string };
  readonly total: { readonly amount: string; readonly currency: string } | null;
  readonly lines: readonly {
    readonly sku: string;
    readonly quantity: number;
    readonly unitPrice: { readonly amount: string };
  }[];
  readonly references: readonly { readonly system: string; readonly externalId: string }[];
}

async function allOrders(): Promise<readonly OrderNode[]> {
  const { ask, token } = product();
  const orders: OrderNode[] = [];
  let after: string | null = null;
  do {
    const answer = await ask(
      `query($after: String) { orders(first: 100, after: $after) { nodes { id state placedAt channel { id } total { amount currency }
         lines { sku quantity unitPrice { amount } } references { system externalId state } } pageInfo { hasNextPage endCursor } } }`,
      { token: await token('privacy-officer'), variables: { after } },
    );
    expect(answer.errors).toEqual([]);
    orders.push(...answer.data.orders.nodes);
    const { hasNextPage, endCursor } = answer.data.orders.pageInfo;
    after = hasNextPage ? endCursor : null;
  } while (after !== null);
  return orders;
}

it('lists the orders of all systems once each, newest first, with what every system calls them', async () => {
  const world = await product().world();
  const testers = new Set(world.people.filter(({ isTest }) => isTest).map(({ personId }) => personId));
  const expected = world.orders.filter(({ personId }) => personId === null || !testers.has(personId));
  const orders = await allOrders();
  expect(orders.map(({ placedAt }) => placedAt)).toEqual(
    orders
      .map(({ placedAt }) => placedAt)
      .toSorted()
      .toReversed(),
  );
  const names = orders.map(({ references }) => references.map(profileKey).toSorted().join(' | ')).toSorted();
  const truth = expected.map(({ ids }) =>
    Object.entries(ids)
      .map(([system, externalId]) => `${system} ${externalId}`)
      .toSorted()
      .join(' | '),
  );
  expect(names).toEqual(truth.toSorted());
  expect(new Set(orders.flatMap(({ references }) => references.map(({ system }) => system)))).toEqual(
    new Set(['erp', 'wms', 'pos', 'marketplace']),
  );
});

it('gives lines, prices and totals as the systems have them', async () => {
  const world = await product().world();
  const orders = await allOrders();
  const byReference = new Map<string, (typeof world.orders)[number]>(
    world.orders.flatMap((order) =>
      Object.entries(order.ids).map(([system, externalId]) => [`${system} ${externalId}`, order] as const),
    ),
  );
  for (const order of orders) {
    const truth = order.references.map((reference) => byReference.get(profileKey(reference))).find(Boolean);
    expect(order.channel.id).toBe(truth?.channel);
    const line = (sku: string, quantity: number, minor: number) =>
      `${sku} x ${quantity} at ${(minor / 100).toFixed(2)}`;
    expect(
      order.lines.map(({ sku, quantity, unitPrice }) => `${sku} x ${quantity} at ${unitPrice.amount}`).toSorted(),
    ).toEqual(truth?.lines.map(({ sku, quantity, unitPriceMinor }) => line(sku, quantity, unitPriceMinor)).toSorted());
    const total = truth?.lines.reduce((sum, { quantity, unitPriceMinor }) => sum + quantity * unitPriceMinor, 0) ?? 0;
    expect(order.total).toEqual({ amount: (total / 100).toFixed(2), currency: 'GBP' });
  }
});

it('shows a person their own orders, from the customer and from the list, and nobody else’s', async () => {
  const { ask, token, world } = product();
  const truth = await world();
  const buyers = Map.groupBy(
    truth.orders.filter(({ profileIds }) => profileIds.crm !== undefined),
    ({ profileIds }) => profileIds.crm ?? '',
  );
  const single = new Map(
    truth.people.filter(({ profiles }) => profiles.length === 1).map(({ personId }) => [personId, true]),
  );
  const [externalId = '', orders = []] =
    [...buyers].find(([, list]) => list.length > 1 && list.every(({ personId }) => single.has(personId ?? ''))) ?? [];
  const id = (await customersOf(product(), [{ system: 'crm', externalId }])).get(`crm ${externalId}`) ?? '';
  const answer = await ask(
    'query($id: ID!) { customer(id: $id) { orders(first: 50) { nodes { id references { externalId } } } } orders(first: 50) { nodes { id } } }',
    { token: await token('customer-app', { customer: id }), variables: { id } },
  );
  expect(answer).toMatchObject({ status: 200, errors: [], consent: [] });
  const own: OrderNode[] = answer.data.customer.orders.nodes;
  expect(
    own
      .map(({ references }) =>
        references
          .map((reference) => reference.externalId)
          .toSorted()
          .join(),
      )
      .toSorted(),
  ).toEqual(orders.map(({ ids }) => Object.values(ids).toSorted().join()).toSorted());
  expect(answer.data.orders.nodes.map((node: OrderNode) => node.id).toSorted()).toEqual(
    own.map((node) => node.id).toSorted(),
  );
});

it('shows an associate the orders of the own store alone, and another store’s like one that is absent', async () => {
  const { ask, token, world } = product();
  const truth = await world();
  const [home, other] = truth.places.filter(({ kind }) => kind === 'STORE');
  const mine = truth.orders.filter(({ place }) => place === home?.code);
  const associate = await token('associate', { store: home?.home.locationId ?? '' });
  const list = await ask('{ orders(first: 100) { nodes { id references { externalId } } } }', {
    token: associate,
    purpose: 'ORDER_FULFILLMENT',
  });
  const ids = new Set(mine.flatMap(({ ids: names }) => Object.values(names)));
  expect(list.data.orders.nodes.length).toBeGreaterThan(0);
  for (const { references } of list.data.orders.nodes) expect(ids).toContain(references[0].externalId);
  const colleague = await token('associate', { store: other?.home.locationId ?? '' });
  const [one] = list.data.orders.nodes;
  const foreign = await ask('query($id: ID!) { order(id: $id) { id state } none: order(id: "ord_none") { id } }', {
    token: colleague,
    purpose: 'ORDER_FULFILLMENT',
    variables: { id: one.id },
  });
  expect(foreign).toMatchObject({ status: 200, errors: [], data: { order: null, none: null } });
});

it('filters by state, channel and time', async () => {
  const { ask, token } = product();
  const all = await allOrders();
  const since = all[Math.floor(all.length / 2)]?.placedAt ?? '';
  const answer = await ask('query($filter: OrderFilter) { orders(first: 100, filter: $filter) { nodes { id } } }', {
    token: await token('privacy-officer'),
    variables: { filter: { channel: 'web', placedAfter: since, states: ['DELIVERED'] } },
  });
  expect(answer.errors).toEqual([]);
  const expected = all.filter(
    ({ channel, placedAt, state }) => channel.id === 'web' && placedAt >= since && state === 'DELIVERED',
  );
  expect(answer.data.orders.nodes.map(({ id }: OrderNode) => id)).toEqual(expected.slice(0, 100).map(({ id }) => id));
});
