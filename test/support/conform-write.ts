// Conformance of one write port: limits, refusals, failures, secrets.
import { describe, expect, it } from 'vitest';

import type { PortSuite } from './conform-batch.ts';
import { codeOf, openBench, within } from './conform-harness.ts';
import type { Bench, ConformWrites, Fault } from './conform-harness.ts';

const json = (value: unknown, status = 200): Response => Response.json(value, { status });

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
    return { bench, writes, write: (inputs, ms = 10_000) => port(inputs, within(ms)) };
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

    it.each([
      ['a 503', async () => json({}, 503), 'UPSTREAM_UNAVAILABLE'],
      ['a 429', async () => json({}, 429), 'UPSTREAM_RATE_LIMITED'],
      ['a 400', async () => json({}, 400), 'UPSTREAM_CONTRACT'],
      ['HTML', async () => new Response('<html></html>'), 'UPSTREAM_CONTRACT'],
      ['a redirect', async () => Response.redirect('http://evil.test/', 302), 'UPSTREAM_CONTRACT'],
    ] as [string, Fault, string][])('never takes %s for success', async (_name, fault, code) => {
      const { writes, write } = await open(fault);
      expect((await write(many(writes, 2), 600)).map(codeOf)).toEqual([code, code]);
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
