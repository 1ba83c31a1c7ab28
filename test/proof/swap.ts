import { setTimeout as sleep } from 'node:timers/promises';

import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

import type { Evidence, Reporter } from '#test/support/evidence.ts';
import { serveForeignSubgraph } from '#test/support/foreign-subgraph.ts';
import { type LoneGateway, startLoneGateway } from '#test/support/lone-gateway.ts';
import { sabotageArguments } from './sabotage.ts';

const REQUESTS_PER_SECOND = 200;
const TICK_MS = 20;
/** Requests are under way at every swap. */
const ANSWER_MS = 60;
/** As large as a supergraph of a retailer: about 1,000 fields. */
const ROOMS = Array.from({ length: 80 }, (_, room) => {
  const fields = Array.from({ length: 12 }, (_field, at) => `"Of the room." f${at}(first: Int = 20): [Room${room}!]`);
  return `extend type Query { room${room}: Room${room} } type Room${room} { ${fields.join(' ')} }`;
}).join('\n');
/** Offered now and then: cut off, not a supergraph, with a security feature nobody enforces. */
const BAD = [
  (sdl: string) => sdl.slice(0, sdl.length / 2),
  () => 'type Query { shelf: Int }',
  (sdl: string) => sdl.replace('schema', 'schema @link(url: "https://paywall.example/paywall/v0.1", for: SECURITY)'),
];
const SHELF = (extra: string): string =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])
   type Query { shelf: [Product] } type Product @key(fields: "sku") { sku: ID! title: String ${extra} }
   ${ROOMS}`;
const QUERY = '{ shelf { sku title } }';
const ANSWER = { shelf: [{ sku: '1', title: 'one' }] };

export const swap: Evidence = {
  name: 'swap',
  summary:
    'a gateway at 200 requests a second serves 20 other supergraphs of 1,000 fields, each with its subgraph elsewhere, and refuses bad ones between them: 0 failed',
  sabotages: ['swap-in-flight'],
  run: async (report) => {
    const resolvers = { Query: { shelf: () => [{ sku: '1', title: 'one' }] } };
    const served = { sdl: SHELF('note: String'), resolvers, delayMs: ANSWER_MS };
    await using first = await serveForeignSubgraph(served);
    await using second = await serveForeignSubgraph(served);
    const versions = [composed(SHELF(''), first.url), composed(SHELF('note: String'), second.url)] as const;
    await using gateway = await startLoneGateway({
      supergraphSdl: versions[0],
      nodeArguments: sabotageArguments(report.sabotage),
    });
    await prove(report, gateway, versions);
  },
};

function composed(sdl: string, url: string): string {
  const { supergraphSdl } = composeServices([{ name: 'shelf', url, typeDefs: parse(sdl) }]);
  if (supergraphSdl === undefined) throw new Error('the proof’s supergraph does not compose');
  return supergraphSdl;
}

async function prove(report: Reporter, gateway: LoneGateway, versions: readonly [string, string]): Promise<void> {
  const token = await gateway.issuer.issue({ exp: Math.floor(Date.now() / 1_000) + 600 });
  const load = startLoad(gateway.url, token);
  const swaps = report.short ? 5 : 20;
  let { id } = await gateway.graph();
  let [done, refused, bad] = [0, 0, 0];
  for (let turn = 1; turn <= swaps; turn += 1) {
    const before = id;
    if (turn % 2 === 1) {
      bad += 1;
      const spoil = BAD[bad % BAD.length];
      gateway.replace(spoil?.(versions[0]) ?? '');
      const state = await gateway.until((now) => now.refused !== null);
      if (state.id === before) refused += 1;
    }
    gateway.replace(versions[turn % 2 === 0 ? 0 : 1]);
    ({ id } = await gateway.until((state) => state.id !== before));
    done += 1;
    report.progress(`swap ${turn}: graph ${id}, ${load.counts().answered} answered, ${load.counts().failed} failed`);
    await sleep(300);
  }
  const { answered, failed, reasons, longestMs } = await load.stop();
  for (const reason of reasons) report.progress(reason);
  const shared = { name: 'swap', median: null, spread: null };
  report.row({ ...shared, metric: 'swaps', value: done, unit: 'swaps', n: swaps, target: swaps, ok: done === swaps });
  report.row({
    ...shared,
    metric: 'bad supergraphs refused, and the one before served on',
    value: refused,
    unit: 'supergraphs',
    n: bad,
    target: bad,
    ok: refused === bad,
  });
  // What a swap holds the event loop for, and a busy machine, stand in it.
  report.row({
    ...shared,
    metric: 'longest answer beyond its subgraph',
    value: longestMs,
    unit: 'ms',
    n: answered,
    ok: true,
  });
  report.row({
    ...shared,
    metric: `requests failed, ${REQUESTS_PER_SECOND} a second`,
    value: failed,
    unit: 'requests',
    n: answered + failed,
    target: 0,
    ok: failed === 0 && answered > 0,
  });
}

/** Sends requests at a steady rate, whatever comes back. */
function startLoad(url: string, token: string) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const reasons = new Set<string>();
  const running = new Set<Promise<void>>();
  let [answered, failed, longestMs] = [0, 0, 0];
  const ask = async (): Promise<void> => {
    const startedAtMs = performance.now();
    try {
      const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query: QUERY }) });
      const text = await response.text();
      const { data } = JSON.parse(text) as { readonly data?: unknown };
      longestMs = Math.max(longestMs, Math.round(performance.now() - startedAtMs - ANSWER_MS));
      if (JSON.stringify(data) === JSON.stringify(ANSWER)) answered += 1;
      else throw new Error(`${response.status} ${text.slice(0, 200)}`);
    } catch (error) {
      failed += 1;
      if (reasons.size < 5) reasons.add(error instanceof Error ? error.message : String(error));
    }
  };
  const timer = setInterval(() => {
    for (let count = 0; count < (REQUESTS_PER_SECOND * TICK_MS) / 1_000; count += 1) {
      const request = ask();
      running.add(request);
      void request.finally(() => running.delete(request));
    }
  }, TICK_MS);
  return {
    counts: () => ({ answered, failed }),
    stop: async () => {
      clearInterval(timer);
      await Promise.all(running);
      return { answered, failed, longestMs, reasons: [...reasons] };
    },
  };
}
