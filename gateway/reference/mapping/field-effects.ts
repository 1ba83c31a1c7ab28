import { isDeepStrictEqual } from 'node:util';

import {
  type Bench,
  type Finding,
  isIdle,
  type NamedPlace,
  NOTHING,
  noted,
  type PartPlace,
  runWith,
} from './finding.ts';
import { otherValues } from './other-values.ts';
import { absentIn, type Change } from './places.ts';

/** No vendor writes such a value. */
const WRONG_TYPE = { '\u0000': [[]] };

/** What a field does by itself, found at every place it stands. */
export function fieldEffect(group: readonly NamedPlace[], bench: Bench): Finding {
  let finding = NOTHING;
  const tryOut = (place: PartPlace, change: Change): void => {
    finding = noted(finding, bench, { change, after: runWith(bench, [[place, change]]) });
  };
  for (const [index, { place }] of group.entries()) {
    // What many guesses showed in the first rows is shown by one in the others.
    const guessCount = index < 2 ? Infinity : 1;
    const values = otherValues(place.value, { seen: bench.seenAt(place.path), guessCount });
    for (const value of values) tryOut(place, { kind: 'set', value });
    tryOut(place, { kind: 'remove' });
  }
  // Rows that have no such field may behave differently with one.
  for (const place of absentPlaces(group, bench)) {
    for (const value of new Set(bench.seenAt(place.path))) tryOut(place, { kind: 'set', value });
  }
  if (finding.checked || !isIdle(finding)) return finding;
  const wrong = { kind: 'set', value: WRONG_TYPE } as const;
  const isNoticed = group.some(({ place }) => !isDeepStrictEqual(runWith(bench, [[place, wrong]]), bench.base));
  return { ...finding, checked: isNoticed };
}

/** The places of a field in objects of the same kind that do not have it. */
function absentPlaces(group: readonly NamedPlace[], { all }: Bench): readonly PartPlace[] {
  const [first] = group;
  if (first === undefined || typeof first.place.name === 'number') return [];
  const having = new Set(group.map(({ place }) => place.owner));
  const alike = all.filter(({ name, place }) => name === first.name && place.holder === first.place.holder);
  const partOf = new Map(alike.map(({ place }) => [place.owner, place.part]));
  return [...partOf].flatMap(([owner, part]) => (having.has(owner) ? [] : [{ ...absentIn(owner, first.place), part }]));
}
