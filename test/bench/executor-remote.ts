import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { Pool } from 'undici';

import { type Cores, divideCores } from './cores.ts';
import { type Evidence, type Reporter, summarize } from '#test/support/evidence.ts';
import { HEAVY_QUERY, SMALL_QUERY } from '#test/support/federation/shop-graph.ts';

const ROUNDS = 5;
const WINDOW_MS = 10_000;
const SHORT_WINDOW_MS = 400;
const CONCURRENCY = 50;
const LATENCY_MS = 20;
const MOST_OVER_FLOOR_MS = 3;

const SERVERS = ['apollo', 'ours', 'executor', 'floor'] as const;
type Server = (typeof SERVERS)[number];
interface Bench extends AsyncDisposable {
  readonly ask: (server: Server, text: string) => Promise<unknown>;
  /** CPU of its process so far, in milliseconds. */
  readonly cpuMs: (server: Server) => Promise<number>;
  readonly latency: (ms: number) => Promise<void>;
  /** What `ours` sends for this text is what `floor` replays, and what it answers. */
  readonly record: (text: string) => Promise<void>;
}

/**
 * `executor-remote`: CPU of the gateway process a request, subgraphs and callers in processes of their own, 50 requests at
 * once, each with an Authorization of its own that is handed on: our gateway as deployed, bare @apollo/gateway behind
 * Apollo's own HTTP server, our executor behind that same server, and a server that makes the same calls by our HTTP client
 * and nothing else (how dear HTTP is on this machine), each in a process of its own and alone on its core for windows of ten
 * seconds that alternate.
 */
export const executorRemote: Evidence = {
  name: 'executor-remote',
  summary:
    'CPU of our executor and of bare @apollo/gateway over the same subgraphs behind HTTP, and latency over the floor',
  run: async (report) => {
    // Processes of its own for each query, as the definition of the benchmark has it.
    using cores = divideCores();
    report.progress(cores.told);
    for (const query of [
      { name: 'heavy', text: HEAVY_QUERY, target: 4 },
      { name: 'small', text: SMALL_QUERY, target: 4 },
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one at a time
      await using bench = await startBench(cores);
      // oxlint-disable-next-line no-await-in-loop -- one at a time
      await race(bench, query, report);
    }
    await using bench = await startBench(cores);
    await overFloor(bench, report);
  },
};

interface Race {
  readonly name: string;
  readonly text: string;
  /** How many times less than bare @apollo/gateway. */
  readonly target: number;
}

async function race(bench: Bench, { name, text, target }: Race, report: Reporter): Promise<void> {
  const windowMs = report.short ? SHORT_WINDOW_MS : WINDOW_MS;
  const graphs = ['ours', 'apollo', 'executor'] as const;
  const servers = [...graphs, 'floor'] as const;
  const answers = await Promise.all(graphs.map((server) => bench.ask(server, text)));
  const equal = answers.every((answer) => isDeepStrictEqual(answer, answers[0]));
  await bench.record(text);
  const samples = new Map<Server, number[]>(servers.map((server) => [server, []]));
  let requests = 0;
  // The first round warms up.
  for (let round = -1; round < ROUNDS; round += 1) {
    const told: string[] = [];
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      const before = await bench.cpuMs(server);
      const { answered, elapsedMs } = await together(windowMs, () => bench.ask(server, text));
      const usedMs = (await bench.cpuMs(server)) - before;
      told.push(`${server} ${(usedMs / answered).toFixed(3)} ms, busy ${Math.round((100 * usedMs) / elapsedMs)} %`);
      if (round < 0) continue;
      samples.get(server)?.push(usedMs / answered);
      if (server === 'ours') requests += answered;
    }
    report.progress(`${name}: round ${round + 1} of ${ROUNDS}: ${told.join(', ')}`);
  }
  const of = (server: Server) => summarize(samples.get(server) ?? []);
  const [ours, apollo, executor, floor] = [of('ours'), of('apollo'), of('executor'), of('floor')];
  const shared = { name: 'executor-remote', unit: 'CPU ms/request', n: requests };
  const row = (metric: string, { median, spread }: typeof ours) => ({
    ...shared,
    metric,
    value: median,
    median,
    spread,
  });
  report.row({ ...row(`${name}: our gateway`, ours), ok: equal });
  report.row({ ...row(`${name}: our executor behind Apollo's server`, executor), ok: equal });
  report.row({ ...row(`${name}: the same calls without a graph`, floor), ok: true });
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

/** Asks, so many at once, for so long, and waits for what is still asked then. */
async function together(windowMs: number, ask: () => Promise<unknown>) {
  const startedAt = performance.now();
  let answered = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() - startedAt < windowMs) {
      await ask();
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return { answered, elapsedMs: performance.now() - startedAt };
}

async function startBench(cores: Cores): Promise<Bench> {
  const subgraphs = fork(new URL('remote-subgraphs.ts', import.meta.url));
  const { urls } = await answerOf<{ urls: Record<string, string> }>(subgraphs);
  const started = await Promise.all(
    SERVERS.map(async (name) => {
      const gateway = fork(new URL('remote-gateway.ts', import.meta.url), [JSON.stringify(urls), name], {
        ...cores.measured(['--max-semi-space-size=24']),
      });
      const { url } = await answerOf<{ url: string }>(gateway);
      return [name, { gateway, pool: new Pool(url.replace(/\/$/, ''), { connections: 64 }) }] as const;
    }),
  );
  const gateways = new Map<Server, (typeof started)[number][1]>(started);
  const of = (server: Server) => {
    const found = gateways.get(server);
    if (found === undefined) throw new Error(`there is no ${server}`);
    return found;
  };
  let callers = 0;
  const ask: Bench['ask'] = async (server, query) => {
    callers += 1;
    const headers = { 'content-type': 'application/json', authorization: `Bearer caller-${callers}` };
    const answer = await of(server).pool.request({
      path: '/',
      method: 'POST',
      headers,
      body: JSON.stringify({ query }),
    });
    // Of a GraphQL server.
    const { data, errors } = (await answer.body.json()) as { data?: unknown; errors?: unknown };
    if (errors !== undefined)
      throw new Error(`${server} answered with errors: ${JSON.stringify(errors).slice(0, 300)}`);
    return data;
  };
  const children = [subgraphs, ...started.map(([, { gateway }]) => gateway)];
  for (const child of children) child.setMaxListeners(0);
  const tell = async <T>(child: ChildProcess, message: object | string): Promise<T> => {
    const answer = answerOf<T>(child);
    child.send(message);
    return answer;
  };
  return {
    ask,
    cpuMs: async (server) => {
      const { cpu } = await tell<{ cpu: NodeJS.CpuUsage }>(of(server).gateway, 'cpu');
      return (cpu.user + cpu.system) / 1_000;
    },
    latency: async (latencyMs) => void (await tell(subgraphs, { latencyMs })),
    record: async (text) => {
      const { gateway } = of('ours');
      await tell(gateway, 'record');
      const data = await ask('ours', text);
      const { replayed } = await tell<{ replayed: readonly object[] }>(gateway, 'stop');
      if (replayed.length === 0) throw new Error('no call was recorded');
      await tell(of('floor').gateway, { replay: replayed, answer: JSON.stringify({ data }) });
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(started.map(([, { pool }]) => pool.destroy()));
      const ended = children.map((child) => once(child, 'exit'));
      for (const child of children) child.disconnect();
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
