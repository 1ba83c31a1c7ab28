/** One object of the answer while it is put together. Inherits nothing, so `__proto__` and `constructor` are plain keys. */
export type Row = Record<string, unknown>;

// Object.create(null) would make a hash table of each row, which is slow to read; a constructor makes fast objects.
const NullPrototype = function NullPrototype() {} as unknown as new () => Row;
NullPrototype.prototype = Object.create(null) as object;

/** An empty row. */
export function createRow(): Row {
  return new NullPrototype();
}

/** Anything with keys; lists and scalars are not. */
export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What an object of unknown origin holds itself under the key; undefined for what it only inherits. */
export function ownValue(source: object, key: string): unknown {
  const value: unknown = (source as Row)[key];
  // Nearly every key is one that no object inherits; asking each object costs more than reading it.
  return key in Object.prototype && !Object.hasOwn(source, key) ? undefined : value;
}
