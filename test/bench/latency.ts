import { type Evidence, type Reporter, summarize } from '#test/support/evidence.ts';
import type { AskOptions, Product } from '#test/support/product-client.ts';
import { startProduct } from '#test/support/product.ts';
import { documentsIn, readmeBlocks } from '#test/support/readme-tour.ts';

const LATENCY_MS = 20;
/** A second latency: by how much an answer grows with it tells how many calls wait for one another. */
const OTHER_LATENCY_MS = 120;
const OVERHEAD_MS = 15;
const CONCURRENCY = 50;
const CONCURRENT_P95_MS = 120;

/** A query of the README with its caller. */
interface Query {
  readonly name: string;
  readonly document: string;
  readonly options: AskOptions;
}

export const latency: Evidence = {
  name: 'latency',
  summary:
    'with 20 ms in every system, the tour’s queries cost their upstream waves + 15 ms; stock at 50 concurrent p95 < 120 ms',
  run: async (report) => {
    await using product = await startProduct({ seed: report.seed });
    const { stock, customers } = await queriesOf(product);
    for (const query of [customers, stock]) await alone(product, query, report);
    await together(product, stock, report);
  },
};

async function queriesOf(product: Product): Promise<{ readonly stock: Query; readonly customers: Query }> {
  const documents = (await readmeBlocks()).flatMap(documentsIn);
  const find = (part: string): string => {
    const document = documents.find((text) => text.includes(part));
    if (document === undefined) throw new Error(`the README has no query with ${part}`);
    return document;
  };
  return {
    stock: {
      name: 'stock query',
      document: find('query Shop'),
      options: { token: await product.token('storefront'), variables: { channel: 'web' } },
    },
    customers: {
      name: 'customer query',
      document: find('customers(first: 50)'),
      options: { token: await product.token('marketer'), purpose: 'MARKETING' },
    },
  };
}

/** One after the other: what the graph adds to the calls that wait for one another. */
async function alone(product: Product, query: Query, report: Reporter): Promise<void> {
  const rounds = report.short ? 40 : 200;
  await product.fault({ system: '*', fault: 'latency', value: OTHER_LATENCY_MS });
  const slow = summarize(await measure(product, query, 15, 1)).median;
  await product.fault({ system: '*', fault: 'latency', value: LATENCY_MS });
  await measure(product, query, 20, 1);
  const before = await upstreamTimes(product);
  const { median, spread, p95 } = summarize(await measure(product, query, rounds, 1));
  const calls = await upstreamTimes(product);
  const waves = Math.round((slow - median) / (OTHER_LATENCY_MS - LATENCY_MS));
  // One wave takes as long as its slowest system: the latency and what the sandbox itself needs to answer.
  const waveMs = Math.max(LATENCY_MS, ...[...calls].map(([system, after]) => meanMs(before.get(system), after)));
  const criticalMs = waves * waveMs;
  report.progress(`${query.name}: ${waves} waves of ${waveMs.toFixed(1)} ms`);
  const target = criticalMs + OVERHEAD_MS;
  report.row({
    name: 'latency',
    metric: `${query.name}, p95 alone`,
    value: p95,
    unit: 'ms',
    n: rounds,
    median,
    spread,
    baseline: criticalMs,
    ratio: p95 / criticalMs,
    target,
    ok: p95 <= target,
  });
}

/** Fifty at a time, each asking again as soon as it is answered. */
async function together(product: Product, query: Query, report: Reporter): Promise<void> {
  const rounds = report.short ? 300 : 3_000;
  await product.fault({ system: '*', fault: 'latency', value: LATENCY_MS });
  await measure(product, query, 500, CONCURRENCY);
  const startedAt = performance.now();
  const { median, spread, p95 } = summarize(await measure(product, query, rounds, CONCURRENCY));
  const perSecond = (rounds / (performance.now() - startedAt)) * 1_000;
  report.row({
    name: 'latency',
    metric: `${query.name}, p95 at ${CONCURRENCY} concurrent`,
    value: p95,
    unit: 'ms',
    n: rounds,
    median,
    spread,
    target: CONCURRENT_P95_MS,
    ok: p95 < CONCURRENT_P95_MS,
  });
  report.row({
    name: 'latency',
    metric: `${query.name}, answers a second at ${CONCURRENCY} concurrent`,
    value: perSecond,
    unit: '1/s',
    n: rounds,
    median: null,
    spread: null,
    ok: true,
  });
}

async function measure(
  product: Product,
  { document, options }: Query,
  rounds: number,
  width: number,
): Promise<readonly number[]> {
  const times: number[] = [];
  let started = 0;
  const ask = async (): Promise<void> => {
    while (started < rounds) {
      started += 1;
      const answer = await product.ask(document, options);
      if (answer.status !== 200 || answer.errors.length > 0)
        throw new Error(`the query failed: ${answer.text.slice(0, 300)}`);
      times.push(answer.elapsedMs);
    }
  };
  await Promise.all(Array.from({ length: width }, ask));
  return times;
}

interface UpstreamTime {
  readonly seconds: number;
  readonly count: number;
}

async function upstreamTimes(product: Product): Promise<ReadonlyMap<string, UpstreamTime>> {
  const systems = ['erp', 'wms', 'pos', 'crm', 'marketplace'];
  const entries = await Promise.all(
    systems.map(async (system) => {
      const seconds = await product.metric('mortar_upstream_duration_seconds_sum', { system });
      const count = await product.metric('mortar_upstream_duration_seconds_count', { system });
      return [system, { seconds, count }] as const;
    }),
  );
  return new Map(entries);
}

function meanMs(before: UpstreamTime | undefined, after: UpstreamTime): number {
  const count = after.count - (before?.count ?? 0);
  return count < 10 ? 0 : ((after.seconds - (before?.seconds ?? 0)) / count) * 1_000;
}
