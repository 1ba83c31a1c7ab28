import { describe, expect, it } from 'vitest';

import { isCheapToParse } from './answer-weight.ts';
import { readResult } from './read-result.ts';

const MIB = 2 ** 20;
const rows = (count: number) =>
  JSON.stringify(Array.from({ length: count }, (_, row) => ({ id: String(row), name: `name, [${row}] {`, on: true })));
const keys = (count: number, key: (row: number) => string) =>
  `{${Array.from({ length: count }, (_, row) => `"${key(row)}":1`).join(',')}}`;

describe('an answer is cheap to parse', () => {
  it.each([
    ['rows', rows(130_000)],
    ['one long text, whatever it says', JSON.stringify('[{,"\\'.repeat(1.5 * MIB))],
    ['400,000 whole numbers', `[${'1,'.repeat(400_000)}1]`],
    ['20,000 keys', keys(20_000, (row) => `key${row}`)],
    ['the same 20 keys, 200,000 times', keys(200_000, (row) => `key${row % 20}`)],
    ['no JSON', '\\'.repeat(MIB)],
  ])('when it is %s', (_what, text) => {
    expect(isCheapToParse(text)).toBe(true);
  });

  it.each([
    ['brackets', '['.repeat(MIB)],
    ['empty objects', `[${'{},'.repeat(MIB)}1]`],
    ['a million numbers', `[${'1,'.repeat(1_000_001)}1]`],
    ['ever new keys', keys(200_000, (row) => `key${row}`)],
  ])('not when it is %s', (_what, text) => {
    expect(isCheapToParse(text)).toBe(false);
  });

  it('or it is not parsed', () => {
    expect(() => readResult(`{"data":{"s":${'['.repeat(MIB)}${']'.repeat(MIB)}}}`)).toThrow(
      'the answer has too many values',
    );
  });
});
