import { createHash } from 'node:crypto';

import type { ConsentEventRow } from './tables.ts';

/** What the first event of a subject names as its predecessor. */
export const GENESIS = '0'.repeat(64);

/**
 * The event's own words in one fixed form: keys sorted, no spaces, evidence as ciphertext, so that destroying a subject's
 * key leaves the chain verifiable.
 */
function canonicalJson(row: Omit<ConsentEventRow, 'hash'>): string {
  const entries = Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(entries));
}

/** SHA-256 (hex) over the event and, inside it, the hash of its predecessor. */
export function hashEvent(row: Omit<ConsentEventRow, 'hash'>): string {
  return createHash('sha256').update(canonicalJson(row)).digest('hex');
}
