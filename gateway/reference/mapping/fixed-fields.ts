import { type Leaf, leavesOf } from './leaves.ts';
import { isWithin } from './places.ts';

/** A canonical field that has the same value in every record, whatever the vendor says. */
export interface FixedField {
  readonly path: string;
  /** Null: nothing is told. */
  readonly value: Leaf;
}

/** What the kit adds to every record by itself. */
const OF_THE_KIT =
  /^(?:buyer\.)?(?:system|provenance\.(?:observedAt|lane|stale|degraded|inputs.*|source\.(?:system|connector)))$/;

/** @throws {Error} for a field that differs between records though nothing is known to decide it */
export function fixedFields(records: readonly unknown[], decided: readonly string[]): readonly FixedField[] {
  const values = new Map<string, Set<Leaf>>();
  for (const record of records) {
    for (const [path, value] of leavesOf(record)) values.set(path, (values.get(path) ?? new Set()).add(value));
  }
  const isDecided = (path: string): boolean =>
    decided.some((other) => other === path || isWithin(other, path) || isWithin(path, other));
  return [...values].flatMap(([path, all]): readonly FixedField[] => {
    if (isDecided(path) || OF_THE_KIT.test(path)) return [];
    const [value = null, ...others] = all;
    if (others.length > 0) throw new Error(`${path} differs between records, and nothing was seen to decide it`);
    return [{ path, value }];
  });
}
