import { upstreamError } from '#connectors/kit/failure.ts';
import { advance, readWatermark } from '#connectors/kit/watermark.ts';

import { lastIdOf } from './rpc.ts';
import type { Domain, Records } from './rpc.ts';
import { toInstant } from './values.ts';

/** Records a page of a feed holds. */
export const PAGE_SIZE = 200;
/** A record's change has the instant its transaction began, and is seen when it ends: at most this much later. */
const LATE_MS = 60_000;
/** Changes older than this when a run begins were all committed, whatever the two clocks say. */
const SETTLED_MS = 10 * LATE_MS;

/**
 * The conditions of a page: records that changed after the cursor's watermark, by rising id. `instants` are the fields that
 * tell a change; a record that was never changed has only `create_date`.
 */
export function changedSince(cursor: string | null, instants: readonly string[]): Domain {
  const { since, token } = readWatermark(cursor);
  const from = since === null ? null : toInstant(since);
  const changed = from === null ? [] : [['OR', ...instants.map((field) => [field, '>', from])]];
  const after = token !== null && /^\d{1,10}$/.test(token) ? [['id', '>', Number(token)]] : [];
  return [...changed, ...after];
}

/**
 * The cursor after a page. The watermark stays a minute behind a fresh change, for others of that minute may not be
 * committed yet; it is Tryton's own clock that counts, so that the two need not agree.
 *
 * @throws {MortarError} UPSTREAM_CONTRACT for a full page without a single id: the next one cannot be asked for
 */
export function advanceChanges(
  cursor: string | null,
  page: { readonly rows: Records; readonly changedAt: readonly (string | null)[] },
  nowMs: number,
): { readonly cursor: string; readonly done: boolean } {
  const isFull = page.rows.length >= PAGE_SIZE;
  const last = lastIdOf(page.rows);
  if (isFull && last === null) throw upstreamError('UPSTREAM_CONTRACT', { message: 'A page names no record.' });
  const startedAtMs = Date.parse(readWatermark(cursor).startedAt ?? '');
  const beganMs = Number.isNaN(startedAtMs) ? nowMs : startedAtMs;
  const changedAt = page.changedAt.map((at) => (at === null ? null : settled(at, beganMs)));
  return advance(cursor, { changedAt, token: isFull ? String(last) : null }, nowMs);
}

function settled(changedAt: string, beganMs: number): string {
  const atMs = Date.parse(changedAt);
  return beganMs - atMs > SETTLED_MS ? changedAt : new Date(atMs - LATE_MS).toISOString();
}
