// Lets a connector do everything it can do, once.
import type { ConnectorDefinition } from '#connectors/kit/definition.ts';
import type { FeedSource } from '#schema/model/sources.ts';

import { batchOf, codeOf, feedOf, openBench, within } from './conform-harness.ts';
import type { Bench, ConformFixtures } from './conform-harness.ts';

const WITHIN_MS = 120_000;

export interface Exercise {
  readonly bench: Bench;
  /** How many records, slots and results came back without an error, by port. */
  readonly came: ReadonlyMap<string, number>;
  /** What failed, in sentences without values. */
  readonly failures: readonly string[];
}

/**
 * Reads by key, runs feeds to their end and once more, and writes, last, as writes change what is read.
 * @param most - keys and inputs of each port
 */
export async function exerciseConnector<S>(
  definition: ConnectorDefinition<S>,
  fixtures: ConformFixtures,
  most: number,
): Promise<Exercise> {
  const bench = openBench(definition, fixtures, { timeoutMs: 20_000 });
  const came = new Map<string, number>();
  const failures: string[] = [];
  const ports = Object.entries(definition.ports) as [string, object][];
  const kindOf = (port: object): number => ('idempotency' in port ? 2 : 'feed' in port ? 1 : 0);
  for (const [name, port] of ports.toSorted(([, a], [, b]) => kindOf(a) - kindOf(b))) {
    try {
      const answers = await usePort(bench, { name, port, fixtures, most });
      const codes = new Set(answers.map(codeOf).filter((code) => code !== 'no error'));
      for (const code of codes) failures.push(`${name} answered ${code}`);
      came.set(name, answers.filter((answer) => answer !== null && !(answer instanceof Error)).length);
    } catch (error) {
      failures.push(`${name} rejected: ${codeOf(error)}`);
    }
    if ((came.get(name) ?? 0) === 0) failures.push(`${name} gave nothing`);
  }
  await bench.system.close();
  return { bench, came, failures };
}

interface Use {
  readonly name: string;
  readonly port: object;
  readonly fixtures: ConformFixtures;
  readonly most: number;
}

async function usePort({ system }: Bench, { name, port, fixtures, most }: Use): Promise<readonly unknown[]> {
  if ('idempotency' in port) {
    const writes = fixtures.writes?.[name];
    if (writes === undefined) throw new Error(`the fixtures have no writes of ${name}`);
    const inputs = Array.from({ length: Math.min(most, 4) }, (_, index) => writes.input(index));
    return batchOf(system, name)([...inputs, ...(writes.others ?? [])], within(WITHIN_MS));
  }
  if ('feed' in port) return runTwice(feedOf(system, name));
  if (!('max' in port)) return (await system.locations?.locations(within(WITHIN_MS))) ?? [];
  const keys = fixtures.keys[name];
  if (keys === undefined) throw new Error(`the fixtures have no keys of ${name}`);
  const texts = [...keys.known.slice(0, most), keys.unknown(0), keys.unknown(1)];
  return batchOf(system, name)(texts.map(keys.toKey ?? ((text) => text)), within(WITHIN_MS));
}

async function runTwice(feed: FeedSource<unknown>): Promise<readonly unknown[]> {
  const changes: unknown[] = [];
  let cursor: string | null = null;
  for (let run = 1; run <= 2; run += 1) {
    for (let done = false; !done;) {
      const page = await feed.readPage(cursor, within(WITHIN_MS));
      changes.push(...page.changes);
      ({ cursor, done } = page);
    }
  }
  return changes;
}
