// Where values stand in a document of JSON, named so that rows of a list share their names: `orders[].lines[].code`.

/** One value and where it stands; `write` puts another there, or takes it away, and gives back what undoes it. */
export interface Place {
  /** Names of list elements are `[]`; the document itself is the empty text. */
  readonly path: string;
  /** The path of what it is a part of. */
  readonly holder: string;
  /** What it is a part of. */
  readonly owner: object;
  /** Its name there; of list elements their index. */
  readonly name: string | number;
  readonly value: unknown;
  /** False: it holds places of its own. */
  readonly isLeaf: boolean;
  readonly write: (change: Change) => () => void;
}

export type Change = { readonly kind: 'set'; readonly value: unknown } | { readonly kind: 'remove' };

/** Keys that are data, not names of fields (`customers.{id}.name`). */
export type IsKey = (name: string) => boolean;

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Values in several parts that mean one thing, as Python systems write decimals and dates. */
export const isTagged = (value: unknown): value is Record<string, unknown> & { readonly __class__: unknown } =>
  isObject(value) && '__class__' in value;

/** Every place below the document, parents before their children. */
export function placesIn(document: unknown, isKey: IsKey = () => false, path = ''): readonly Place[] {
  if (Array.isArray(document)) {
    const list: unknown[] = document;
    return list.flatMap((value, index) => [
      placeOf({
        path: `${path}[]`,
        holder: path,
        owner: list,
        name: index,
        value,
        write: (change) => writeElement(list, index, change),
      }),
      ...inner(value, isKey, `${path}[]`),
    ]);
  }
  if (!isObject(document)) return [];
  return Object.entries(document).flatMap(([name, value]) => {
    const at = join(path, isKey(name) ? '{id}' : name);
    return [
      placeOf({
        path: at,
        holder: path,
        owner: document,
        name,
        value,
        write: (change) => writeField(document, name, change),
      }),
      ...inner(value, isKey, at),
    ];
  });
}

/** The place of the same field in an object that does not have it. */
export function absentIn(owner: object, place: Place): Place {
  const holder = owner as Record<string, unknown>;
  return { ...place, owner, value: undefined, write: (change) => writeField(holder, String(place.name), change) };
}

/** Whether `path` is a part of what stands at `whole`. */
export function isWithin(path: string, whole: string): boolean {
  return (
    path.length > whole.length &&
    path.startsWith(whole) &&
    (whole.endsWith('.') || '.['.includes(path.charAt(whole.length)))
  );
}

/** The name of a field of the value at `path`; names that end with a dot (Tryton's relations) bring their own. */
export function join(path: string, name: string): string {
  return path === '' || path.endsWith('.') ? path + name : `${path}.${name}`;
}

const inner = (value: unknown, isKey: IsKey, path: string): readonly Place[] =>
  isTagged(value) ? [] : placesIn(value, isKey, path);

function placeOf(place: Omit<Place, 'isLeaf'>): Place {
  const { value } = place;
  return { ...place, isLeaf: typeof value !== 'object' || value === null || isTagged(value) };
}

function writeField(holder: Record<string, unknown>, name: string, change: Change): () => void {
  const wasThere = Object.hasOwn(holder, name);
  const before = holder[name];
  if (change.kind === 'set') {
    holder[name] = change.value;
    return () => {
      if (wasThere) holder[name] = before;
      else delete holder[name];
    };
  }
  const whole = { ...holder };
  delete holder[name];
  return () => {
    // Put back in their order: an object keyed by ids is read in order.
    for (const key of Object.keys(holder)) delete holder[key];
    Object.assign(holder, whole);
  };
}

function writeElement(list: unknown[], index: number, change: Change): () => void {
  const before = list[index];
  list.splice(index, 1, ...(change.kind === 'set' ? [change.value] : []));
  return () => void list.splice(index, change.kind === 'set' ? 1 : 0, before);
}
