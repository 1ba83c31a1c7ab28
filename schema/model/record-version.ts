import type { Provenance } from './figures.ts';

/** The version of a record as its source states it. `as_of` is ISO 8601; `sequence` counts only when it is a whole number. */
export interface RecordVersion {
  readonly as_of: string | null;
  readonly sequence: string | null;
}

/** Whether `incoming` is an earlier version than `stored`: the source's own sequence decides, else its time. Unknown: no. */
export function isOlder(incoming: RecordVersion, stored: RecordVersion): boolean {
  const sequences = [wholeNumber(incoming.sequence), wholeNumber(stored.sequence)] as const;
  if (sequences[0] !== null && sequences[1] !== null && sequences[0] !== sequences[1]) {
    return sequences[0] < sequences[1];
  }
  return incoming.as_of !== null && stored.as_of !== null && Date.parse(incoming.as_of) < Date.parse(stored.as_of);
}

/** The version a record carries. */
export function versionOf({ provenance }: { readonly provenance: Provenance }): RecordVersion {
  return { as_of: provenance.asOf, sequence: provenance.source?.sequence ?? null };
}

/** Whether the two are known to be one version. */
export function isSameVersion(incoming: RecordVersion, stored: RecordVersion): boolean {
  const isKnown = incoming.as_of !== null || incoming.sequence !== null;
  return isKnown && incoming.as_of === stored.as_of && incoming.sequence === stored.sequence;
}

function wholeNumber(text: string | null): bigint | null {
  return text !== null && /^\d{1,30}$/.test(text) ? BigInt(text) : null;
}
