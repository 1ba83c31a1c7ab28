import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { Pool } from 'undici';

import { type Evidence, type Reporter, summarize } from '#test/support/evidence.ts';
import { HEAVY_QUERY, SMALL_QUERY } from '#test/support/federation/shop-graph.ts';

const ROUNDS = 7;
const CONCURRENCY = 20;
const LATENCY_MS = 20;
const MOST_OVER_FLOOR_MS = 3;

type Server = 'apollo' | 'ours' | 'executor' | 'floor';
interface Bench extends AsyncDisposable {
  readonly ask: (server: Server, text: string) => Promise<unknown>;
  /** CPU of the gateway process so far, in milliseconds. */
  readonly cpuMs: () => Promise<number>;
  readonly latency: (ms: number) => Promise<void>;
  /** What `ours` sends for this text is what `floor` replays. */
  readonly record: (text: string) => Promise<void>;
}

/**
 * `executor-remote`: CPU of the gateway process a request, subgraphs and callers in processes of their own, every request
 * with an Authorization of its own that is handed on: our gateway as deployed, bare @apollo/gateway behind Apollo's own HTTP
 * server, and our executor behind that same server. Rounds alternate.
 */
export const executorRemote: Evidence = {
  name: 'executor-remote',
  summary:
    'CPU of our executor and of bare @apollo/gateway over the same subgraphs behind HTTP, and latency over the floor',
  run: async (report) => {
    await using bench = await startBench();
    await race(bench, { name: 'heavy', text: HEAVY_QUERY, requests: report.short ? 60 : 300, target: 4 }, report);
    await race(bench, { name: 'small', text: SMALL_QUERY, requests: report.short ? 300 : 1_500, target: 4 }, report);
    await overFloor(bench, report);
  },
};

interface Race {
  readonly name: string;
  readonly text: string;
  readonly requests: number;
  /** How many times less than bare @apollo/gateway. */
  readonly target: number;
}

async function race(bench: Bench, { name, text, requests, target }: Race, report: Reporter): Promise<void> {
  const servers = ['ours', 'apollo', 'executor'] as const;
  const answers = await Promise.all(servers.map((server) => bench.ask(server, text)));
  const equal = answers.every((answer) => isDeepStrictEqual(answer, answers[0]));
  const samples = new Map<Server, number[]>(servers.map((server) => [server, []]));
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      const before = await bench.cpuMs();
      await together(requests, () => bench.ask(server, text));
      // The first round warms up.
      if (round >= 0) samples.get(server)?.push(((await bench.cpuMs()) - before) / requests);
    }
    report.progress(`${name}: round ${round + 1} of ${ROUNDS}`);
  }
  const of = (server: Server) => summarize(samples.get(server) ?? []);
  const [ours, apollo, executor] = [of('ours'), of('apollo'), of('executor')];
  const shared = { name: 'executor-remote', unit: 'CPU ms/request', n: requests * ROUNDS };
  const row = (metric: string, { median, spread }: typeof ours) => ({
    ...shared,
    metric,
    value: median,
    median,
    spread,
  });
  report.row({ ...row(`${name}: our gateway`, ours), ok: equal });
  report.row({ ...row(`${name}: our executor behind Apollo's server`, executor), ok: equal });
  const ratio = apollo.median / ours.median;
  report.row({
    ...row(`${name}: bare @apollo/gateway`, apollo),
    baseline: ours.median,
    ratio,
    target: target * ours.median,
    ok: equal && ratio >= target,
  });
  report.progress(`${name}: ${ratio.toFixed(2)} times less than @apollo/gateway`);
}

/** One after the other with 20 ms in every subgraph: the plan's waves, and what the executor adds. */
async function overFloor(bench: Bench, report: Reporter): Promise<void> {
  const rounds = report.short ? 40 : 200;
  await bench.record(HEAVY_QUERY);
  await bench.latency(LATENCY_MS);
  const times = { ours: [] as number[], floor: [] as number[], apollo: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    for (const server of ['floor', 'ours', 'apollo'] as const) {
      const startedAt = performance.now();
      await bench.ask(server, HEAVY_QUERY);
      times[server].push(performance.now() - startedAt);
    }
  }
  const floor = summarize(times.floor);
  for (const server of ['ours', 'apollo'] as const) {
    const { median, spread } = summarize(times[server]);
    report.row({
      name: 'executor-remote',
      metric: `heavy, ${LATENCY_MS} ms in every subgraph, one at a time: ${server}, p50`,
      value: median,
      unit: 'ms',
      n: rounds,
      median,
      spread,
      baseline: floor.median,
      ratio: median / floor.median,
      ...(server === 'ours' ? { target: floor.median + MOST_OVER_FLOOR_MS } : {}),
      ok: server !== 'ours' || median <= floor.median + MOST_OVER_FLOOR_MS,
    });
  }
}

async function together(count: number, ask: () => Promise<unknown>): Promise<void> {
  let started = 0;
  const worker = async (): Promise<void> => {
    while (started < count) {
      started += 1;
      await ask();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

async function startBench(): Promise<Bench> {
  const subgraphs = fork(new URL('remote-subgraphs.ts', import.meta.url));
  const { urls } = await answerOf<{ urls: Record<string, string> }>(subgraphs);
  const gateway = fork(new URL('remote-gateway.ts', import.meta.url), [JSON.stringify(urls)], {
    execArgv: ['--max-semi-space-size=24'],
  });
  const servers = await answerOf<Record<Server, string>>(gateway);
  const pools = new Map(
    Object.values(servers).map((url) => [url, new Pool(url.replace(/\/$/, ''), { connections: 64 })]),
  );
  let callers = 0;
  const ask: Bench['ask'] = async (server, query) => {
    callers += 1;
    const headers = { 'content-type': 'application/json', authorization: `Bearer caller-${callers}` };
    const pool = pools.get(servers[server]);
    if (pool === undefined) throw new Error(`there is no ${server}`);
    const answer = await pool.request({ path: '/', method: 'POST', headers, body: JSON.stringify({ query }) });
    // Of a GraphQL server.
    const { data, errors } = (await answer.body.json()) as { data?: unknown; errors?: unknown };
    if (errors !== undefined)
      throw new Error(`${server} answered with errors: ${JSON.stringify(errors).slice(0, 300)}`);
    return data;
  };
  for (const child of [gateway, subgraphs]) child.setMaxListeners(0);
  const tell = async <T>(child: ChildProcess, message: object | string): Promise<T> => {
    const answer = answerOf<T>(child);
    child.send(message);
    return answer;
  };
  return {
    ask,
    cpuMs: async () => {
      const { user, system } = await tell<NodeJS.CpuUsage>(gateway, 'cpu');
      return (user + system) / 1_000;
    },
    latency: async (latencyMs) => void (await tell(subgraphs, { latencyMs })),
    record: async (text) => {
      await tell(gateway, 'record');
      await ask('ours', text);
      await tell(gateway, 'stop');
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
      const ended = [gateway, subgraphs].map((child) => once(child, 'exit'));
      for (const child of [gateway, subgraphs]) child.disconnect();
      await Promise.all(ended);
    },
  };
}

/** The next message of a child; it fails with the child. */
async function answerOf<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, 'exit').then(([code]): never => {
    throw new Error(`a process of the benchmark ended with ${String(code)}`);
  });
  ended.catch(() => undefined);
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [T];
  return message;
}
