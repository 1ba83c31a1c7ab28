// Conformance of one write port: limits, refusals, failures, secrets.
import { describe, expect, it } from 'vitest';

import { MortarError } from '#platform/errors.ts';

import type { PortSuite } from './conform-batch.ts';
import { conformCalls } from './conform-calls.ts';
import { batchOf, codeOf, openBench, within } from './conform-harness.ts';
import type { Bench, ConformWrites, Fault } from './conform-harness.ts';
import './conform-meta.ts';
import { mutantsOf } from './conform-mutants.ts';
import { HOSTILE_IDS } from './connector-contract.ts';

const json = (value: unknown, status = 200): Response => Response.json(value, { status });
const HOSTILE_TEXTS = [
  'a\u0000b',
  'a\r\nhost: evil.test',
  '${jndi:ldap://evil.test}',
  '"; drop table x; --',
  '//evil.test/x',
  'x'.repeat(10_240),
];

export function conformWrite<S>({ definition, name, fixtures }: PortSuite<S>): void {
  const { max } = (definition.ports as unknown as Record<string, { readonly max: number }>)[name] ?? { max: 0 };

  interface Opened {
    readonly bench: Bench;
    readonly writes: ConformWrites;
    readonly write: (inputs: readonly unknown[], ms?: number) => Promise<readonly unknown[]>;
  }
  async function open(fault?: Fault): Promise<Opened> {
    const given = await fixtures();
    const writes = given.writes?.[name];
    if (writes === undefined) throw new Error(`the fixtures have no writes of ${name}`);
    const bench = openBench(definition, given, fault === undefined ? {} : { fault });
    const bound = (bench.system as unknown as Record<string, Record<string, unknown>>)[name] ?? {};
    const port = Object.values(bound).find((value) => typeof value === 'function') as (
      inputs: readonly unknown[],
      scope: ReturnType<typeof within>,
    ) => Promise<readonly unknown[]>;
    return { bench, writes, write: (inputs, ms = 30_000) => port(inputs, within(ms)) };
  }
  const many = (writes: ConformWrites, count: number): readonly unknown[] =>
    Array.from({ length: count }, (_, index) => writes.input(index));

  describe(`writes to ${name}`, () => {
    it('answers every input, in calls within the contract and the limit', async () => {
      const { bench, writes, write } = await open();
      const results = await write(many(writes, max + 1));
      expect(results.map((result) => (result as { kind?: string }).kind)).toEqual(
        Array.from({ length: max + 1 }, () => expect.stringMatching(/^(DONE|ACCEPTED)$/)),
      );
      expect(bench.violations).toEqual([]);
      expect(bench.sizes.get(name)?.length).toBe(2);
      expect(Math.max(...(bench.sizes.get(name) ?? []))).toBe(max);
    });

    it('sends nothing of inputs it refuses or cannot take, and the others all the same', async () => {
      const { bench, writes, write } = await open();
      const { refused = [], unfit = [] } = writes;
      const results = await write([...refused, ...unfit, writes.input(0)]);
      expect(results.slice(0, refused.length)).toEqual(
        refused.map(() => ({ kind: 'REFUSED', reason: 'CONSENT_REQUIRED' })),
      );
      expect(results.slice(refused.length, -1).map(codeOf)).toEqual(unfit.map(() => 'UPSTREAM_CONTRACT'));
      expect(codeOf(results.at(-1))).toBe('no error');
      const alone = await open();
      await alone.write([...refused, ...unfit]);
      expect([bench.sizes.get(name)?.length, alone.bench.calls.length]).toEqual([1, 0]);
    });

    it('sends what is told twice once, and answers both', async () => {
      const { bench, writes, write } = await open();
      const input = writes.input(0);
      const results = await write([input, input]);
      expect(results.map(codeOf)).toEqual(['no error', 'no error']);
      expect(bench.sizes.get(name)).toEqual([1]);
    });

    it('answers an empty list with one, without a call', async () => {
      const { bench, write } = await open();
      expect([await write([]), bench.calls.length]).toEqual([[], 0]);
    });

    conformCalls({
      definition,
      fixtures,
      isWrite: true,
      use: async (bench, ms) => {
        const { writes } = await fixtures();
        const [result] = await batchOf(bench.system, name)([writes?.[name]?.input(0)], within(ms));
        return result instanceof Error ? codeOf(result) : 'fine';
      },
    });

    it('passes no wrong type on', async ({ task }) => {
      const bodies: string[] = [];
      const { writes, write, bench } = await open(async (_request, _count, next) => {
        const answer = await next();
        bodies.push(await answer.clone().text());
        return answer;
      });
      await write([writes.input(0)]);
      const last = bench.calls.length;
      // An answer without a body has nothing to be wrong in.
      const mutants = bodies.at(-1) === '' ? [] : mutantsOf(JSON.parse(bodies.at(-1) ?? 'null'));
      task.meta.wrongAnswers = mutants.length;
      for (const mutant of mutants) {
        const other = await open((_request, count, next) => (count < last ? next() : Promise.resolve(json(mutant))));
        const [result] = await other.write([writes.input(0)], 1_000);
        const kind = result instanceof MortarError ? 'an error' : (result as { kind?: string } | undefined)?.kind;
        expect([kind, JSON.stringify(mutant).slice(0, 600)]).toEqual([
          expect.stringMatching(/^(an error|DONE|ACCEPTED|SUPERSEDED)$/),
          expect.anything(),
        ]);
      }
    });

    it('sends hostile texts as values, on the same path, or not at all', async () => {
      const plain = await open();
      await plain.write([plain.writes.input(0)]);
      const usual = new Set(plain.bench.calls.map(({ url }) => url.pathname.split('/').length));
      const input = plain.writes.input(0) as Readonly<Record<string, unknown>>;
      // Words of closed lists are checked before they come here.
      const texts = Object.keys(input).filter(
        (field) => typeof input[field] === 'string' && !/^[A-Z_]+$/.test(input[field]),
      );
      for (const field of texts) {
        for (const hostile of [...HOSTILE_IDS, ...HOSTILE_TEXTS]) {
          const { bench, write } = await open();
          const [result] = await write([{ ...input, [field]: hostile }], 2_000);
          expect([field, hostile, codeOf(result)]).toEqual([
            field,
            hostile,
            expect.stringMatching(/^(no error|UPSTREAM_\w+)$/),
          ]);
          const strays = bench.calls.filter(
            ({ url }) => url.host !== 'vendor.test' || !usual.has(url.pathname.split('/').length),
          );
          expect([field, hostile, strays]).toEqual([field, hostile, []]);
        }
      }
    });

    it('tells no secret and nothing personal in traces, logs and errors', async () => {
      const { bench, writes, write } = await open((_request, count, next) =>
        count === 1 ? next() : Promise.resolve(json({}, 400)),
      );
      await write([writes.input(0)]);
      const [error] = await write([writes.input(1)]);
      const { credentials } = await fixtures();
      const text = `${bench.told()} ${error instanceof Error ? `${error.message} ${JSON.stringify(error)}` : ''}`;
      const secrets = [...Object.values(credentials), ...writes.personal];
      expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    });
  });
}
