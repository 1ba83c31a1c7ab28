import { createHmac, randomUUID } from 'node:crypto';

import { SquareClient, SquareError, WebhooksHelper } from 'square';

import { createSquareVendor } from '#sandbox/vendors/pos-square.ts';

import { type Bench, type Check, deliver, rejectionOf, sameTexts } from './checks.ts';

const { credentials } = createSquareVendor();
const signatureKey = credentials['webhookSignatureKey'] ?? '';
const ONE_LOCATION = 'GET /v2/locations/{location_id}';

/** Square's own client against the sandbox's tills, and its signature helper against our webhook address. */
export async function squareChecks(bench: Bench): Promise<readonly Check[]> {
  return [...(await readsAndWrites(bench)), ...(await limits(bench)), ...webhooks(bench)];
}

function clientOf({ product }: Bench, maxRetries: number): SquareClient {
  return new SquareClient({
    token: credentials['token'] ?? '',
    baseUrl: product.urls.systems['pos'] ?? '',
    maxRetries,
  });
}

async function readsAndWrites(bench: Bench): Promise<readonly Check[]> {
  const client = clientOf(bench, 0);
  const { product } = bench;
  const world = await product.world();
  const stores = world.places.flatMap(({ code, ids }) => (ids.pos === undefined ? [] : [{ code, id: ids.pos }]));
  const row = world.stock.find(
    ({ sku, place, onHand, committed }) =>
      onHand - committed > 5 &&
      stores.some(({ code }) => code === place) &&
      world.products.some((p) => p.sku === sku && p.posVariationId !== null),
  );
  const variation = world.products.find(({ sku }) => sku === row?.sku)?.posVariationId ?? '';
  const store = stores.find(({ code }) => code === row?.place)?.id ?? '';
  const customers = world.profiles.filter(({ system }) => system === 'pos').map(({ externalId }) => externalId);
  const pickup = world.orders.find(({ channel, stage, ids }) => channel === 'web' && stage === 'paid' && ids.pos);
  const onShelf = async (): Promise<number | undefined> =>
    (await product.world()).stock.find(({ sku, place }) => sku === row?.sku && place === row?.place)?.onHand;
  return [
    {
      kind: 'reads',
      name: 'locations are the stores',
      holds: async () =>
        sameTexts(
          (await client.locations.list()).locations?.map(({ id }) => id) ?? [],
          stores.map(({ id }) => id),
        ),
    },
    {
      kind: 'reads',
      name: 'customers come in bulk, unknown ones as errors',
      holds: async () => {
        const ids = customers.slice(0, 50);
        const { responses = {} } = await client.customers.bulkRetrieveCustomers({ customerIds: [...ids, 'nobody'] });
        return (
          ids.every((id) => responses[id]?.customer?.id === id) &&
          responses['nobody']?.errors?.[0]?.code === 'NOT_FOUND'
        );
      },
    },
    {
      kind: 'reads',
      name: 'customers are paged through to the last',
      holds: async () => {
        const seen: (string | undefined)[] = [];
        for await (const { id } of await client.customers.list({ limit: 10 })) seen.push(id);
        return sameTexts(seen, customers);
      },
    },
    {
      kind: 'reads',
      name: 'counts are paged through, and are what lies on the shelf',
      holds: async () => {
        let units = 0;
        const asked = { catalogObjectIds: [variation], locationIds: [store], limit: 1 };
        for await (const { quantity } of await client.inventory.batchGetCounts(asked)) units += Number(quantity);
        return units === row?.onHand;
      },
    },
    {
      kind: 'reads',
      name: 'the catalog has every product of the tills',
      holds: async () => {
        const skus = new Set<string | null | undefined>();
        for await (const object of await client.catalog.list({ types: 'ITEM_VARIATION' }))
          if (object.type === 'ITEM_VARIATION') skus.add(object.itemVariationData?.sku);
        return world.products.filter(({ posVariationId }) => posVariationId !== null).every(({ sku }) => skus.has(sku));
      },
    },
    {
      kind: 'reads',
      name: 'loyalty accounts are found by customer',
      holds: async () => {
        const wanted = world.loyalty.slice(0, 10).map(({ posCustomerId }) => posCustomerId);
        const { loyaltyAccounts = [] } = await client.loyalty.accounts.search({ query: { customerIds: wanted } });
        return sameTexts(
          loyaltyAccounts.map(({ customerId }) => customerId),
          wanted,
        );
      },
    },
    {
      kind: 'reads',
      name: 'orders are searched by store and found by id',
      holds: async () => {
        const { orders = [] } = await client.orders.search({ locationIds: [store] });
        const one = await client.orders.get({ orderId: pickup?.ids.pos ?? '' });
        return (
          orders.length > 0 && orders.every(({ locationId }) => locationId === store) && one.order?.state === 'OPEN'
        );
      },
    },
    {
      kind: 'reads',
      name: "what is not there is an error of the client's",
      holds: async () => {
        const error = await rejectionOf(client.orders.get({ orderId: 'NOBODY' }));
        return error instanceof SquareError && error.statusCode === 404 && error.errors[0]?.code === 'NOT_FOUND';
      },
    },
    {
      kind: 'writes',
      // Adjustments name places otherwise in this client's version of the API (2026-09-16) than in the sandbox's (2025-08-20).
      name: 'a count is taken, once however often it is told',
      holds: async () => {
        const committed = row?.committed ?? 0;
        const occurredAt = new Date().toISOString();
        const count = {
          catalogObjectId: variation,
          locationId: store,
          quantity: '40',
          occurredAt,
          state: 'IN_STOCK',
        } as const;
        const tell = (idempotencyKey: string, quantity: string) =>
          client.inventory.batchCreateChanges({
            idempotencyKey,
            changes: [{ type: 'PHYSICAL_COUNT', physicalCount: { ...count, quantity } }],
          });
        const [key, later] = [randomUUID(), randomUUID()];
        const first = await tell(key, '40');
        await tell(later, '41');
        await tell(key, '40');
        const isTold = first.counts?.some(({ catalogObjectId }) => catalogObjectId === variation) === true;
        return isTold && (await onShelf()) === 41 + committed;
      },
    },
    {
      kind: 'writes',
      name: 'a pickup moves on with its version, and not with an old one',
      holds: async () => {
        const orderId = pickup?.ids.pos ?? '';
        const { order } = await client.orders.get({ orderId });
        const step = (version: number | undefined, state: 'PREPARED' | 'COMPLETED') =>
          client.orders.update({
            orderId,
            idempotencyKey: randomUUID(),
            order: {
              locationId: order?.locationId ?? '',
              ...(version === undefined ? {} : { version }),
              fulfillments: [{ uid: order?.fulfillments?.[0]?.uid ?? '', state }],
            },
          });
        await step(order?.version, 'PREPARED');
        const late = await rejectionOf(step((order?.version ?? 1) - 1, 'COMPLETED'));
        const stage = (await product.world()).orders.find(({ ids }) => ids.pos === orderId)?.stage;
        return stage === 'readyForPickup' && late instanceof SquareError && late.statusCode === 409;
      },
    },
  ];
}

async function limits(bench: Bench): Promise<readonly Check[]> {
  const { product } = bench;
  const world = await product.world();
  const locationId = world.places.flatMap(({ ids }) => ids.pos ?? [])[0] ?? '';
  const asked = async (): Promise<number> => (await product.calls()).pos[ONE_LOCATION] ?? 0;
  return [
    {
      kind: '429',
      name: "a refusal is the client's rate limit error",
      holds: async () => {
        await product.fault({ system: 'pos', fault: 'rateLimit', value: 1, for: 2_000 });
        const before = await asked();
        const error = await rejectionOf(clientOf(bench, 0).locations.get({ locationId }));
        const isTold =
          error instanceof SquareError && error.statusCode === 429 && error.errors[0]?.code === 'RATE_LIMITED';
        return isTold && error.errors[0]?.category === 'RATE_LIMIT_ERROR' && (await asked()) === before + 1;
      },
    },
    {
      kind: '429',
      name: 'the client waits by itself and then is answered',
      holds: async () => {
        await product.fault({ system: 'pos', fault: 'rateLimit', value: 1, for: 500 });
        const before = await asked();
        const { location } = await clientOf(bench, 2).locations.get({ locationId });
        return location?.id === locationId && (await asked()) === before + 2;
      },
    },
  ];
}

function webhooks({ product, captured, deliverTo, delivered }: Bench): readonly Check[] {
  const change = async (): Promise<void> => {
    const { stock, places, products } = await product.world();
    const row = stock.find(
      ({ sku, place }) =>
        places.some(({ code, ids }) => code === place && ids.pos !== undefined) &&
        products.some((p) => p.sku === sku && p.posVariationId !== null),
    );
    await product.event({
      kind: 'adjustment',
      sku: row?.sku ?? '',
      place: row?.place ?? '',
      onHand: (row?.onHand ?? 0) + 1,
    });
  };
  const isGenuine = (url: string, requestBody: string, signatureHeader: string): Promise<boolean> =>
    WebhooksHelper.verifySignature({ requestBody, signatureHeader, signatureKey, notificationUrl: url });
  const address = `${product.urls.webhooks}/webhooks/pos`;
  const event = (): string =>
    JSON.stringify({ event_id: randomUUID(), type: 'inventory.count.updated', text: 'É漢🙂' });
  const sign = (key: string, body: string): string =>
    createHmac('sha256', key)
      .update(address + body)
      .digest('base64');
  return [
    {
      kind: 'webhooks',
      name: "the sandbox's signature is good for Square's helper, a changed body is not",
      holds: async () => {
        const { url, headers, body } = await captured(change);
        const signature = headers['x-square-hmacsha256-signature'] ?? '';
        return (await isGenuine(url, body, signature)) && !(await isGenuine(url, `${body} `, signature));
      },
    },
    {
      kind: 'webhooks',
      name: 'the product takes what the sandbox sends',
      holds: async () => {
        await deliverTo(product.urls.webhooks);
        const before = (await delivered())['pos']?.delivered ?? 0;
        await change();
        const until = Date.now() + 10_000;
        for (;;) {
          const { pos } = await delivered();
          if ((pos?.delivered ?? 0) > before) return pos?.failed === 0;
          if (Date.now() > until) return false;
        }
      },
    },
    {
      kind: 'webhooks',
      name: "the product takes a signature that Square's helper takes, once",
      holds: async () => {
        const body = event();
        const signature = sign(signatureKey, body);
        const sent = { url: address, headers: { 'x-square-hmacsha256-signature': signature }, body };
        const isGood = await isGenuine(address, body, signature);
        return isGood && (await deliver(sent)) === '200 accepted' && (await deliver(sent)) === '200 replayed';
      },
    },
    {
      kind: 'webhooks',
      name: 'neither takes one of another key, nor for another body',
      holds: async () => {
        const body = event();
        const wrong = [sign('another-key', body), sign(signatureKey, event()), ''];
        const answers = await Promise.all(
          wrong.map(async (signature) => ({
            helper: await isGenuine(address, body, signature),
            product: await deliver({ url: address, headers: { 'x-square-hmacsha256-signature': signature }, body }),
          })),
        );
        return answers.every(({ helper, product: answer }) => !helper && answer === '401');
      },
    },
  ];
}
