import { precise, union } from './differences.ts';
import { fieldEffect } from './field-effects.ts';
import { type Bench, type Finding, isIdle, keyOf, NOTHING, type Outcome } from './finding.ts';
import { effectBeside, effectsInUnison } from './joint-effects.ts';
import { placeEffects } from './place-effects.ts';
import { type IsKey, placesIn } from './places.ts';

// Finds out what decides what: a pure function is run on an example again and again, each time with something of it changed.

export interface Part {
  /** What the part is an example of: parts of one name have one list of effects. */
  readonly name: string;
  /** Changed and put back while the probe runs. */
  readonly document: unknown;
}

export interface ProbeOptions {
  readonly parts: readonly Part[];
  /**
   * Runs the function over the parts as they are now; null: refused as a whole. Only the part of this index is not as it was
   * in the first run; absent: none is.
   */
  readonly run: (changed?: number) => Outcome | null;
  readonly isKey?: IsKey;
  /** False: nobody asks for the field, so that it can decide nothing. @default all are asked for */
  readonly isAsked?: (path: string) => boolean;
  /** Values the same field has elsewhere are tried too. @default true */
  readonly mixes?: boolean;
}

/** What one field, or something standing at a place, does. */
export interface Effect {
  readonly part: string;
  readonly path: string;
  /** The path of what it is a part of. */
  readonly holder: string;
  /** Fields of the records, in alphabetical order. */
  readonly decides: readonly string[];
  /** Its value decides whether there is a record. */
  readonly selects: boolean;
  /** Without it there is no record. */
  readonly required: boolean;
  /** It decides what is asked for next. */
  readonly leads: boolean;
  /** Some values of it are refused; false and nothing else: it was not seen to be read. */
  readonly checked: boolean;
}

/**
 * The effects of every field of the parts, and of places whose presence alone decides something, in the order they stand.
 *
 * @throws {Error} when the parts as they are are refused
 */
export function probe({ parts, run, isKey, isAsked = () => true, mixes = true }: ProbeOptions): readonly Effect[] {
  const base = run();
  if (base === null) throw new Error('the example itself is refused');
  const all = parts.flatMap(({ name, document }, part) =>
    placesIn(document, isKey).map((place) => ({ name, place: { ...place, part } })),
  );
  const seen = Map.groupBy(mixes ? all : [], ({ place }) => place.path);
  const bench: Bench = { base, run, all, seenAt: (path) => (seen.get(path) ?? []).map(({ place }) => place.value) };
  const leaves = Map.groupBy(
    all.filter(({ place }) => place.isLeaf),
    keyOf,
  );
  const found = new Map<string, Finding>();
  for (const [key, group] of leaves) {
    const isRead = group.some(({ place }) => isAsked(place.path));
    found.set(key, isRead ? fieldEffect(group, bench) : NOTHING);
  }
  for (const [key, group] of leaves) {
    const finding = found.get(key) ?? NOTHING;
    if (isIdle(finding) && finding.checked) found.set(key, { ...finding, decides: effectBeside(group, found, bench) });
  }
  for (const [key, together] of effectsInUnison(found, bench)) {
    const finding = found.get(key) ?? NOTHING;
    found.set(key, { ...finding, decides: union([finding.decides, together]) });
  }
  const complete = placeEffects(found, bench);
  const order = new Map(all.map((each) => [keyOf(each), each]));
  return [...order].flatMap(([key, { name, place }]): readonly Effect[] => {
    const finding = complete.get(key);
    if (finding === undefined) return [];
    return [
      { ...finding, part: name, path: place.path, holder: place.holder, decides: precise(finding.decides).toSorted() },
    ];
  });
}
