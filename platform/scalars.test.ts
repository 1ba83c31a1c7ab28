import { Kind } from 'graphql';
import { describe, expect, it } from 'vitest';

import { scalarResolvers } from './scalars.ts';

const scalar = (name: string) => {
  const found = scalarResolvers[name];
  if (found === undefined) throw new Error(`no scalar ${name}`);
  return found;
};

describe('the scalars of the graph', () => {
  it.each([
    ['DateTime', '2026-11-23T07:00:00Z', '2026-11-23T07:00:00.000Z'],
    ['DateTime', '2026-11-23T07:00:00.123456+01:00', '2026-11-23T06:00:00.123Z'],
    ['Date', '2024-02-29', '2024-02-29'],
    ['Decimal', '12.50', '12.50'],
    ['Decimal', '-0.1', '-0.1'],
    [
      'Decimal',
      '123456789012345678901234567890.12345678901234567890',
      '123456789012345678901234567890.12345678901234567890',
    ],
    ['Currency', 'GBP', 'GBP'],
    ['Sku', '85123A', '85123A'],
    ['Sku', 'SKU 1/2-X', 'SKU 1/2-X'],
  ])('%s reads and writes %s as %s', (name, text, canonical) => {
    expect(scalar(name).parseValue(text)).toBe(canonical);
    expect(scalar(name).serialize(text)).toBe(canonical);
    expect(scalar(name).parseLiteral({ kind: Kind.STRING, value: text })).toBe(canonical);
  });

  it.each([
    ['DateTime', '2026-11-23'],
    ['DateTime', '2026-02-30T00:00:00Z'],
    ['DateTime', '2026-11-23T07:00:00'],
    ['DateTime', '2026-11-23T24:00:00Z'],
    ['DateTime', 1_700_000_000_000],
    ['DateTime', new Date(0)],
    ['Date', '2023-02-29'],
    ['Date', '2026-11-23T07:00:00Z'],
    ['Decimal', 12.5],
    ['Decimal', '1e3'],
    ['Decimal', '01'],
    ['Decimal', '.5'],
    ['Decimal', 'NaN'],
    ['Decimal', '12,50'],
    ['Currency', 'gbp'],
    ['Currency', 'GBPX'],
    ['Sku', ''],
    ['Sku', ' A'],
    ['Sku', 'A\n'],
    ['Sku', 'x'.repeat(65)],
    ['Sku', 5],
    ['Sku', null],
  ])('%s refuses %j in both directions and does not repeat it', (name, value) => {
    for (const convert of [scalar(name).parseValue, scalar(name).serialize]) {
      expect(() => convert(value)).toThrow(new RegExp(`^${name} expects [a-zA-Z0-9 ,()-]+\\.$`));
    }
  });

  it('takes no other literal than a text', () => {
    expect(() => scalar('Decimal').parseLiteral({ kind: Kind.FLOAT, value: '12.5' })).toThrow('Decimal expects');
  });
});
