import { z } from 'zod';

import { advance, readWatermark } from '#connectors/kit/watermark.ts';
import type { PageSeen, Watermark } from '#connectors/kit/watermark.ts';

/** A search answers 1,000 rows at most; the next search then begins at the last change seen. */
const SEARCH_LIMIT = 1_000;

const counted = z.object({ rowCount: z.number().int() });

/** The run's watermark and how many rows its search gave so far. */
export function readListings(cursor: string | null): Watermark & { readonly rowCount: number } {
  return { ...readWatermark(cursor), rowCount: rowCountOf(cursor) };
}

function rowCountOf(cursor: string | null): number {
  try {
    return counted.parse(JSON.parse(cursor ?? '')).rowCount;
  } catch {
    return 0;
  }
}

export function advanceListings(
  cursor: string | null,
  page: PageSeen & { readonly rowCount: number },
  nowMs: number,
): { readonly cursor: string; readonly done: boolean } {
  const before = readListings(cursor);
  const rowCount = before.rowCount + page.rowCount;
  const next = advance(cursor, page, nowMs);
  const after = readWatermark(next.cursor);
  // Full and moved on: search again from there. Full of rows of one instant: more cannot be had.
  const isCut = next.done && rowCount >= SEARCH_LIMIT && after.since !== before.since;
  return { cursor: JSON.stringify({ ...after, rowCount: next.done ? 0 : rowCount }), done: next.done && !isCut };
}
