import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { MortarError } from '#platform/errors.ts';
import { codeOf, connect, scope } from '#test/support/kit-system.ts';
import { startUpstream } from '#test/support/scripted-upstream.ts';

import { parseJson } from './json.ts';
import { readRows, wholeKeys } from './rows.ts';

const PADDING = `"${'x'.repeat(16_384)}"`;
const list = (count: number, value: string): string => `[${Array.from({ length: count }, () => value).join(',')}]`;
const isRefused = (text: string): boolean => {
  try {
    parseJson(text);
    return false;
  } catch (error) {
    return error instanceof MortarError && error.code === 'UPSTREAM_CONTRACT';
  }
};

describe('JSON of a vendor', () => {
  it('reads what JSON.parse reads, however long its texts are', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const padded = `[${PADDING},${text}]`;
        expect(parseJson(padded)).toEqual(JSON.parse(padded));
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 200 },
    );
    expect(parseJson('')).toBe(undefined);
    expect(parseJson('<html>')).toBe(undefined);
  });

  it('takes 10,000 values of one list and refuses one more', () => {
    expect(parseJson(list(10_000, '1.50'))).toHaveLength(10_000);
    expect(isRefused(list(10_001, '1.50'))).toBe(true);
  });

  it('counts no comma, bracket or escaped quote inside a text', () => {
    const text = JSON.stringify([',[{"\\'.repeat(30_000), '\\'.repeat(20_000)]);
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  it('refuses 200,001 values in all, and 101 lists in each other', () => {
    expect(isRefused(list(2_001, list(100, '1.5')))).toBe(true);
    expect(isRefused(`[${PADDING},${'['.repeat(100)}${']'.repeat(100)}]`)).toBe(true);
    expect(isRefused(`[${PADDING},${'['.repeat(99)}${']'.repeat(99)}]`)).toBe(false);
  });

  it('of 7.8 MB of empty rows fails the read within a second and is asked for once', async () => {
    const text = `{"rows":[${'{},'.repeat(2_600_000)}{}]}`;
    await using upstream = await startUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    });
    await using crm = connect(upstream.url, { options: { timeoutMs: 5_000 } });
    const startedAtMs = performance.now();
    expect(codeOf((await crm.read(['1'], scope(10_000)))[0])).toBe('UPSTREAM_CONTRACT');
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
    expect(upstream.seen.length).toBe(1);
  });
});

describe('rows that cannot be read', () => {
  const row = z.object({ id: z.string(), lines: z.array(z.object({ sku: z.string() })) });
  const bad = (count: number): readonly unknown[] => Array.from({ length: count }, () => ({ id: 'a' }));

  it('are counted up to 1,000; of a page with more none is read', () => {
    expect(readRows(row, bad(1_000), ({ id }) => id)).toEqual({ values: [], rejected: 1_000 });
    expect(() => readRows(row, bad(1_001), ({ id }) => id)).toThrow(MortarError);
  });

  it('end the page sooner when each has many faults', () => {
    const faulty = Array.from({ length: 3 }, () => ({ id: 'a', lines: Array.from({ length: 900 }, () => ({})) }));
    expect(() => readRows(row, faulty, ({ id }) => id)).toThrow(MortarError);
  });

  it('beyond 1,000 spoil every key', () => {
    expect(wholeKeys(row, bad(1_000), 'id')('b')).toBe(true);
    expect(wholeKeys(row, bad(1_001), 'id')('b')).toBe(false);
  });
});
