import { isObject, join } from './places.ts';

export type Leaf = string | number | boolean | null;

/** Every value of a record with its name; an empty list is a null element. */
export function leavesOf(value: unknown, path = ''): readonly (readonly [path: string, value: Leaf])[] {
  if (Array.isArray(value)) {
    const list: unknown[] = value;
    return list.length === 0 ? [[`${path}[]`, null]] : list.flatMap((element) => leavesOf(element, `${path}[]`));
  }
  if (isObject(value)) return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, join(path, name)));
  return [[path, value as Leaf]];
}
