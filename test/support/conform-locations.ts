// Conformance of a system's places.
import { describe, expect, it } from 'vitest';

import type { ConnectorDefinition } from '#connectors/kit/definition.ts';
import { MortarError } from '#platform/errors.ts';

import { conformCalls } from './conform-calls.ts';
import { json } from './conform-faults.ts';
import { codeOf, openBench, personalTexts, within } from './conform-harness.ts';
import type { Bench, ConformFixtures } from './conform-harness.ts';
import { mutantsOf, typeDifferences } from './conform-mutants.ts';

export function conformLocations<S>(
  definition: ConnectorDefinition<S>,
  fixtures: () => Promise<ConformFixtures>,
): void {
  const read = async ({ system }: Bench, ms: number) => (await system.locations?.locations(within(ms))) ?? [];

  describe('locations', () => {
    it('gives them all, within the contract', async () => {
      const bench = openBench(definition, await fixtures());
      const found = await read(bench, 30_000);
      expect(found.length).toBeGreaterThan(0);
      expect(new Set(found.map(({ externalId }) => externalId)).size).toBe(found.length);
      expect(bench.violations).toEqual([]);
    });

    conformCalls({ definition, fixtures, use: (bench, ms) => read(bench, ms).then(() => 'fine', codeOf) });

    it('passes no wrong type on', async ({ task }) => {
      let good: unknown = null;
      const bench = openBench(definition, await fixtures(), {
        fault: async (_request, _count, next) => {
          const answer = await next();
          good ??= await answer.clone().json();
          return answer;
        },
      });
      const [place] = await read(bench, 30_000);
      const mutants = mutantsOf(good);
      task.meta.wrongAnswers = mutants.length;
      for (const mutant of mutants) {
        const other = openBench(definition, await fixtures(), { fault: async () => json(JSON.stringify(mutant)) });
        const found = await read(other, 1_000).then(
          (places) => places.flatMap((each) => typeDifferences(place, each)),
          (error: unknown) => (error instanceof MortarError ? [] : [String(error)]),
        );
        expect([found, JSON.stringify(mutant).slice(0, 600)]).toEqual([[], expect.anything()]);
      }
    });

    it('tells no secret and nothing personal in traces, logs and errors', async () => {
      const { credentials } = await fixtures();
      const bench = openBench(definition, await fixtures());
      const personal = personalTexts(await read(bench, 30_000));
      const secrets = [...personal, ...Object.values(credentials)];
      expect(secrets.filter((secret) => bench.told().includes(secret))).toEqual([]);
    });
  });
}
