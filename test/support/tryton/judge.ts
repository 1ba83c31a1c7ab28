import { z } from 'zod';

import { batchesOf } from '#platform/batches.ts';
import type { AskOptions, Product } from '#test/support/product-client.ts';
import { customersOf, profileKey } from '#test/support/customers.ts';

import type { Tryton } from './trytond.ts';

/** What the graph says over Tryton, compared with what Tryton was filled with. */
export interface Verdict {
  readonly question: string;
  readonly asked: number;
  /** What was asked, where the answer is not what is so. */
  readonly wrong: readonly string[];
}

/** Asks what a shop, an analyst and the service desk ask, of everything there is. */
export async function judgeMainJob(product: Product, tryton: Tryton): Promise<readonly Verdict[]> {
  return [
    await judgePrices(product, tryton),
    await judgeStock(product, tryton),
    await judgePromises(product, tryton),
    await judgeOrders(product, tryton),
    await judgeCustomers(product, tryton),
  ];
}

async function dataOf(product: Product, query: string, { client, ...options }: AskOptions & { client: string }) {
  const answer = await product.ask(query, { ...options, token: await product.token(client) });
  if (answer.status !== 200 || answer.errors.length > 0) throw new Error(`the graph answered ${answer.text}`);
  return answer.data;
}

function verdict<T>(question: string, asked: readonly T[], complaint: (item: T) => string | null): Verdict {
  return { question, asked: asked.length, wrong: asked.flatMap((item) => complaint(item) ?? []) };
}

const source = z.object({ system: z.string(), connector: z.string() });
const priced = z.object({
  sku: z.string(),
  title: z.string().nullable(),
  price: z
    .object({
      value: z.object({ amount: z.string(), currency: z.string() }),
      provenance: z.object({ source: source.nullable() }),
    })
    .nullable(),
});

/** Every product of the ERP: title, price, and that Tryton said it. */
async function judgePrices(product: Product, { world }: Tryton): Promise<Verdict> {
  const skus = world.products.map(({ sku }) => sku);
  const fields =
    'sku title price(channel: "web") { value { amount currency } provenance { source { system connector } } }';
  const found = new Map<string, z.infer<typeof priced>>();
  let after: string | null = null;
  do {
    const query = `query($after: String) { products(first: 50, after: $after) { nodes { ${fields} } pageInfo { hasNextPage endCursor } } }`;
    const { products } = await dataOf(product, query, { client: 'storefront', variables: { after } });
    for (const node of z.array(priced).parse(products.nodes)) found.set(node.sku, node);
    after = products.pageInfo.hasNextPage ? products.pageInfo.endCursor : null;
  } while (after !== null);
  return verdict('products with price', skus, (sku) => {
    const truth = world.products.find((entry) => entry.sku === sku);
    const [own, wanted] = [found.get(sku), ((truth?.priceMinor ?? 0) / 100).toFixed(2)];
    const { source: from } = own?.price?.provenance ?? {};
    const isRight =
      own?.title === truth?.title &&
      own?.price?.value.amount === wanted &&
      from?.system === 'erp' &&
      from.connector === 'erp-tryton';
    return isRight ? null : `${sku}: ${JSON.stringify(own)} instead of ${wanted}`;
  });
}

const figure = z
  .object({
    value: z.number(),
    provenance: z.object({ asOf: z.string().nullable(), lane: z.string(), source: source.nullable() }),
  })
  .nullable();
const level = z.object({
  location: z.object({ name: z.string().nullable() }),
  onHand: figure,
  committed: z.object({ value: z.number() }).nullable(),
  incoming: z.object({ value: z.number() }).nullable(),
});
export type Level = z.infer<typeof level>;

type Levels = ReadonlyMap<string, Level>;

/** Products one document asks for. */
const AT_ONCE = 10;

/** The levels of products, by sku and by the place's name. */
export async function levelsOf(product: Product, skus: readonly string[]): Promise<ReadonlyMap<string, Levels>> {
  const fields = `stock(first: 50) { nodes { location { name } committed { value } incoming { value }
    onHand { value provenance { asOf lane source { system connector } } } } }`;
  const found = new Map<string, Levels>();
  for (const batch of batchesOf(skus, AT_ONCE)) {
    const names = batch.map((_, index) => `$s${index}: Sku!`).join(', ');
    const asked = batch.map((_, index) => `p${index}: product(sku: $s${index}) { ${fields} }`).join('\n');
    const variables = Object.fromEntries(batch.map((sku, index) => [`s${index}`, sku]));
    const data = await dataOf(product, `query(${names}) { ${asked} }`, { client: 'storefront', variables });
    for (const [index, sku] of batch.entries()) {
      const levels = z.array(level).parse(data[`p${index}`].stock.nodes);
      found.set(sku, new Map(levels.map((entry) => [entry.location.name ?? '', entry])));
    }
  }
  return found;
}

/** Every warehouse's figure of every product: on hand, committed, incoming, of now and from Tryton. */
async function judgeStock(product: Product, { world, ids }: Tryton): Promise<Verdict> {
  const rows = [...world.stock.values()].filter(({ place }) => Object.hasOwn(ids.warehouses, place));
  const names = new Map(world.places.map(({ code, name }) => [code, name]));
  const levels = await levelsOf(product, [...new Set(rows.map(({ sku }) => sku))]);
  return verdict('stock figures of warehouses', rows, ({ sku, place, onHand, committed, incoming }) => {
    const own = levels.get(sku)?.get(names.get(place) ?? '');
    const { source: from, asOf } = own?.onHand?.provenance ?? {};
    const isRight =
      own?.onHand?.value === onHand &&
      own.committed?.value === committed &&
      own.incoming?.value === incoming &&
      from?.system === 'erp' &&
      from.connector === 'erp-tryton' &&
      typeof asOf === 'string';
    return isRight ? null : `${sku} at ${place}: ${JSON.stringify(own)}`;
  });
}

const promise = z.object({
  sku: z.string(),
  quantity: z
    .object({ value: z.number(), provenance: z.object({ inputs: z.array(z.object({ system: z.string() })) }) })
    .nullable(),
});

/** What the web shop may promise: tills and Tryton's warehouses together, less a buffer of one a place. */
async function judgePromises(product: Product, { world, ids }: Tryton): Promise<Verdict> {
  const kinds = new Map(world.places.map(({ code, kind }) => [code, kind]));
  const skus = world.products.map(({ sku }) => sku);
  const query = `query($skus: [Sku!]!) { availability(skus: $skus, channel: "web") {
    sku quantity { value provenance { inputs { system } } } } }`;
  const data = await dataOf(product, query, { client: 'storefront', variables: { skus } });
  const found = new Map(
    z
      .array(promise)
      .parse(data.availability)
      .map((entry) => [entry.sku, entry.quantity]),
  );
  return verdict('promises over tills and Tryton', skus, (sku) => {
    const rows = [...world.stock.values()].filter(
      (row) => row.sku === sku && kinds.get(row.place) !== 'MARKETPLACE_WAREHOUSE',
    );
    const wanted = rows.reduce((sum, { onHand, committed }) => sum + Math.max(0, onHand - committed - 1), 0);
    const isInTryton = rows.some(({ place }) => Object.hasOwn(ids.warehouses, place));
    const own = found.get(sku);
    const named = own?.provenance.inputs.some(({ system }) => system === 'erp') ?? false;
    return (own?.value ?? 0) === wanted && (named || !isInTryton || wanted === 0)
      ? null
      : `${sku}: ${JSON.stringify(own)} instead of ${wanted}`;
  });
}

const orderNode = z.object({
  lines: z.array(z.object({ sku: z.string().nullable(), quantity: z.number() })).nullable(),
  references: z.array(z.object({ system: z.string(), externalId: z.string() })).nullable(),
});

/** The orders Tryton carries, but for those of test accounts, which nobody is shown. */
function ordersIn({ world }: Tryton) {
  const testers = new Set(world.people.filter(({ isTest }) => isTest).map(({ personId }) => personId));
  return world.orders.filter(({ ids, personId }) => ids.erp !== undefined && !testers.has(personId ?? ''));
}

/** The retailer's order number by Tryton's id. */
async function numbersIn({ rpc }: Tryton): Promise<ReadonlyMap<string, string>> {
  const rows = z
    .array(z.object({ id: z.number(), reference: z.string() }))
    .parse(await rpc('sale.sale.search_read', [], 0, null, null, ['reference'], {}));
  return new Map(rows.map(({ id, reference }) => [String(id), reference]));
}

/** Every order of Tryton, once, with its lines. */
async function judgeOrders(product: Product, tryton: Tryton): Promise<Verdict> {
  const numbers = await numbersIn(tryton);
  const found = new Map<string, z.infer<typeof orderNode>>();
  const query = `query($after: String) { orders(first: 100, after: $after) { nodes {
    lines { sku quantity } references { system externalId } } pageInfo { hasNextPage endCursor } } }`;
  let after: string | null = null;
  do {
    const { orders } = await dataOf(product, query, { client: 'privacy-officer', variables: { after } });
    for (const node of z.array(orderNode).parse(orders.nodes)) {
      const reference = node.references?.find(({ system }) => system === 'erp');
      if (reference !== undefined) found.set(numbers.get(reference.externalId) ?? '', node);
    }
    after = orders.pageInfo.hasNextPage ? orders.pageInfo.endCursor : null;
  } while (after !== null);
  const linesOf = (lines: readonly { readonly sku: string | null; readonly quantity: number }[]): string =>
    JSON.stringify(lines.map(({ sku, quantity }) => `${sku} ${quantity}`).toSorted((a, b) => (a < b ? -1 : 1)));
  return verdict('orders with lines', ordersIn(tryton), ({ orderNumber, lines }) => {
    const own = found.get(orderNumber);
    return own !== undefined && linesOf(own.lines ?? []) === linesOf(lines)
      ? null
      : `${orderNumber}: ${JSON.stringify(own)}`;
  });
}

/** CRM customers with orders in Tryton: the orders are theirs. */
async function judgeCustomers(product: Product, tryton: Tryton): Promise<Verdict> {
  const numbers = await numbersIn(tryton);
  const buyers = Map.groupBy(
    ordersIn(tryton).filter(({ profileIds }) => profileIds.crm !== undefined),
    ({ profileIds }) => profileIds.crm ?? '',
  );
  const chosen = [...buyers].slice(0, 40).map(([externalId, orders]) => ({ system: 'crm', externalId, orders }));
  const customers = await customersOf(product, chosen);
  const found = new Map<string, ReadonlySet<string>>();
  for (const batch of batchesOf(chosen, AT_ONCE)) {
    const names = batch.map((_, index) => `$c${index}: ID!`).join(', ');
    const fields = 'orders(first: 100) { nodes { references { system externalId } } }';
    const asked = batch.map((_, index) => `c${index}: customer(id: $c${index}) { ${fields} }`).join('\n');
    const variables = Object.fromEntries(batch.map((buyer, index) => [`c${index}`, customers.get(profileKey(buyer))]));
    const data = await dataOf(product, `query(${names}) { ${asked} }`, { client: 'privacy-officer', variables });
    for (const [index, { externalId }] of batch.entries()) {
      const nodes = z.array(orderNode.pick({ references: true })).parse(data[`c${index}`]?.orders?.nodes ?? []);
      const ids = nodes.flatMap(({ references }) => references ?? []).filter(({ system }) => system === 'erp');
      found.set(externalId, new Set(ids.map((reference) => numbers.get(reference.externalId) ?? '')));
    }
  }
  return verdict('customers with their orders', chosen, ({ externalId, orders }) => {
    const missing = orders.filter(({ orderNumber }) => found.get(externalId)?.has(orderNumber) !== true);
    return missing.length === 0 ? null : `${externalId}: ${missing.length} of ${orders.length} orders missing`;
  });
}
