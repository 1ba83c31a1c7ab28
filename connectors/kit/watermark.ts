import { z } from 'zod';

// Feeds that ask "what changed since": one cursor shape for all of them, as JSON text without personal data.

const watermark = z.object({
  /** The run asks for changes after this instant; null: everything. */
  since: z.string().nullable(),
  /** When the run began, by our clock. */
  startedAt: z.string().nullable(),
  /** The latest change seen in the run. */
  seen: z.string().nullable(),
  /** The vendor's token of the next page; null: the run begins. */
  token: z.string().nullable(),
});
export type Watermark = z.infer<typeof watermark>;

/** Changes younger than this are asked for again in the next run: a source may commit them out of order. */
const SETTLE_MS = 5_000;

const START: Watermark = { since: null, startedAt: null, seen: null, token: null };

/** The stored cursor, or the start when there is none or it cannot be read. */
export function readWatermark(cursor: string | null): Watermark {
  if (cursor === null) return START;
  try {
    return watermark.parse(JSON.parse(cursor));
  } catch {
    return START;
  }
}

/** The same run without its page token: what to go on with when the token expired. */
export function restartRun(cursor: string | null): string {
  const { since } = readWatermark(cursor);
  return JSON.stringify({ ...START, since });
}

export interface PageSeen {
  /** The instants of the page's rows, in any order. */
  readonly changedAt: readonly (string | null)[];
  /** The vendor's token of the next page; null: this was the last. */
  readonly token: string | null;
}

/**
 * The cursor after a page. A finished run goes on after the latest change it saw, but never after its own start (rows that
 * changed meanwhile may lie on pages already read) and never before where it began.
 */
export function advance(
  cursor: string | null,
  page: PageSeen,
  nowMs: number,
): { readonly cursor: string; readonly done: boolean } {
  const run = readWatermark(cursor);
  const startedAt = run.startedAt ?? new Date(nowMs).toISOString();
  const seen = latest([run.seen, ...page.changedAt]);
  if (page.token !== null) {
    return { cursor: JSON.stringify({ since: run.since, startedAt, seen, token: page.token }), done: false };
  }
  const settled = new Date(Date.parse(startedAt) - SETTLE_MS).toISOString();
  const since = latest([run.since, seen !== null && seen < settled ? seen : seen === null ? null : settled]);
  return { cursor: JSON.stringify({ ...START, since }), done: true };
}

function latest(instants: readonly (string | null)[]): string | null {
  return instants
    .filter((instant) => instant !== null)
    .reduce<string | null>(
      (most, instant) => (most === null || Date.parse(instant) > Date.parse(most) ? instant : most),
      null,
    );
}
