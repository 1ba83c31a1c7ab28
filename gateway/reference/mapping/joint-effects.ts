import { union } from './differences.ts';
import { type Bench, type Findings, keyOf, type NamedPlace, NOTHING, noted, runWith } from './finding.ts';
import { otherValues } from './other-values.ts';

/**
 * What a field decides only together with one beside it: a text message goes to a number, not to an address. Values are those
 * the example has; what the other field decides by itself is not counted.
 */
export function effectBeside(group: readonly NamedPlace[], found: Findings, bench: Bench): ReadonlySet<string> {
  const decides = new Set<string>();
  for (const { name, place } of group) {
    const beside = bench.all.filter((other) => other.place.owner === place.owner && other.place !== place);
    for (const other of beside.filter((each) => each.place.isLeaf)) {
      const own = found.get(keyOf({ name, place: other.place })) ?? NOTHING;
      for (const path of decidedByPair(place, other.place, bench)) if (!own.decides.has(path)) decides.add(path);
    }
  }
  return decides;
}

function decidedByPair(place: NamedPlace['place'], other: NamedPlace['place'], bench: Bench): ReadonlySet<string> {
  const othersSeen = ({ path, value }: NamedPlace['place']): readonly unknown[] =>
    [...new Set(bench.seenAt(path))].filter((seen) => seen !== value);
  const pairs = othersSeen(place).flatMap((first) => othersSeen(other).map((second) => [first, second] as const));
  return union(
    pairs.map(([first, second]) => {
      const change = { kind: 'set', value: first } as const;
      const after = runWith(bench, [
        [place, change],
        [other, { kind: 'set', value: second }],
      ]);
      return noted(NOTHING, bench, { change, after }).decides;
    }),
  );
}

/** What fields decide only when all that have one value change: the currency of an amount that is a sum. */
export function effectsInUnison(found: Findings, bench: Bench): ReadonlyMap<string, ReadonlySet<string>> {
  const told = union([...found.values()].map(({ decides }) => decides));
  const texts = bench.all.filter(({ place: { isLeaf, value } }) => isLeaf && typeof value === 'string' && value !== '');
  const groups = [...Map.groupBy(texts, ({ place }) => `${place.part}\n${String(place.value)}`).values()];
  const decided = new Map<string, ReadonlySet<string>>();
  for (const group of groups) {
    if (new Set(group.map(({ place }) => place.path)).size < 2) continue;
    const outcomes = otherValues(group[0]?.place.value, { seen: [], guessCount: Infinity }).map((value) => {
      const change = { kind: 'set', value } as const;
      const after = runWith(
        bench,
        group.map(({ place }) => [place, change]),
      );
      return noted(NOTHING, bench, { change, after }).decides;
    });
    const together = new Set([...union(outcomes)].filter((path) => !told.has(path)));
    if (together.size > 0) for (const each of group) decided.set(keyOf(each), together);
  }
  return decided;
}
