import { isDeepStrictEqual } from 'node:util';

import { differences, unequal, union } from './differences.ts';
import type { Change, Place } from './places.ts';

/** What a run made. Records of different lists are never compared with each other. */
export interface Outcome {
  /** Records; without one of the first list there is no record at all. */
  readonly lists: readonly (readonly unknown[])[];
  /** Records that could not be read. */
  readonly unreadable: number;
  /** Anything else it decided: what to ask for next. */
  readonly next: unknown;
}

/** A place of one part of the example. */
export type PartPlace = Place & { readonly part: number };

export interface NamedPlace {
  /** What the part is an example of. */
  readonly name: string;
  readonly place: PartPlace;
}

/** What was found of one field so far. */
export interface Finding {
  readonly decides: ReadonlySet<string>;
  readonly selects: boolean;
  readonly required: boolean;
  readonly leads: boolean;
  readonly checked: boolean;
}
export type Findings = ReadonlyMap<string, Finding>;

export const NOTHING: Finding = { decides: new Set(), selects: false, required: false, leads: false, checked: false };

export const keyOf = ({ name, place }: NamedPlace): string => `${name}\n${place.path}`;

export const isIdle = ({ selects, leads, decides }: Finding): boolean => !selects && !leads && decides.size === 0;

/** The example, and how to run over it. */
export interface Bench {
  readonly base: Outcome;
  readonly run: (changed?: number) => Outcome | null;
  readonly all: readonly NamedPlace[];
  /** Values the field of this path has anywhere in the example. */
  readonly seenAt: (path: string) => readonly unknown[];
}

/** What a run makes with changes at places of one part, which are taken back. */
export function runWith({ run }: Bench, changes: readonly (readonly [PartPlace, Change])[]): Outcome | null {
  const undo = changes.map(([place, change]) => place.write(change));
  try {
    return run(changes[0]?.[0].part);
  } finally {
    for (const each of undo.toReversed()) each();
  }
}

/** A finding with what one change showed. */
export function noted(finding: Finding, { base }: Bench, seen: { change: Change; after: Outcome | null }): Finding {
  const { change, after } = seen;
  const isRemoved = change.kind === 'remove';
  if (after === null || after.unreadable > base.unreadable) {
    return { ...finding, checked: true, required: finding.required || isRemoved };
  }
  let { selects, required } = finding;
  const decides = new Set(finding.decides);
  for (const [index, before] of base.lists.entries()) {
    const [gone, come] = unequal(before, after.lists[index] ?? []);
    if (gone.length === come.length) {
      for (const path of union(gone.map((record, at) => differences(record, come[at])))) decides.add(path);
    } else if (isRemoved && index === 0 && gone.length > come.length) required = true;
    else selects = true;
  }
  return { ...finding, decides, selects, required, leads: finding.leads || !isDeepStrictEqual(after.next, base.next) };
}
