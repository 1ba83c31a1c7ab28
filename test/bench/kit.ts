import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';

import { connect, definition, scope } from '#test/support/kit-system.ts';
import { type Evidence, type Reporter, summarize } from '#test/support/evidence.ts';
import { PROJECT } from '#test/support/mortar-process.ts';

const UPSTREAM = fileURLToPath(new URL('echo-upstream.ts', import.meta.url));
const ROUNDS = 9;
const MOST_MICROSECONDS_A_CALL = 60;
const KEYS = 10_000;
const KEYS_A_CALL = 100;
const MOST_MS_FOR_KEYS = 50;

/**
 * `kit-overhead`: CPU of this process for calls through the connector kit, less the CPU of the same calls by undici alone
 * (request, whole body, JSON). The upstream is another process; rounds alternate.
 */
export const kitOverhead: Evidence = {
  name: 'kit-overhead',
  summary: 'CPU the connector kit adds to an upstream call, and to 10,000 keys at 100 a call',
  run: async (report) => {
    const upstream = await startEchoUpstream();
    try {
      await measureCalls(upstream.url, report);
      await measureKeys(upstream.url, report);
    } finally {
      upstream.child.kill();
    }
  },
};

type Run = () => Promise<void>;

/** CPU milliseconds of each contestant, round by round; the first rounds warm up. */
async function race(contestants: readonly [Run, Run], rounds: number): Promise<readonly [number[], number[]]> {
  const samples: [number[], number[]] = [[], []];
  for (let round = -2; round < rounds; round += 1) {
    for (const index of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const before = process.cpuUsage();
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the measurement
      await contestants[index]?.();
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) samples[index]?.push((user + system) / 1_000);
    }
  }
  return samples;
}

async function measureCalls(url: string, report: Reporter): Promise<void> {
  const calls = report.short ? 500 : 3_000;
  const atOnce = 10;
  const pool = new Pool(url, { connections: atOnce, pipelining: 1 });
  await using kit = connect(url, { options: { concurrency: atOnce } });
  const inGroups = async (call: (number: number) => Promise<unknown>): Promise<void> => {
    for (let done = 0; done < calls; done += atOnce) {
      await Promise.all(Array.from({ length: atOnce }, async (_, index) => call(done + index)));
    }
    kit.traces.length = 0;
  };
  const [bare, ours] = await race(
    [
      () => inGroups(async (number) => post(pool, [`p${number}`])),
      () => inGroups(async (number) => kit.read([`p${number}`], scope(5_000))),
    ],
    ROUNDS,
  );
  await pool.close();
  const added = ours.map((ms, round) => ((ms - (bare[round] ?? ms)) / calls) * 1_000);
  const { median, spread } = summarize(added);
  report.row({
    name: 'kit-overhead',
    metric: 'added to one call',
    value: median,
    unit: 'CPU us',
    n: calls * ROUNDS,
    median,
    spread,
    baseline: (summarize(bare).median / calls) * 1_000,
    target: MOST_MICROSECONDS_A_CALL,
    ok: median <= MOST_MICROSECONDS_A_CALL,
  });
}

async function measureKeys(url: string, report: Reporter): Promise<void> {
  const atOnce = 10;
  const pool = new Pool(url, { connections: atOnce, pipelining: 1 });
  const { profiles } = definition.ports;
  if (profiles === undefined) throw new Error('the definition reads profiles');
  const ports = { ...definition.ports, profiles: { ...profiles, max: KEYS_A_CALL } };
  await using kit = connect(url, { definition: { ports }, options: { concurrency: atOnce } });
  const keys = Array.from({ length: KEYS }, (_, index) => `p${index}`);
  const chunks = Array.from({ length: KEYS / KEYS_A_CALL }, (_, at) =>
    keys.slice(at * KEYS_A_CALL, (at + 1) * KEYS_A_CALL),
  );
  let calls = 0;
  const [bare, ours] = await race(
    [
      async () => void (await Promise.all(chunks.map(async (ids) => post(pool, ids)))),
      async () => {
        const slots = await kit.read(keys, scope(30_000));
        if (slots.some((slot) => slot === null || slot instanceof Error)) throw new Error('a key was not answered');
        calls = kit.traces.splice(0).length;
      },
    ],
    ROUNDS,
  );
  await pool.close();
  const added = ours.map((ms, round) => ms - (bare[round] ?? ms));
  const { median, spread } = summarize(added);
  const shared = { name: 'kit-overhead', n: ROUNDS };
  report.row({
    ...shared,
    metric: `calls for ${KEYS} keys at ${KEYS_A_CALL} a call`,
    value: calls,
    unit: 'calls',
    median: null,
    spread: null,
    target: KEYS / KEYS_A_CALL,
    ok: calls === KEYS / KEYS_A_CALL,
  });
  report.row({
    ...shared,
    metric: `added to ${KEYS} keys`,
    value: median,
    unit: 'CPU ms',
    median,
    spread,
    baseline: summarize(bare).median,
    target: MOST_MS_FOR_KEYS,
    ok: median <= MOST_MS_FOR_KEYS,
  });
}

/** The same request as the kit's, and what any caller does with the answer. */
async function post(pool: Pool, ids: readonly string[]): Promise<unknown> {
  const { body } = await pool.request({
    path: '/people',
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json', authorization: 'Bearer fixed' },
    body: JSON.stringify({ ids }),
  });
  return JSON.parse(await body.text()) as unknown;
}

async function startEchoUpstream(): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = spawn(process.execPath, [UPSTREAM], { cwd: PROJECT, stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()));
    child.once('close', () => reject(new Error('the upstream did not start')));
  });
  return { child, url };
}
