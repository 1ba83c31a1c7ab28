import { describe, expect, it } from 'vitest';

import { isCheapToParse } from './answer-weight.ts';
import { readResult } from './read-result.ts';

const MIB = 2 ** 20;
const rows = (count: number) =>
  JSON.stringify(Array.from({ length: count }, (_, row) => ({ id: String(row), name: `name, [${row}] {`, on: true })));
const keys = (count: number, key: (row: number) => string) =>
  `{${Array.from({ length: count }, (_, row) => `"${key(row)}":1`).join(',')}}`;
/** Text of escapes that is another one for each number. */
const escaped = (row: number) =>
  row
    .toString(8)
    .padStart(7, '0')
    .replaceAll(/./g, (digit) => `\\${'ntrbf/"\\'[+digit]}`);
/** Rows of the same ten keys, each in another order. */
const orders = (count: number) => {
  const inOrder = (row: number) => {
    const left = 'abcdefghij'.split('');
    let choices = row * 89;
    return keys(10, () => {
      const [name = ''] = left.splice(choices % left.length, 1);
      choices = Math.floor(choices / (left.length + 1));
      return name;
    });
  };
  return `[${Array.from({ length: count }, (_, row) => inOrder(row)).join(',')}]`;
};

describe('an answer is cheap to parse', () => {
  it.each([
    ['rows', rows(130_000)],
    ['one long text, whatever it says', JSON.stringify('[{,"\\'.repeat(1.5 * MIB))],
    ['400,000 whole numbers', `[${'1,'.repeat(400_000)}1]`],
    ['20,000 keys', keys(20_000, (row) => `key${row}`)],
    ['15,000 rows of ten objects', `[${`${keys(10, (row) => `key${row}`).replaceAll(':1', ':{}')},`.repeat(15_000)}1]`],
    ['the same 20 keys, 20,000 times', `[${`${keys(20, (row) => `key${row}`)},`.repeat(20_000)}1]`],
    [
      'rows with room between all words',
      JSON.stringify(JSON.parse(rows(120_000)), null, 1).replaceAll('":', '"\n\t : '),
    ],
    ['texts that end in escapes', JSON.stringify(Array.from({ length: 100_000 }, (_, row) => `${row}"\\`))],
    ['no JSON', '\\'.repeat(MIB)],
    ['colons alone', `"${'k'.repeat(MIB)}"${':'.repeat(MIB)}`],
  ])('when it is %s', (_what, text) => {
    expect(isCheapToParse(text)).toBe(true);
  });

  it.each([
    ['brackets', '['.repeat(MIB)],
    ['empty objects', `[${'{},'.repeat(MIB)}1]`],
    ['a million numbers', `[${'1,'.repeat(1_000_001)}1]`],
    ['ever new keys', keys(200_000, (row) => `key${row}`)],
    [
      'ever new keys that stand apart from their colons',
      keys(200_000, (row) => `key${row}`).replaceAll(':', '\t\r\n :'),
    ],
    ['ever new keys of escapes', keys(200_000, escaped)],
    ['the same keys in ever new orders', orders(40_000)],
    ['the same keys in ever new orders, with an object between any two', orders(15_000).replaceAll(':1', ':{}')],
  ])('not when it is %s', (_what, text) => {
    expect(isCheapToParse(text)).toBe(false);
  });

  it('not when its new keys look like one to whoever knows the seed', () => {
    // As heavy as may be, less the half of what so many new keys weigh.
    const filled = '1,'.repeat(1_000_000 - 4 * ALIKE - 5 * ALIKE);
    const text = `[${filled}${alike(7)
      .map((key) => `{"${key}":1}`)
      .join(',')}]`;
    expect(isCheapToParse(text, 7)).toBe(true);
    expect(isCheapToParse(text, 8)).toBe(false);
    expect(isCheapToParse(text)).toBe(false);
  });

  it('or it is not parsed', () => {
    expect(() => readResult(`{"data":{"s":${'['.repeat(MIB)}${']'.repeat(MIB)}}}`)).toThrow(
      'the answer has too many values',
    );
  });
});

const BLOCKS = 7;
const ALIKE = 2 ** BLOCKS;

/** Keys that all have one hash under a seed: of each of their parts there are two that lead to the same. */
function alike(seed: number): readonly string[] {
  let found = [''];
  let state = seed;
  for (let block = 0; block < BLOCKS; block += 1) {
    const from = state;
    const known = new Map<number, string>();
    for (let number = 0; ; number += 1) {
      const part = Math.imul(number, 0x9e3779b1).toString(36);
      state = from;
      for (let at = 0; at < part.length; at += 1) state = Math.imul(state ^ part.charCodeAt(at), 0x01000193);
      const other = known.get(state);
      known.set(state, part);
      if (other === undefined) continue;
      found = found.flatMap((before) => [before + part, before + other]);
      break;
    }
  }
  return found;
}
