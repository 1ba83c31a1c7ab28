// The world's own randomness: the same (seed, label) gives the same numbers on every machine and in every version of
// Node. Each part of the world has its own label, so that one more draw in one part leaves the others as they were.

/** A seeded stream of draws; every draw moves it on. */
export interface Random {
  /** 0 (inclusive) .. 1 (exclusive). */
  readonly ratio: () => number;
  /** A whole number from `low` to `high`, both included. */
  readonly between: (low: number, high: number) => number;
  readonly chance: (ratio: number) => boolean;
  /** @throws {RangeError} when there is nothing to pick from. */
  readonly pick: <V>(values: readonly V[]) => V;
  /** Picks by weight: `[['a', 3], ['b', 1]]` gives `a` three times out of four. */
  readonly weighted: <V>(values: readonly (readonly [V, number])[]) => V;
  /** A version 4 UUID in lower case. */
  readonly uuid: () => string;
  /** Letters and digits, for ids that only have to look right. */
  readonly text: (length: number, alphabet?: string) => string;
}

const CAPITALS_AND_DIGITS = 'ABCDEFGHJKMNPQRSTVWXYZ0123456789';

/** @example createRandom(1, 'people').between(1, 6) */
export function createRandom(seed: number, label: string): Random {
  let state = hash(`${seed}\n${label}`);
  const ratio = () => {
    // mulberry32: 32 bits of state are plenty here, and it is four lines.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low: number, high: number) => low + Math.floor(ratio() * (high - low + 1));
  const text = (length: number, alphabet = CAPITALS_AND_DIGITS) =>
    Array.from({ length }, () => alphabet[between(0, alphabet.length - 1)]).join('');
  return {
    ratio,
    between,
    chance: (limit) => ratio() < limit,
    pick: (values) => pickAt(values, between(0, values.length - 1)),
    weighted: (values) => pickWeighted(values, ratio()),
    uuid: () => toUuid(text(32, '0123456789abcdef')),
    text,
  };
}

/**
 * A permutation of 0 .. size-1 as a function: different inputs give different outputs, so what is made from them is
 * unique. `size` must share no factor with the odd multiplier (powers of 2 and 10 do not).
 */
export function createPermutation(seed: number, label: string, size: number): (index: number) => number {
  const offset = hash(`${seed}\n${label}`) >>> 0;
  const factor = 2_654_435_761n;
  return (index) => Number((BigInt(index) * factor + BigInt(offset)) % BigInt(size));
}

function pickAt<V>(values: readonly V[], index: number): V {
  if (values.length === 0) throw new RangeError('nothing to pick from');
  // The index is within the list.
  return values[index] as V;
}

function pickWeighted<V>(values: readonly (readonly [V, number])[], ratio: number): V {
  let left = ratio * values.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of values) {
    left -= weight;
    if (left < 0) return value;
  }
  return pickAt(values, values.length - 1)[0];
}

function toUuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value;
}
