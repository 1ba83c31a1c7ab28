import { setTimeout as sleep } from 'node:timers/promises';

import { killGroup, type MortarProcess, spawnMortar } from './mortar-process.ts';
import { descendantsOf, waitForEnd } from './process-tree.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

/** One process of a product in parts. */
export interface Part {
  readonly run: MortarProcess;
  /** Where it listens, without a path. */
  readonly base: string;
  readonly metrics: string;
}

export interface PartOptions {
  /** Every process that is started joins it. */
  readonly runs: MortarProcess[];
  readonly flags: readonly string[];
  readonly environment: Variables;
  readonly nodeArguments: readonly string[];
  readonly wrapper: readonly string[];
}

const START_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 15_000;
const POLL_MS = 15;

/** Starts `mortar serve` with more flags; resolves when it says where it listens. @throws {Error} with its output */
export function createPartStarter({ runs, flags, environment, nodeArguments, wrapper }: PartOptions) {
  return async (given: readonly string[], more: Variables = {}): Promise<Part> => {
    const run = spawnMortar({
      arguments: ['serve', ...flags, ...given],
      environment: { ...environment, ...more },
      nodeArguments,
      wrapper,
    });
    runs.push(run);
    await waitForOutput(run, /Stop: {6}Ctrl-C|Tokens come from/);
    const urlOf = (name: string): string =>
      new RegExp(`^ {2}${name} +(http://\\S+)`, 'm').exec(run.stdout())?.[1] ?? '';
    return { run, base: urlOf('graph').replace(/\/graphql$/, ''), metrics: urlOf('metrics') };
  };
}

/** @throws {Error} with the output when the process ends, or takes too long, before it writes that */
export async function waitForOutput(run: MortarProcess, wanted: RegExp): Promise<void> {
  const until = Date.now() + START_WITHIN_MS;
  while (Date.now() < until && run.child.exitCode === null && run.child.signalCode === null) {
    if (wanted.test(run.stdout())) return;
    await sleep(POLL_MS);
  }
  throw new Error(`a part of the product did not start:\n${run.output()}`);
}

/**
 * Asks every process to stop, the last one first, and waits; the exit code of the last one, which is the gateway.
 * @throws {Error} when one is left
 */
export async function endAll(
  runs: readonly MortarProcess[],
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<number | null> {
  const trees = runs.flatMap(({ pid }) => [pid, ...descendantsOf(pid)]);
  for (const { child, pid } of runs.toReversed()) {
    if (child.exitCode === null && child.signalCode === null) process.kill(pid, signal);
  }
  const timer = setTimeout(() => runs.forEach(({ pid }) => killGroup(pid)), STOP_WITHIN_MS);
  const codes = await Promise.all(runs.map(({ ended }) => ended));
  clearTimeout(timer);
  const left = await waitForEnd(trees, 5_000);
  for (const { pid } of runs) killGroup(pid);
  if (left.length > 0) throw new Error(`processes of the product are left: ${left.join(', ')}`);
  return codes.at(-1) ?? null;
}
