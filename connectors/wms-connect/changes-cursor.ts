import { z } from 'zod';

const changes = z.object({
  /** Null: the first run. */
  since: z.string().nullable(),
  /** When the run began, by our clock; null between runs. */
  startedAt: z.string().nullable(),
  /** What the WMS wants to be sent for the next page: a text or an object, opaque to us. */
  nextRequest: z.union([z.string(), z.record(z.string(), z.unknown())]).nullable(),
});
type Changes = z.infer<typeof changes>;

/** The WMS's clock and ours may differ by this much without a change being missed. */
const OVERLAP_MS = 60_000;
const START: Changes = { since: null, startedAt: null, nextRequest: null };

export function readChanges(cursor: string | null): Changes {
  try {
    return changes.parse(JSON.parse(cursor ?? ''));
  } catch {
    return START;
  }
}

/** The cursor after a page: the same run goes on while the WMS names a next request. */
export function advanceChanges(
  cursor: string | null,
  nextRequest: unknown,
  nowMs: number,
): { readonly cursor: string; readonly done: boolean } {
  const run = readChanges(cursor);
  const startedAt = run.startedAt ?? new Date(nowMs).toISOString();
  const next = changes.shape.nextRequest.safeParse(nextRequest);
  const hasNext = next.success && next.data !== null && next.data !== '' && Object.keys(next.data).length > 0;
  const after: Changes = hasNext
    ? { since: run.since, startedAt, nextRequest: next.data }
    : { since: new Date(Date.parse(startedAt) - OVERLAP_MS).toISOString(), startedAt: null, nextRequest: null };
  return { cursor: JSON.stringify(after), done: !hasNext };
}

/** The same run from its first page: what to go on with when the WMS no longer knows its own next request. */
export function restartChanges(cursor: string | null): string {
  return JSON.stringify({ ...START, since: readChanges(cursor).since });
}
