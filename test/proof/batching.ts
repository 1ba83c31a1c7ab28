import type { Evidence, Reporter } from '#test/support/evidence.ts';
import { deployProduct } from '#test/support/own-issuer.ts';
import type { Product } from '#test/support/product-client.ts';
import { sabotageArguments } from './sabotage.ts';

const QUERY = `query Wide($first: Int!) { customers(first: $first) { nodes { name email orders(first: 5) { nodes { lines { product { title availability(channel: "web") { quantity { value } } } } } } } } }`;
/** The same rows with what tells their keys, for counting. */
const KEYS = `query Keys($first: Int!) { customers(first: $first) { nodes { profiles { system } orders(first: 5) { nodes { references { system } lines { sku product { references { system externalId } } } } } } } }`;
const SCOPES = 'catalog:read inventory:read customers:read orders:read';

interface Limit {
  /** Keys the vendor takes in one request, as its documentation or its contract says. */
  readonly keys: number;
  readonly of: keyof Keys;
  /** Rows the vendor gives in one answer, where a key has several; it then takes further requests with a cursor. */
  readonly rows?: number;
}

const LIMITS: Readonly<Record<string, Limit>> = {
  'crm POST /crm/v3/objects/contacts/batch/read': { keys: 100, of: 'crmProfiles' },
  'pos POST /v2/customers/bulk-retrieve': { keys: 100, of: 'posProfiles' },
  'pos POST /v2/orders/batch-retrieve': { keys: 100, of: 'posOrders' },
  'pos POST /v2/inventory/counts/batch-retrieve': { keys: 100, of: 'posItems', rows: 1_000 },
  'erp GET /companies({id})/items': { keys: 50, of: 'items' },
  'erp GET /companies({id})/salesOrders': { keys: 40, of: 'erpOrders' },
  'wms POST /inventory_fetch': { keys: 100, of: 'items', rows: 200 },
};

interface Keys {
  readonly crmProfiles: number;
  readonly posProfiles: number;
  readonly posOrders: number;
  readonly erpOrders: number;
  readonly items: number;
  readonly posItems: number;
}

export const batching: Evidence = {
  name: 'batching',
  summary:
    'a wide query costs at most ceil(distinct keys / vendor limit) requests a system and one decision read a fetch',
  sabotages: ['batching-customers', 'decision-batching'],
  run: async (report) => {
    await using deployed = await deployProduct({
      seed: report.seed,
      nodeArguments: sabotageArguments(report.sabotage),
    });
    const { product, issuer } = deployed;
    // A service that must hold what the law asks for sees the most: everybody with an order in the last seven years.
    const token = await issuer.issue({
      sub: 'service',
      client_id: 'service',
      role: 'service-job',
      scope: SCOPES,
      purposes: ['LEGAL_OBLIGATION'],
      exp: Math.floor(Date.now() / 1000) + 600,
    });
    await prove(product, token, report);
  },
};

async function prove(product: Product, token: string, report: Reporter): Promise<void> {
  const asked = { token, purpose: 'LEGAL_OBLIGATION', variables: { first: 100 } };
  const keys = await readKeys(product, asked);
  await waitForQuietFeeds(product);
  const before = await product.calls();
  const reads = await product.metric('mortar_consent_decision_reads_total');
  const fetches = await governedFetches(product);
  const answer = await product.ask(QUERY, asked);
  const after = await product.calls();
  const readCount = (await product.metric('mortar_consent_decision_reads_total')) - reads;
  const fetchCount = (await governedFetches(product)) - fetches;
  if (answer.errors.length > 0) report.progress(`errors: ${JSON.stringify(answer.errors.slice(0, 2))}`);
  const sent = diff(before, after);
  const naive = naiveCount(answer.data.customers.nodes, keys);
  let total = 0;
  for (const [operation, limit] of Object.entries(LIMITS)) {
    const value = sent.get(operation) ?? 0;
    const kind = limit.of;
    const rows = operation.startsWith('pos') ? keys.rows.pos : keys.rows.wms;
    const target = requestsFor(limit, keys.distinct[kind], rows);
    total += value;
    report.row({
      name: 'batching',
      metric: operation,
      value,
      unit: 'requests',
      n: keys.distinct[kind],
      median: null,
      spread: null,
      target,
      ok: value <= target && answer.errors.length === 0,
    });
  }
  const others = [...sent].filter(([operation]) => LIMITS[operation] === undefined && !FEEDS.has(operation));
  for (const [operation, count] of others) report.progress(`not expected: ${operation} ${count}`);
  const shared = { name: 'batching', median: null, spread: null };
  report.row({
    ...shared,
    metric: 'other requests',
    value: others.length,
    unit: 'operations',
    n: sent.size,
    target: 1,
    ok: others.length <= 1,
  });
  report.row({
    ...shared,
    metric: 'requests in all',
    value: total,
    unit: 'requests',
    n: answer.data.customers.nodes.length,
    baseline: naive,
    ratio: total / naive,
    ok: total < naive,
  });
  report.row({
    ...shared,
    metric: 'decision reads',
    value: readCount,
    unit: 'reads',
    n: fetchCount,
    target: fetchCount,
    ok: readCount > 0 && readCount <= fetchCount,
  });
  const orders = answer.data.customers.nodes.reduce(
    (sum: number, { orders: of }: Wide) => sum + (of?.nodes.length ?? 0),
    0,
  );
  report.row({ ...shared, metric: 'orders in the answer', value: orders, unit: 'orders', n: 1, ok: orders > 100 });
}

/** Chunks of keys, and where a key has many rows the further pages of those chunks. */
function requestsFor({ keys, rows: page }: Limit, distinct: number, rows: number): number {
  const chunks = Math.ceil(distinct / keys);
  return page === undefined ? chunks : Math.max(chunks, chunks - 1 + Math.ceil(rows / page));
}

interface Wide {
  readonly profiles?: readonly { readonly system: string }[];
  readonly orders: {
    readonly nodes: readonly {
      readonly references?: readonly { readonly system: string }[];
      readonly lines:
        | readonly {
            readonly sku?: string;
            readonly product?: {
              readonly references?: readonly { readonly system: string; readonly externalId: string }[];
            };
          }[]
        | null;
    }[];
  } | null;
}

interface Counted {
  readonly distinct: Keys;
  /** Stock rows of the items by system: the tills count two states a place. */
  readonly rows: { readonly pos: number; readonly wms: number };
}

async function readKeys(product: Product, asked: object): Promise<Counted> {
  const answer = await product.ask(KEYS, asked);
  if (answer.errors.length > 0) throw new Error(`keys could not be read: ${answer.text.slice(0, 400)}`);
  const nodes: readonly Wide[] = answer.data.customers.nodes;
  const profiles = nodes.flatMap((node) => node.profiles ?? []);
  const orders = nodes.flatMap((node) => node.orders?.nodes ?? []);
  const lines = orders.flatMap((order) => order.lines ?? []);
  const ofSystem = (system: string): number =>
    orders.filter(({ references }) => references?.some((one) => one.system === system)).length;
  const items = new Map(lines.map((line) => [line.sku ?? '', line]));
  const inTills = [...items.values()].filter(({ product: item }) =>
    item?.references?.some(({ system }) => system === 'pos'),
  );
  const { stock } = await product.world();
  const rowsOf = (system: string): number =>
    stock.filter(({ sku, authority }) => items.has(sku) && authority?.system === system).length;
  return {
    rows: { pos: 2 * rowsOf('pos'), wms: rowsOf('wms') },
    distinct: {
      crmProfiles: profiles.filter(({ system }) => system === 'crm').length,
      posProfiles: profiles.filter(({ system }) => system === 'pos').length,
      posOrders: ofSystem('pos'),
      erpOrders: ofSystem('erp'),
      items: items.size,
      posItems: inTills.length,
    },
  };
}

/** What a resolver per row would send: one request a profile, a facet, and a title and two stock reads a line. */
function naiveCount(nodes: readonly Wide[], { distinct }: Counted): number {
  const lines = nodes.flatMap(({ orders }) => orders?.nodes ?? []).flatMap((order) => order.lines ?? []);
  return distinct.crmProfiles + distinct.posProfiles + distinct.posOrders + distinct.erpOrders + lines.length * 3;
}

/** Operations of feeds, which run on their own clock beside the query. */
const FEEDS = new Set([
  'wms POST /get_recent_changes',
  'pos POST /v2/orders/search',
  'pos POST /v2/customers/search',
  'pos POST /v2/catalog/search',
  'pos POST /v2/loyalty/accounts/search',
  'crm GET /crm/v3/objects/contacts',
  'crm POST /crm/v3/objects/contacts/search',
]);

/** The ERP's feeds use the operations of the query: it is asked right after they ran, half a minute before they run again. */
async function waitForQuietFeeds(product: Product): Promise<void> {
  let last = JSON.stringify((await product.calls()).erp);
  for (let quiet = 0; quiet < 3;) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    const now = JSON.stringify((await product.calls()).erp);
    quiet = now === last ? quiet + 1 : 0;
    last = now;
  }
}

/** Fetches of subgraphs that hold governed fields. */
async function governedFetches(product: Product): Promise<number> {
  const name = 'mortar_subgraph_fetch_duration_seconds_count';
  return (await product.metric(name, { subgraph: 'customers' })) + (await product.metric(name, { subgraph: 'orders' }));
}

type Counts = Awaited<ReturnType<Product['calls']>>;

function diff(before: Counts, after: Counts): ReadonlyMap<string, number> {
  const flat = (counts: Counts): [string, number][] =>
    Object.entries(counts).flatMap(([system, operations]) =>
      Object.entries(operations).map(([operation, count]): [string, number] => [`${system} ${operation}`, count]),
    );
  const known = new Map(flat(before));
  return new Map(
    flat(after).flatMap(([name, count]): [string, number][] =>
      count > (known.get(name) ?? 0) ? [[name, count - (known.get(name) ?? 0)]] : [],
    ),
  );
}
