import { describe, expect, it } from 'vitest';

import { assertJsonLimits } from './json-limits.ts';

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe('assertJsonLimits', () => {
  it('accepts 32 levels and 20,000 values', () => {
    expect(() => assertJsonLimits(nested(32))).not.toThrow();
    expect(() => assertJsonLimits(JSON.stringify(Array(19_999).fill(null)))).not.toThrow();
  });

  it.each([
    ['a level more', nested(33), 'LIMIT_DEPTH'],
    ['objects as deep', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`, 'LIMIT_DEPTH'],
    ['a value more', JSON.stringify(Array(20_001).fill(null)), 'LIMIT_LIST'],
    ['as many keys', `{${Array.from({ length: 20_001 }, (_, index) => `"k${index}":1`).join(',')}}`, 'LIMIT_LIST'],
  ])('refuses %s', (_, text, code) => {
    expect(() => assertJsonLimits(text)).toThrow(
      expect.objectContaining({ extensions: { code, http: expect.anything() } }),
    );
  });

  it('counts nothing inside strings, whatever is escaped in them', () => {
    const brackets = '[{,'.repeat(20_001);
    expect(() => assertJsonLimits(JSON.stringify({ a: `\\"${brackets}\\\\"`, b: [`${brackets}\\`] }))).not.toThrow();
    expect(() => assertJsonLimits(`{"a": "\\\\", "b": ${nested(33)}}`)).toThrow(/nested/);
  });

  it('leaves what is no JSON to its parser', () => {
    for (const text of ['', '"', '"\\', ']]]]', '{"a', 'null']) expect(() => assertJsonLimits(text)).not.toThrow();
  });
});
