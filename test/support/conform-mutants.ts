// Answers whose parts have the wrong type: a connector must refuse or leave out what it cannot read, never pass it on.

const WRONG: readonly unknown[] = [null, 42, 'x', true, [], {}, [[]], { __proto__: null }];
/** Mutants of one answer: enough to reach every field of its first rows. */
const MOST = 240;

type Path = readonly (string | number)[];

/** Answers that differ from a good one (its lists cut to two elements) in one place, where the value has another type. */
export function mutantsOf(answer: unknown): readonly unknown[] {
  const good = shortened(answer);
  const paths = [...pathsOf(good, [])];
  const every = Math.max(1, Math.ceil((paths.length * 2) / MOST));
  return paths
    .filter((_, index) => index % every === 0)
    .flatMap((path, index) => {
      const here = kindOf(at(good, path));
      const others = WRONG.filter((value) => kindOf(value) !== here);
      return [others[index % others.length], others[(index + 3) % others.length]].map((value) =>
        put(good, path, value),
      );
    });
}

/** Only the first two elements of lists: the others are alike. */
function shortened(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 2).map(shortened);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, shortened(entry)]));
}

function* pathsOf(value: unknown, path: Path): Generator<Path> {
  yield path;
  if (Array.isArray(value)) {
    for (const [index, entry] of value.entries()) yield* pathsOf(entry, [...path, index]);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, entry] of Object.entries(value)) yield* pathsOf(entry, [...path, name]);
  }
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((part, name) => (part as Record<string | number, unknown>)[name], value);
}

function put(value: unknown, path: Path, replacement: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return replacement;
  if (Array.isArray(value))
    return value.map((entry, index) => (index === name ? put(entry, rest, replacement) : entry));
  const entries = Object.entries(value as object);
  return Object.fromEntries(entries.map(([key, entry]) => [key, key === name ? put(entry, rest, replacement) : entry]));
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/**
 * Places where a record has another type than a good record of the same port: wrong types that got through. A null on
 * either side is no difference.
 */
export function typeDifferences(good: unknown, other: unknown, path = ''): readonly string[] {
  const [wanted, found] = [kindOf(good), kindOf(other)];
  if (wanted === 'null' || found === 'null') return [];
  if (wanted !== found) return [`${path}: ${found} instead of ${wanted}`];
  if (Array.isArray(good) && Array.isArray(other)) {
    return good.length === 0
      ? []
      : other.flatMap((entry, index) => typeDifferences(good[0], entry, `${path}.${index}`));
  }
  if (wanted !== 'object') return [];
  const [left, right] = [good as Record<string, unknown>, other as Record<string, unknown>];
  return Object.keys(right).flatMap((name) => typeDifferences(left[name], right[name], `${path}.${name}`));
}
