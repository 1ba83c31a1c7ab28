import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { LimitRule } from '#connectors/kit/definition.ts';
import { PROJECT } from '#test/support/mortar-process.ts';
import { echo } from '#test/support/kit-system.ts';
import type { Evidence, Reporter } from '#test/support/evidence.ts';
import { startRedis } from '#test/support/redis-server.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';
import type { LimitsJob } from './limits-child.ts';
import { sabotageArguments } from './sabotage.ts';
import { createVendorLimit } from './vendor-limit.ts';

const CHILD = fileURLToPath(new URL('limits-child.ts', import.meta.url));
const PROCESSES = 4;
const LEAST_SHARE = 0.9;

interface Case {
  readonly rule: LimitRule;
  readonly readers: number;
  readonly ms: number;
}

export const limits: Evidence = {
  name: 'limits',
  summary: 'four processes of one account keep to what its vendor enforces and use what it allows',
  sabotages: ['shared-budget'],
  run: async (report) => {
    await using redis = await startRedis();
    for (const each of casesOf(report)) await prove(each, redis.url, report);
  },
};

/** Rates as vendors publish them: calls in a window (HubSpot, Business Central) and a bucket (Amazon). */
function casesOf({ short, sabotage }: Reporter): readonly Case[] {
  const window = (limit: number, windowMs: number): LimitRule => ({
    kind: 'window',
    name: `${limit} calls in ${windowMs / 1_000} s`,
    limit,
    windowMs,
  });
  const bucket = (perSecond: number, burst: number): LimitRule => ({
    kind: 'bucket',
    name: `${perSecond} calls a second, ${burst} at once`,
    perSecond,
    burst,
  });
  if (sabotage !== null) return [{ rule: window(100, 2_000), readers: 8, ms: 6_000 }];
  if (short)
    return [
      { rule: window(100, 2_000), readers: 8, ms: 6_000 },
      { rule: bucket(50, 20), readers: 8, ms: 8_000 },
    ];
  return [
    { rule: window(100, 10_000), readers: 8, ms: 40_000 },
    { rule: window(5, 1_000), readers: 4, ms: 20_000 },
    { rule: bucket(5, 5), readers: 4, ms: 30_000 },
    { rule: bucket(50, 20), readers: 8, ms: 20_000 },
  ];
}

/** A machine that stands still makes calls late at both ends: the short form, of seconds, is begun again then. */
const SHORT_ATTEMPTS = 3;

async function prove(each: Case, redisUrl: string, report: Reporter): Promise<void> {
  const attempts = report.short && report.sabotage === null ? SHORT_ATTEMPTS : 1;
  let counted = await tryCase(each, redisUrl, report);
  for (let attempt = 2; attempt <= attempts && !(counted.beyond === 0 && counted.share >= LEAST_SHARE); attempt += 1) {
    report.progress(`${each.rule.name}: again, attempt ${attempt} of ${attempts}`);
    counted = await tryCase(each, redisUrl, report);
  }
  const { admitted, refused, beyond, share } = counted;
  const shared = { name: 'limits', median: null, spread: null };
  report.row({
    ...shared,
    metric: `${each.rule.name}: refused beyond the first in its window`,
    value: beyond,
    unit: 'calls',
    n: admitted + refused,
    target: 0,
    ok: beyond === 0,
  });
  report.row({
    ...shared,
    metric: `${each.rule.name}: share of the allowed rate used`,
    value: share,
    unit: '',
    n: admitted,
    target: LEAST_SHARE,
    ok: share >= LEAST_SHARE,
  });
}

interface Counted {
  readonly admitted: number;
  readonly refused: number;
  /** Refused within a window after another one. */
  readonly beyond: number;
  readonly share: number;
}

async function tryCase({ rule, readers, ms }: Case, redisUrl: string, report: Reporter): Promise<Counted> {
  const vendor = createVendorLimit(rule);
  const counting = { from: Number.POSITIVE_INFINITY, admitted: 0, refusedAt: [] as number[] };
  const first = Promise.withResolvers<void>();
  await using upstream = await startUpstream(({ body }, response) => {
    upstream.forget();
    const nowMs = performance.now();
    if (counting.from > nowMs) counting.from = nowMs;
    first.resolve();
    if (vendor.admit(nowMs)) {
      counting.admitted += 1;
      sendJson(response, echo(body));
    } else {
      counting.refusedAt.push(nowMs);
      sendJson(response, {}, 429, { 'retry-after': '1' });
    }
  });
  const children = Array.from({ length: PROCESSES }, () =>
    startChild({ upstreamUrl: upstream.url, redisUrl, rule, readers }, report.sabotage),
  );
  try {
    await first.promise;
    await sleep(ms);
  } finally {
    await Promise.all(children.map(end));
  }
  const spanMs = performance.now() - counting.from;
  const allowed = vendor.allowedIn(spanMs);
  const windowMs = rule.kind === 'window' ? rule.windowMs : 1_000;
  const beyond = beyondFirst(counting.refusedAt, windowMs);
  report.progress(
    `${rule.name}: ${counting.admitted} of ${allowed.toFixed(0)} allowed calls, ${counting.refusedAt.length} refused`,
  );
  return {
    admitted: counting.admitted,
    refused: counting.refusedAt.length,
    beyond,
    share: counting.admitted / allowed,
  };
}

/** Refusals that came within a window after another one. */
function beyondFirst(refusedAt: readonly number[], windowMs: number): number {
  let firstMs = Number.NEGATIVE_INFINITY;
  let count = 0;
  for (const atMs of refusedAt) {
    if (atMs - firstMs < windowMs) count += 1;
    else firstMs = atMs;
  }
  return count;
}

function startChild(job: LimitsJob, sabotage: string | null): ChildProcess {
  return spawn(process.execPath, [...sabotageArguments(sabotage), CHILD, JSON.stringify(job)], {
    cwd: PROJECT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGKILL');
  await ended;
}
