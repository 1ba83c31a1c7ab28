import { isDeepStrictEqual } from 'node:util';

import { isObject, isWithin, join } from './places.ts';

/**
 * Where two values differ, by the names of places.ts. Elements of lists that are equal belong together wherever they stand,
 * so that a list sorted anew is no change of its elements. A value that came or went as a whole is named, not its parts.
 */
export function differences(before: unknown, after: unknown, path = ''): ReadonlySet<string> {
  if (Object.is(before, after)) return new Set();
  if (Array.isArray(before) && Array.isArray(after)) return differencesOfLists(before, after, `${path}[]`);
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return union([...names].map((name) => differences(before[name], after[name], join(path, name))));
  }
  return isDeepStrictEqual(before, after) ? new Set() : new Set([path]);
}

/** What of two lists is not in both, each side in its order. */
export function unequal<T>(
  before: readonly T[],
  after: readonly T[],
): readonly [gone: readonly T[], come: readonly T[]] {
  const come = [...after];
  const gone = before.filter((value) => {
    const found = come.findIndex((other) => isDeepStrictEqual(value, other));
    if (found !== -1) come.splice(found, 1);
    return found === -1;
  });
  return [gone, come];
}

/** The most precise names: one that holds another of them says less. */
export function precise(paths: Iterable<string>): readonly string[] {
  const all = [...new Set(paths)];
  return all.filter((path) => !all.some((other) => isWithin(other, path)));
}

export function union<T>(sets: Iterable<Iterable<T>>): ReadonlySet<T> {
  const all = new Set<T>();
  for (const set of sets) for (const value of set) all.add(value);
  return all;
}

function differencesOfLists(before: readonly unknown[], after: readonly unknown[], path: string): ReadonlySet<string> {
  const [gone, come] = unequal(before, after);
  if (gone.length !== come.length) return new Set([path]);
  return union(gone.map((value, index) => differences(value, come[index], path)));
}
