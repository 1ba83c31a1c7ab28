import { createHash } from 'node:crypto';
import { z } from 'zod';

import type { SubgraphResult } from '#platform/subgraph.ts';

type Notices = Pick<SubgraphResult, 'refusals' | 'degraded'>;

/** Where our own subgraphs put them in an answer's `extensions`. */
export const NOTICES_KEY = 'mortar';

export const NO_NOTICES: Notices = { refusals: [], degraded: [] };

const path = z.array(z.union([z.string(), z.int().nonnegative()]));
const name = z.string().max(500);
const wireNotices = z.object({
  refusals: z.array(
    z.object({
      coordinate: name,
      purpose: name.nullable(),
      reason: z.enum(['CONSENT_REQUIRED', 'PURPOSE_NOT_ALLOWED', 'RESTRICTED', 'LEDGER_UNAVAILABLE']),
      rowKey: name,
      path,
    }),
  ),
  degraded: z.array(
    z.object({
      system: name,
      lane: z.enum(['REALTIME', 'NEAR_REALTIME', 'DERIVED']),
      asOf: name.nullable(),
      stale: z.boolean(),
      degraded: z.boolean(),
      path,
    }),
  ),
});

/**
 * The notices of a fetch as they travel; null: there are none. Row keys name persons, so only their hashes leave the
 * process: rows can still be told apart and counted.
 */
export function writeNotices({ refusals, degraded }: Notices): Notices | null {
  if (refusals.length + degraded.length === 0) return null;
  const hashed = refusals.map((refusal) => ({ ...refusal, rowKey: hashOf(refusal.rowKey) }));
  return { refusals: hashed, degraded };
}

function hashOf(rowKey: string): string {
  return createHash('sha256').update(rowKey).digest('base64url').slice(0, 22);
}

/** @throws {Error} when they do not fit: an answer whose refusals cannot be told is no answer */
export function readNotices(value: unknown): Notices {
  return value === undefined ? NO_NOTICES : wireNotices.parse(value);
}
