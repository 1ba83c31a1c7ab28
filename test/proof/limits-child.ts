import { setTimeout as sleep } from 'node:timers/promises';

import { createRedisBudgets } from '#connectors/kit/budget-redis.ts';
import type { LimitRule } from '#connectors/kit/definition.ts';
import { systemClock } from '#platform/clock.ts';
import { createRedisDoor } from '#platform/redis.ts';
import { connect, scope } from '#test/support/kit-system.ts';

// Run by limits.ts as `node limits-child.ts JOB`: one process of several that read from one account as fast as they may,
// until they are killed.

export interface LimitsJob {
  readonly upstreamUrl: string;
  readonly redisUrl: string;
  readonly rule: LimitRule;
  readonly readers: number;
}

const job = JSON.parse(process.argv[2] ?? '') as LimitsJob;
const budgets = createRedisBudgets(createRedisDoor({ url: job.redisUrl, commandTimeoutMs: 250 }), systemClock.nowMs);
const limits = { concurrency: job.readers, pauseMs: 1_000, rules: () => [job.rule] };
const { read } = connect(job.upstreamUrl, { definition: { limits }, budgets });

async function readOn(reader: number): Promise<never> {
  for (let turn = 0; ; turn += 1) {
    const [slot] = await read([`${process.pid}-${reader}-${turn}`], scope(5_000));
    // Whoever is told that there is no room in time comes back a little later, as a caller of ours would.
    if (slot instanceof Error) await sleep(50);
  }
}

await Promise.all(Array.from({ length: job.readers }, async (_, reader) => readOn(reader)));
