// Conformance of one batch port: keys, limits, failures, hostile ids.
import { describe, expect, it } from 'vitest';

import type { BatchReadDefinition, ConnectorDefinition } from '#connectors/kit/definition.ts';
import { MortarError } from '#platform/errors.ts';

import { FAILURES, LONG_PAUSES, firstOnly, hang, json, withCookie } from './conform-faults.ts';
import { batchOf, codeOf, openBench, personalTexts, within } from './conform-harness.ts';
import type { Bench, ConformFixtures, ConformKeys, Fault } from './conform-harness.ts';
import './conform-meta.ts';
import { mutantsOf, typeDifferences } from './conform-mutants.ts';
import { HOSTILE_IDS, contextOf } from './connector-contract.ts';

export interface PortSuite<S> {
  readonly definition: ConnectorDefinition<S>;
  readonly name: string;
  readonly fixtures: () => Promise<ConformFixtures>;
}

const NEVER_SENT = ['', 'a\u0000b', 'a\r\nhost: evil.test', 'x'.repeat(10_240), '\ud800'];
const MORE_HOSTILE = [
  '${jndi:ldap://evil.test}',
  '"; drop table x; --',
  '`id`',
  '\\..\\..',
  '//evil.test/x',
  '%00',
  '?a=b#c',
];

export function conformBatch<S>({ definition, name, fixtures }: PortSuite<S>): void {
  const { max } = (definition.ports as unknown as Record<string, { readonly max: number }>)[name] ?? { max: 0 };

  interface Opened {
    readonly bench: Bench;
    readonly keys: ConformKeys;
    readonly read: (texts: readonly string[], ms?: number) => Promise<readonly unknown[]>;
  }
  async function open(fault?: Fault, timeoutMs?: number): Promise<Opened> {
    const given = await fixtures();
    const keys = given.keys[name];
    if (keys === undefined) throw new Error(`the fixtures have no keys of ${name}`);
    const bench = openBench(definition, given, { ...(fault && { fault }), ...(timeoutMs && { timeoutMs }) });
    const port = batchOf(bench.system, name);
    const toKey = keys.toKey ?? ((text: string) => text);
    return { bench, keys, read: (texts, ms = 30_000) => port(texts.map(toKey), within(ms)) };
  }
  /** How many calls a read makes at once: more than one where the system answers a part of the question a call. */
  const partsOf = async (): Promise<number> => {
    const { credentials, options } = await fixtures();
    const port = (definition.ports as unknown as Record<string, BatchReadDefinition<unknown, unknown, S> | undefined>)[
      name
    ];
    return (
      1 +
      (port?.fanOut?.([], contextOf(definition, { credentials, options: options as Record<string, string> })).length ??
        0)
    );
  };
  const first = (keys: ConformKeys): string => keys.known[0] ?? '';
  const isNothing = (slot: unknown): boolean => slot === null || (Array.isArray(slot) && slot.length === 0);
  const isValue = (slot: unknown): boolean => slot !== null && typeof slot === 'object' && !(slot instanceof Error);

  describe(`${name} by key`, () => {
    it('answers known keys, leaves missing ones empty and asks a duplicate once', async () => {
      const { bench, keys, read } = await open();
      const slots = await read([first(keys), keys.unknown(0), first(keys)]);
      expect(slots.map((slot) => (slot instanceof Error ? slot.message : 'fine'))).toEqual(['fine', 'fine', 'fine']);
      expect(isValue(slots[0])).toBe(true);
      expect(slots[2]).toEqual(slots[0]);
      expect([null, []]).toContainEqual(slots[1]);
      expect((bench.sizes.get(name) ?? []).reduce((sum, size) => sum + size, 0)).toBe(2);
      expect(bench.violations).toEqual([]);
    });

    it('carries no more keys a call than the vendor allows, and answers all of them', async () => {
      const { bench, keys, read } = await open();
      const texts = [first(keys), ...Array.from({ length: 2 * max }, (_, index) => keys.unknown(index))];
      const slots = await read(texts);
      expect(slots.length).toBe(texts.length);
      expect(isValue(slots[0])).toBe(true);
      expect(slots.filter((slot) => slot instanceof Error)).toEqual([]);
      expect(Math.max(...(bench.sizes.get(name) ?? []))).toBe(max);
      expect(bench.violations).toEqual([]);
    });

    it('answers an empty list with one, without a call', async () => {
      const { bench, read } = await open();
      expect(await read([])).toEqual([]);
      expect(bench.calls.length).toBe(0);
    });

    it('waits out a 429 that names a short time', async () => {
      const { bench, keys, read } = await open(firstOnly(() => json('{}', 429, { 'retry-after': '0.02' })));
      expect(isValue((await read([first(keys)]))[0])).toBe(true);
      expect(bench.traces[0]).toMatchObject({ status: 429, errorCode: 'UPSTREAM_RATE_LIMITED' });
    });

    it.each(LONG_PAUSES)(
      'fails fast on a 429 that names %s, and leaves the vendor alone meanwhile',
      async (_name, headers) => {
        const { bench, keys, read } = await open(async () => json('{}', 429, headers));
        expect(codeOf((await read([first(keys)], 500))[0])).toBe('UPSTREAM_RATE_LIMITED');
        expect(codeOf((await read([keys.unknown(1)], 500))[0])).toBe('UPSTREAM_RATE_LIMITED');
        expect(bench.calls.length).toBe(await partsOf());
      },
    );

    it.each(FAILURES)('answers $name with an error in the slot', async ({ fault, code, calls }) => {
      const { bench, keys, read } = await open(fault);
      const [slot] = await read([first(keys)], 1_000);
      expect(codeOf(slot)).toBe(code);
      expect(slot).toMatchObject({ system: 'vendor' });
      const parts = await partsOf();
      // A part that failed for good ends the read; others may not have been tried again yet.
      expect(bench.calls.length).toBeGreaterThanOrEqual(parts === 1 ? calls : parts);
      expect(bench.calls.length).toBeLessThanOrEqual(calls * parts);
    });

    it('ends a call without an answer at its deadline', async () => {
      const { keys, read } = await open(hang, 50);
      expect(codeOf((await read([first(keys)], 60))[0])).toBe('UPSTREAM_TIMEOUT');
    });

    it('renews a refused token once; refused credentials are not asked with again', async () => {
      const { bench, keys, read } = await open(firstOnly(() => json('{}', 401)));
      const [slot] = await read([first(keys)]);
      const renews = definition.auth.kind !== 'headers';
      expect(isValue(slot) ? 'a value' : codeOf(slot)).toBe(renews ? 'a value' : 'UPSTREAM_UNAVAILABLE');
      expect(bench.calls.length).toBe((renews ? 1 : 0) + (await partsOf()));
      const refused = await open(async () => json('{}', 401));
      expect(codeOf((await refused.read([first(keys)], 1_000))[0])).toBe('UPSTREAM_UNAVAILABLE');
      expect(refused.bench.calls.length).toBeLessThanOrEqual((renews ? 2 : 1) * (await partsOf()));
    });

    it('keeps no cookie and no header of the vendor', async () => {
      const { bench, keys, read } = await open(withCookie);
      await read([first(keys)]);
      await read([keys.unknown(1)]);
      expect(bench.calls.filter(({ headers }) => headers.has('cookie') || headers.has('x-evil'))).toEqual([]);
      expect(JSON.stringify(bench.calls)).not.toContain('vendor-cookie');
    });

    it('passes no wrong type on', async ({ task }) => {
      let good: unknown = null;
      const { keys, read } = await open(async (_request, _count, next) => {
        const answer = await next();
        good ??= await answer.clone().json();
        return answer;
      });
      const text = first(keys);
      const [value] = await read([text]);
      const mutants = mutantsOf(good);
      task.meta.wrongAnswers = mutants.length;
      for (const mutant of mutants) {
        const { read: again } = await open(async () => json(JSON.stringify(mutant)));
        const [slot] = await again([text], 1_000);
        const found =
          slot instanceof Error ? (slot instanceof MortarError ? [] : [slot.message]) : typeDifferences(value, slot);
        expect([found, JSON.stringify(mutant).slice(0, 600)]).toEqual([[], expect.anything()]);
      }
    });

    it('sends a hostile key as a key: encoded, on the same path, and knows nothing by it', async () => {
      const plain = await open();
      await plain.read([plain.keys.unknown(0)]);
      const usual = plain.bench.calls[0]?.url.pathname.split('/').length;
      for (const hostile of [...HOSTILE_IDS, ...MORE_HOSTILE]) {
        const { bench, read } = await open();
        const [slot] = await read([hostile], 2_000);
        // An error would say that the system took it for something else than a key.
        expect([hostile, slot instanceof Error ? slot.message : slot]).toEqual([hostile, expect.toSatisfy(isNothing)]);
        for (const call of bench.calls) {
          expect([hostile, call.url.host, call.url.pathname.split('/').length]).toEqual([
            hostile,
            'vendor.test',
            usual,
          ]);
          expect([hostile, carries(call, hostile)]).toEqual([hostile, true]);
        }
      }
    });

    it('never sends a key with control characters, without text, or of 10 KB', async () => {
      const { bench, read } = await open();
      const slots = await read(NEVER_SENT);
      expect(slots.every((slot) => slot === null || (Array.isArray(slot) && slot.length === 0))).toBe(true);
      expect(bench.calls.length).toBe(0);
    });

    it('tells no secret and nothing personal in traces, logs and errors', async () => {
      const { bench, keys, read } = await open((_request, count, next) =>
        count % 2 === 0 ? Promise.resolve(json('{"broken": "JSON', 200)) : next(),
      );
      const [value] = await read([first(keys)]);
      const [error] = await read([first(keys)]);
      const personal = personalTexts(value);
      const text = `${bench.told()} ${describeError(error)}`;
      const { credentials } = await fixtures();
      const found = [...personal, ...Object.values(credentials), first(keys)].filter(
        (secret) => secret.length >= 5 && text.includes(secret),
      );
      expect(found).toEqual([]);
    });
  });
}

/** Whether a call carries the text as one value: in its JSON, its query, or one segment of its path. */
function carries(call: { readonly url: URL; readonly body: string }, text: string): boolean {
  const quoted = text.replaceAll("'", "''").replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  const places = [
    ...(call.body === '' ? [] : textsOf(JSON.parse(call.body))),
    ...call.url.searchParams.values(),
    ...call.url.pathname.split('/').map((part) => decodeURIComponent(part)),
  ];
  return places.some(
    (place) =>
      place === text || place.includes(text) || place.includes(quoted) || place.includes(text.replaceAll("'", "''")),
  );
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

function describeError(value: unknown): string {
  if (!(value instanceof Error)) return '';
  return `${value.message} ${JSON.stringify(value)} ${value instanceof MortarError ? JSON.stringify(value.facts) : ''}`;
}
