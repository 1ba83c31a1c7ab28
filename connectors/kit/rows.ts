import { z } from 'zod';

import type { MortarError } from '#platform/errors.ts';

import type { DraftChange } from './definition.ts';
import { upstreamError } from './failure.ts';
import { placesOf } from './response.ts';
import { unitsOf } from './text.ts';

/** A list whose elements are checked one by one, so that one bad row does not spoil the others. */
export const rows = z.array(z.unknown());

/** A whole number of units of stock, however absurd: see `unitsOf`. */
export const units = z
  .number()
  .refine(Number.isInteger)
  .transform((value) => unitsOf(value) ?? 0);

/** One row in its shape, or why not (places only, never values). */
export function readRow<T>(schema: z.ZodType<T>, row: unknown): T | MortarError {
  const result = schema.safeParse(row);
  if (result.success) return result.data;
  return upstreamError('UPSTREAM_CONTRACT', { message: `A row has an unexpected shape at ${placesOf(result.error)}.` });
}

/** A page with more faults than this is not what was promised; each costs some microseconds to find. */
const MOST_FAULTS = 1_000;

/**
 * Rows decoded one by one: the good ones, and how many could not be read.
 * @throws {MortarError} UPSTREAM_CONTRACT when there are more than 1,000 faults in them
 */
export function readRows<T, D>(
  schema: z.ZodType<T>,
  list: readonly unknown[],
  decode: (row: T) => D,
): { readonly values: readonly D[]; readonly rejected: number } {
  const values: D[] = [];
  let [rejected, faults] = [0, 0];
  for (const row of list) {
    const read = schema.safeParse(row);
    if (read.success) {
      values.push(decode(read.data));
      continue;
    }
    rejected += 1;
    faults += read.error.issues.length;
    if (faults > MOST_FAULTS) {
      throw upstreamError('UPSTREAM_CONTRACT', { message: `More than ${MOST_FAULTS} faults in the rows of one page.` });
    }
  }
  return { values, rejected };
}

/** Values as feed changes. */
export function upserts<D>(values: readonly D[]): readonly DraftChange<D>[] {
  return values.map((value) => ({ kind: 'upsert', value }));
}

/** A one-row-a-key answer as the map a batch read gives. */
export function byKey<D>(
  read: { readonly values: readonly D[]; readonly rejected: number },
  keyOf: (value: D) => string | null,
): { readonly values: ReadonlyMap<string, D>; readonly rejected: number } {
  const entries = read.values.flatMap((value): (readonly [string, D])[] => {
    const key = keyOf(value);
    return key === null ? [] : [[key, value]];
  });
  return { values: new Map(entries), rejected: read.rejected };
}

/**
 * Whether everything said of a key could be read, by the field that names it. A row that cannot be read spoils its key:
 * half of what a system said of an item is a wrong figure. One whose key cannot be read either spoils them all.
 */
export function wholeKeys<T>(schema: z.ZodType<T>, list: readonly unknown[], field: string): (key: string) => boolean {
  const spoiled = new Set<string>();
  let [isAnySpoiled, faults] = [false, 0];
  for (const row of list) {
    const read = schema.safeParse(row);
    if (read.success) continue;
    faults += read.error.issues.length;
    if (faults > MOST_FAULTS) return () => false;
    const key =
      typeof row === 'object' && row !== null ? Object.entries(row).find(([name]) => name === field)?.[1] : null;
    if (typeof key === 'string' || typeof key === 'number') spoiled.add(String(key));
    else isAnySpoiled = true;
  }
  return (key) => !isAnySpoiled && !spoiled.has(key);
}
