import { isObject, isTagged, type IsKey, join, placesIn } from './places.ts';

/** What a function asked of documents. */
export interface Reads {
  /** Fields it asked for, there or not. */
  readonly asked: ReadonlySet<string>;
  /** Fields it asked for by their names: not because it looked at all there were. */
  readonly named: ReadonlySet<string>;
  /** Fields it asked for that no document has, or null everywhere: nothing can be said of them. */
  readonly missing: readonly string[];
}

/** Runs a function over copies of documents that tell what is asked of them. */
export function readsOf(
  documents: readonly unknown[],
  run: (copies: readonly unknown[]) => unknown,
  isKey: IsKey = () => false,
): Reads {
  const asked = new Map<string, Set<string>>();
  const nameOf = (name: string): string => (isKey(name) ? '{id}' : name);
  const tell = (path: string, name: string): void =>
    void asked.set(path, (asked.get(path) ?? new Set()).add(nameOf(name)));
  run(documents.map((document) => watched(document, { tell, nameOf }, '')));
  const places = documents.flatMap((document) => placesIn(document, isKey));
  const shown = new Set(places.flatMap(({ path, value }) => (value === null ? [] : [path])));
  const pathsOf = ([path, names]: readonly [string, ReadonlySet<string>]): readonly string[] =>
    [...names].map((name) => join(path, name));
  const all = [...asked].flatMap(pathsOf);
  const named = [...asked].flatMap((entry) => {
    const paths = pathsOf(entry);
    const present = new Set(places.flatMap(({ holder, path }) => (holder === entry[0] ? [path] : [])));
    return present.size > 1 && present.isSubsetOf(new Set(paths)) ? [] : paths;
  });
  return { asked: new Set(all), named: new Set(named), missing: all.filter((path) => !shown.has(path)) };
}

interface Watch {
  readonly tell: (path: string, name: string) => void;
  readonly nameOf: (name: string) => string;
}

function watched(document: unknown, watch: Watch, path: string): unknown {
  if (Array.isArray(document)) return document.map((value: unknown) => watched(value, watch, `${path}[]`));
  if (!isObject(document) || isTagged(document)) return document;
  const entries = Object.entries(document);
  const copy = Object.fromEntries(
    entries.map(([name, value]) => [name, watched(value, watch, join(path, watch.nameOf(name)))]),
  );
  return new Proxy(copy, {
    get: (target, name, receiver): unknown => {
      // What every object has (`constructor`) is no field of a vendor's.
      if (typeof name === 'string' && (Object.hasOwn(target, name) || !(name in target))) watch.tell(path, name);
      return Reflect.get(target, name, receiver);
    },
  });
}
