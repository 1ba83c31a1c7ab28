import { union } from './differences.ts';
import { type Bench, type Findings, keyOf, type NamedPlace, NOTHING, noted, type Outcome, runWith } from './finding.ts';
import { type Leaf, leavesOf } from './leaves.ts';
import { isWithin } from './places.ts';

/**
 * What it decides that something stands at a place at all, besides what its own fields decide: every object and list that
 * does, added to what was found of fields.
 */
export function placeEffects(fields: Findings, bench: Bench): Findings {
  const found = new Map(fields);
  const told = union([...fields.values()].map(({ decides }) => decides));
  const untold = new Map([...valuesOf(bench.base)].filter(([path, values]) => values.size > 1 && !told.has(path)));
  // Inner places first: what one of them decides is not told of all around it.
  for (const each of bench.all.toReversed()) {
    if (each.place.isLeaf) continue;
    const change = { kind: 'remove' } as const;
    const after = runWith(bench, [[each.place, change]]);
    const known = [...knownWithin(found, each)];
    const isKnown = (path: string): boolean =>
      known.some((other) => other === path || isWithin(other, path) || isWithin(path, other));
    const byPresence = [...noted(NOTHING, bench, { change, after }).decides].filter((path) => !isKnown(path));
    const byName = each.place.path.endsWith('[]') ? [] : decidedByName(untold, after);
    const decides = new Set([...byPresence, ...byName.filter((path) => !known.includes(path))]);
    if (decides.size > 0) found.set(keyOf(each), { ...NOTHING, decides });
  }
  return found;
}

/** What is known of everything within a place. */
function knownWithin(found: Findings, { name, place }: NamedPlace): ReadonlySet<string> {
  const within = [...found].filter(([key]) => {
    const [part, path = ''] = key.split('\n');
    return part === name && isWithin(path, place.path);
  });
  return union(within.map(([, { decides }]) => decides));
}

/**
 * What the name of a place decides that no value does: `hours.monday` is why a period has the weekday 1. Without the place
 * one of several values is gone, and no other.
 */
function decidedByName(untold: Values, after: Outcome | null): readonly string[] {
  if (after === null || untold.size === 0) return [];
  const rest = valuesOf(after);
  return [...untold].flatMap(([path, values]) => {
    const fewer = [...values].filter(([value, count]) => (rest.get(path)?.get(value) ?? 0) < count);
    return fewer.length === 1 ? [path] : [];
  });
}

type Values = ReadonlyMap<string, ReadonlyMap<Leaf, number>>;

/** How often each field has each value. */
function valuesOf({ lists }: Outcome): Values {
  const values = new Map<string, Map<Leaf, number>>();
  for (const [path, value] of lists.flat().flatMap((record) => leavesOf(record))) {
    const counts = values.get(path) ?? new Map<Leaf, number>();
    values.set(path, counts.set(value, (counts.get(value) ?? 0) + 1));
  }
  return values;
}
