// Conformance of the calls of any port but reads by key (see conform-batch.ts): feeds, writes, locations.
import { expect, it } from 'vitest';

import type { ConnectorDefinition } from '#connectors/kit/definition.ts';

import { FAILURES, LONG_PAUSES, firstOnly, hang, json, withCookie } from './conform-faults.ts';
import { openBench } from './conform-harness.ts';
import type { Bench, ConformFixtures, Fault } from './conform-harness.ts';

interface CallSuite<S> {
  readonly definition: ConnectorDefinition<S>;
  readonly fixtures: () => Promise<ConformFixtures>;
  /** Uses the port once, with so many milliseconds left: `fine`, or the code of its error. */
  readonly use: (bench: Bench, ms: number) => Promise<string>;
  /** An answer without anything to read may be success. @default false */
  readonly isWrite?: boolean;
}

/** What holds for every call, whatever it is for. */
export function conformCalls<S>({ definition, fixtures, use, isWrite = false }: CallSuite<S>): void {
  const open = async (fault: Fault, timeoutMs?: number): Promise<Bench> =>
    openBench(definition, await fixtures(), { fault, ...(timeoutMs && { timeoutMs }) });

  it('waits out a 429 that names a short time', async () => {
    const bench = await open(firstOnly(() => json('{}', 429, { 'retry-after': '0.02' })));
    expect(await use(bench, 30_000)).toBe('fine');
    expect(bench.traces[0]).toMatchObject({ status: 429, errorCode: 'UPSTREAM_RATE_LIMITED' });
  });

  it.each(LONG_PAUSES)(
    'fails fast on a 429 that names %s, and leaves the vendor alone meanwhile',
    async (_name, headers) => {
      const bench = await open(async () => json('{}', 429, headers));
      expect([await use(bench, 500), await use(bench, 500)]).toEqual([
        'UPSTREAM_RATE_LIMITED',
        'UPSTREAM_RATE_LIMITED',
      ]);
      expect(bench.calls.length).toBe(1);
    },
  );

  it.each(FAILURES.filter(({ isSuccessOfWrites = false }) => !isWrite || !isSuccessOfWrites))(
    'never takes $name for an answer',
    async ({ fault, code }) => {
      expect(await use(await open(fault), 1_000)).toBe(code);
    },
  );

  it('ends a call without an answer at its deadline', async () => {
    expect(await use(await open(hang, 50), 60)).toBe('UPSTREAM_TIMEOUT');
  });

  it('renews a refused token once; refused credentials are not asked with again', async () => {
    const renews = definition.auth.kind !== 'headers';
    const bench = await open(firstOnly(() => json('{}', 401)));
    expect(await use(bench, 30_000)).toBe(renews ? 'fine' : 'UPSTREAM_UNAVAILABLE');
    const refused = await open(async () => json('{}', 401));
    expect(await use(refused, 1_000)).toBe('UPSTREAM_UNAVAILABLE');
    expect(refused.calls.length).toBe(renews ? 2 : 1);
  });

  it('keeps no cookie and no header of the vendor', async () => {
    const bench = await open(withCookie);
    await use(bench, 30_000);
    await use(bench, 30_000);
    expect(bench.calls.filter(({ headers }) => headers.has('cookie') || headers.has('x-evil'))).toEqual([]);
    expect(JSON.stringify(bench.calls)).not.toContain('vendor-cookie');
  });
}
