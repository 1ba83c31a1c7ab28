import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request as send } from 'undici';

import type { Evidence, Reporter } from '#test/support/evidence.ts';
import { serveSubgraphs } from '#test/support/federation/served-subgraph.ts';
import {
  aFixtureBehavior,
  createFixtureGateway,
  createFixtureSubgraphs,
  type FixtureBehavior,
  startTestIssuer,
} from '#test/support/gateway.ts';
import { garbageCollector } from '#test/support/heap.ts';
import { connect } from '#test/support/kit-system.ts';
import { createRandom } from '#test/support/random.ts';
import { startUpstream } from '#test/support/scripted-upstream.ts';

const AT_ONCE = 20;
/** One client in three leaves within this time of asking, wherever its request is; the others when a system is asked. */
const PATIENCE_MS = 40;
/** Nobody waits longer, asked or not: calls that were left running may hold all turns. */
const LONGEST_MS = 1_500;
/** Far beyond what calls may be left running for: nothing but the client's leaving can end one. */
const NEVER_MS = 60_000;
const SETTLED_WITHIN_MS = 2_000;
/** As for the kit alone: compiled code, and the traces of recent requests (bounded, and not yet full here). */
const MOST_MEBIBYTES = 5;

/** `abort`: clients leave while systems hang; nothing is left running, and nothing is kept. */
export const abort: Evidence = {
  name: 'abort',
  summary:
    'requests whose clients leave, in one process and with subgraphs apart, leave no upstream call running and no heap behind',
  sabotages: ['client-leaves'],
  inProcess: true,
  run: async (report) => {
    await leave({ apart: false }, report);
    await leave({ apart: true }, report);
  },
};

/** The gateway and its subgraphs over a system that never answers, through the connector kit. */
async function start(apart: boolean) {
  const issuer = await startTestIssuer();
  const leavers = new Map<string, () => void>();
  const upstream = await startUpstream(({ body }) => {
    upstream.forget();
    leavers.get(/leaver-\d+/.exec(body)?.[0] ?? '')?.();
  });
  const crm = connect(upstream.url, { options: { timeoutMs: NEVER_MS, concurrency: AT_ONCE * 3 } });
  const fetches: FixtureBehavior['fetches'][number][] = [];
  const behavior = aFixtureBehavior({
    // One key is everybody's, so requests join in one call; the others are each request's own.
    points: (id, request) => crm.read([id === '1' ? id : `${request.requestId}-${id}`], request),
    fetches,
  });
  const subgraphs = createFixtureSubgraphs(behavior);
  const served = apart ? await serveSubgraphs(subgraphs) : null;
  const gateway = await createFixtureGateway({
    issuer,
    limits: { requestMs: { query: NEVER_MS, mutation: NEVER_MS }, fetchMs: NEVER_MS },
    graph: served === null ? { subgraphs } : { subgraphs: [], findRemote: served.remote.find },
  });
  const url = await gateway.app.listen({ host: '127.0.0.1', port: 0 });
  // Good for the whole proof: on a busy machine it takes longer than a minute.
  const token = await issuer.issue({ exp: Math.floor(Date.now() / 1000) + 3_600 });
  const clients = new Agent({ connections: AT_ONCE });
  return {
    upstream,
    /** Empties what the fixtures remember for tests. */
    forget: (): void => {
      fetches.length = 0;
      crm.traces.length = 0;
      gateway.logged.length = 0;
    },
    /** Asks, and leaves after `afterMs`, or when the system is asked; true: it was. */
    ask: async (name: string, afterMs: number | null): Promise<boolean> => {
      const client = new AbortController();
      let reached = false;
      leavers.set(name, () => {
        reached = true;
        if (afterMs === null) client.abort();
      });
      const timer = setTimeout(() => client.abort(), afterMs ?? LONGEST_MS);
      const headers = {
        'x-request-id': name,
        authorization: `Bearer ${token}`,
        'mortar-purpose': 'SERVICE_SUPPORT',
        'content-type': 'application/json',
      };
      const body = JSON.stringify({ query: '{ customers { nodes { id name points } } product(sku: "a") { title } }' });
      const asked = { method: 'POST', headers, body, signal: client.signal, dispatcher: clients } as const;
      const answered = await send(`${url}/graphql`, asked).then(
        () => true,
        () => false,
      );
      clearTimeout(timer);
      leavers.delete(name);
      if (answered) throw new Error('the system never answers, and yet an answer came');
      return reached;
    },
    [Symbol.asyncDispose]: async () => {
      // The system goes away first: what it still held ends with it.
      await upstream[Symbol.asyncDispose]();
      await clients.destroy();
      gateway.app.server.closeAllConnections();
      await gateway.close();
      await served?.[Symbol.asyncDispose]();
      await crm[Symbol.asyncDispose]();
      await issuer.close();
    },
  };
}

async function leave({ apart }: { readonly apart: boolean }, report: Reporter): Promise<void> {
  const requests = report.short ? 100 : 1_000;
  const random = createRandom(report.seed);
  const collect = garbageCollector();
  await using graph = await start(apart);
  let asked = 0;
  const askNext = (): Promise<boolean> => {
    asked += 1;
    return graph.ask(`leaver-${asked}`, asked % 3 === 0 ? 1 + random() * PATIENCE_MS : null);
  };
  /** How many reached the system. */
  const run = async (count: number): Promise<number> => {
    let reached = 0;
    for (let done = 0; done < count; done += AT_ONCE) {
      const turn = await Promise.all(Array.from({ length: AT_ONCE }, askNext));
      reached += turn.filter(Boolean).length;
      graph.forget();
    }
    return reached;
  };
  // Compiled code, pools and buffers come with the first requests.
  await run(requests / 5);
  await settled(graph.upstream);
  const before = await collect();
  const reached = await run(requests);
  const running = await settled(graph.upstream);
  const grownMebibytes = ((await collect()) - before) / 2 ** 20;
  const where = apart ? 'subgraphs apart' : 'one process';
  report.progress(
    `${where}: ${requests} clients left, ${reached} while the system was asked, ${running} calls still run, ${grownMebibytes.toFixed(2)} MiB`,
  );
  const row = { name: 'abort', n: requests, median: null, spread: null };
  report.row({
    ...row,
    metric: `upstream calls left running, ${where}`,
    value: running,
    unit: 'calls',
    target: 0,
    // Clients who leave before anything was asked prove nothing.
    ok: running === 0 && reached > requests / 2,
  });
  report.row({
    ...row,
    metric: `growth of the heap, ${where}`,
    value: grownMebibytes,
    unit: 'MiB',
    target: MOST_MEBIBYTES,
    ok: grownMebibytes < MOST_MEBIBYTES,
  });
}

/** Calls that still run when all had time to end. */
async function settled({ running }: { readonly running: () => number }): Promise<number> {
  const untilMs = Date.now() + SETTLED_WITHIN_MS;
  while (running() > 0 && Date.now() < untilMs) await sleep(10);
  return running();
}
