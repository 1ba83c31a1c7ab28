import { describe, expect, it } from 'vitest';

import { assertLexicalLimits } from './lexical-limits.ts';

const limits = { tokens: 200, depth: 15, aliases: 30, directives: 50 };

describe('aliases', () => {
  it.each([
    ['at its colon', '{ __proto__: a }'],
    ['before spaces and commas', '{ __proto__ ,, : a }'],
    ['before a comment', '{ __proto__ #\n: a }'],
    ['before a comment that looks like an allowed one', '{ __proto__ # b\n: a }'],
    ['before several comments', '{ __proto__ # b\n# c\r\n#\r: a }'],
    ['in a nested selection', '{ a { __typename #\n: b } }'],
    ['after arguments', '{ a(b: 1) { c __deny_0_x #\n: d } }'],
  ])('are refused when they meet machinery, %s', (_, text) => {
    expect(() => assertLexicalLimits(text, limits)).toThrow(/is not allowed/);
  });

  it('are allowed whatever a comment between them and their colon says', () => {
    expect(() => assertLexicalLimits('{ a # __proto__\n: b # constructor\n c: d }', limits)).not.toThrow();
  });
});

describe('line ends', () => {
  it.each([
    ['\\n', '\n'],
    ['\\r', '\r'],
    ['\\r\\n', '\r\n'],
  ])('%s are at most as many as tokens are allowed', (_, lineEnd) => {
    expect(() => assertLexicalLimits(`{ a${lineEnd.repeat(200)}}`, limits)).not.toThrow();
    expect(() => assertLexicalLimits(`{ a${lineEnd.repeat(201)}}`, limits)).toThrow(/more than 200 line ends/);
  });

  it.each([
    ['comments', `${'#\n'.repeat(201)}{ a }`],
    ['a block string', `{ a(b: """${'\n'.repeat(201)}""") }`],
    ['a text that is not GraphQL', `}${'\n'.repeat(201)}`],
  ])('in %s count as well', (_, text) => {
    expect(() => assertLexicalLimits(text, limits)).toThrow(/line ends/);
  });

  it('are as many as a document with a token on each line has', () => {
    expect(() => assertLexicalLimits(`{\n${'a\n'.repeat(198)}}\n`, limits)).not.toThrow();
  });
});
