import { LocalGraphQLDataSource } from '@apollo/gateway';
import { isDeepStrictEqual } from 'node:util';

import type { SubgraphSource } from '#gateway/executor/subgraph-calls.ts';
import { createRequestTrace } from '#gateway/trace/request-trace.ts';
import { createMemoryTraces } from '#gateway/trace/trace-store.ts';
import { type Evidence, type Reporter, summarize } from '#test/support/evidence.ts';
import { apolloContestant, ourContestant, question, type Runner } from '#test/support/federation/contestants.ts';
import { createShopGraph, HEAVY_QUERY, SMALL_QUERY } from '#test/support/federation/shop-graph.ts';
import { aRequestOf } from '#test/support/requests.ts';

const ROUNDS = 7;

interface Racer {
  readonly name: string;
  readonly runner: Runner;
}

/**
 * `executor-in-process`: CPU of the executor alone, without HTTP, over the four subgraphs of the public benchmark. Rounds
 * alternate, and every request has a principal of its own.
 */
export const executorInProcess: Evidence = {
  name: 'executor-in-process',
  summary: 'CPU of our executor and of @apollo/gateway over the same subgraphs of this process',
  run: async (report) => {
    const { supergraphSdl, schemas, sources, plainSources } = createShopGraph();
    const ours = await ourContestant(supergraphSdl, sources);
    const local = await apolloContestant(supergraphSdl, plainSources, ({ name }) => {
      const schema = schemas.get(name);
      if (schema === undefined) throw new Error(`no schema for ${name}`);
      return new LocalGraphQLDataSource(schema);
    });
    const direct = await apolloContestant(supergraphSdl, plainSources);
    const traced = await tracedContestant(supergraphSdl, sources);
    const racers: readonly Racer[] = [
      { name: 'ours', runner: ours },
      { name: '@apollo/gateway, LocalGraphQLDataSource', runner: local },
      { name: '@apollo/gateway, plan documents executed directly', runner: direct },
      { name: "ours, remembering each request's trace", runner: traced },
    ];
    await race(racers, { name: 'heavy', text: HEAVY_QUERY, requests: report.short ? 40 : 400, target: 6 }, report);
    await race(racers, { name: 'small', text: SMALL_QUERY, requests: report.short ? 200 : 3_000, target: 6 }, report);
    await Promise.all([local.stop(), direct.stop()]);
  },
};

/** Ours with what a request's trace costs from its first line to the text that is kept. */
async function tracedContestant(supergraphSdl: string, sources: readonly SubgraphSource[]): Promise<Runner> {
  const traces = createMemoryTraces();
  let last = createRequestTrace('', 0);
  let count = 0;
  const contestant = await ourContestant(supergraphSdl, sources, () => {
    count += 1;
    last = createRequestTrace(`request-${count}`, Date.now());
    const request = aRequestOf({ trace: last });
    last.caller(request.principal, request.purpose);
    return request;
  });
  const run: Runner['run'] = async (asked) => {
    const answer = await contestant.run(asked);
    traces.keep(last.record(Date.now()));
    return answer;
  };
  return { ask: contestant.ask, run };
}

interface Race {
  readonly name: string;
  readonly text: string;
  readonly requests: number;
  /** How many times less than with LocalGraphQLDataSource. */
  readonly target: number;
}

async function race(racers: readonly Racer[], { name, text, requests, target }: Race, report: Reporter): Promise<void> {
  const asked = question(text);
  const answers = await Promise.all(racers.map(({ runner }) => runner.ask(asked)));
  const equal = answers.every(({ data }) => isDeepStrictEqual(data, answers[0]?.data));
  const samples = racers.map((): number[] => []);
  for (let round = -1; round < ROUNDS; round += 1) {
    const order = racers.map((_, index) => (round % 2 === 0 ? index : racers.length - 1 - index));
    for (const index of order) {
      const { runner } = racers[index] ?? racers[0] ?? { runner: null };
      if (runner === null) continue;
      const before = process.cpuUsage();
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the measurement
      for (let request = 0; request < requests; request += 1) await runner.run(asked);
      const { user, system } = process.cpuUsage(before);
      // The first round warms up.
      if (round >= 0) samples[index]?.push((user + system) / 1_000 / requests);
    }
    report.progress(`${name}: round ${round + 1} of ${ROUNDS}`);
  }
  const [mine = Number.NaN, ...others] = samples.map((sample) => summarize(sample).median);
  report.row({
    ...shared(name, racers[0], samples[0] ?? []),
    n: requests * ROUNDS,
    ok: equal,
  });
  for (const [index, median] of others.entries()) {
    const against = racers[index + 1];
    const ratio = median / mine;
    report.row({
      ...shared(name, against, samples[index + 1] ?? []),
      n: requests * ROUNDS,
      baseline: mine,
      ratio,
      ...(index === 0 ? { target: target * mine } : {}),
      ok: equal && (index > 0 || ratio >= target),
    });
    report.progress(`${name}: ours takes ${ratio.toFixed(2)} times less than ${against?.name}`);
  }
}

function shared(query: string, racer: Racer | undefined, sample: readonly number[]) {
  const { median, spread } = summarize(sample);
  return {
    name: 'executor-in-process',
    metric: `${query}: ${racer?.name}`,
    value: median,
    unit: 'CPU ms/request',
    median,
    spread,
  };
}
