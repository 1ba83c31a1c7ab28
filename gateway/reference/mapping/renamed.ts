import { isObject } from './places.ts';

/**
 * An answer of a system that knows the things of `to` as it knew those of `from`: every text or number that stands in one is
 * replaced by what stands there in the other.
 */
export function renamed(answer: unknown, names: { readonly from: unknown; readonly to: unknown }): unknown {
  const pairs = new Map(pairsOf(names.from, names.to).filter(([before, after]) => before !== after));
  const rename = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rename);
    if (isObject(value))
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [textFor(name), rename(inner)]));
    if (typeof value === 'string') return textFor(value);
    return typeof value === 'number' ? Number(pairs.get(String(value)) ?? value) : value;
  };
  const textFor = (text: string): string => pairs.get(text) ?? text;
  return pairs.size === 0 ? answer : rename(answer);
}

function pairsOf(from: unknown, to: unknown): readonly (readonly [before: string, after: string])[] {
  if (typeof from === 'string' && typeof to === 'string') return [[from, to]];
  if (Array.isArray(from) && Array.isArray(to)) return from.flatMap((value, index) => pairsOf(value, to[index]));
  if (isObject(from) && isObject(to)) return Object.entries(from).flatMap(([name, value]) => pairsOf(value, to[name]));
  return [];
}
