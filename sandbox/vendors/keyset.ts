import { createHash } from 'node:crypto';

/** A row in a stable order: by `at` (milliseconds), then by `id`. */
export interface Keyed<V> {
  readonly at: number;
  readonly id: string;
  readonly value: V;
}

export interface Position {
  readonly at: number;
  readonly id: string;
}

export interface KeysetPage<V> {
  readonly values: readonly V[];
  /** Of the last row given; null: nothing follows. */
  readonly next: Position | null;
}

export type Direction = 'ASC' | 'DESC';

/** The rows sorted by (at, id). */
export function sortKeyed<V>(rows: readonly Keyed<V>[], direction: Direction = 'ASC'): readonly Keyed<V>[] {
  return rows.toSorted((a, b) => compare(a, b, direction));
}

/** The rows behind `after` (exclusive), at most `limit`; `rows` must be sorted in `direction`. */
export function pageAfter<V>(
  rows: readonly Keyed<V>[],
  after: Position | null,
  limit: number,
  direction: Direction = 'ASC',
): KeysetPage<V> {
  const start = after === null ? 0 : firstBehind(rows, after, direction);
  const page = rows.slice(start, start + limit);
  const last = page.at(-1);
  const next = last !== undefined && start + limit < rows.length ? { at: last.at, id: last.id } : null;
  return { values: page.map((row) => row.value), next };
}

/** An opaque cursor that works only for the query it was made for. `issuedAtMs` lets a vendor expire it. */
export function encodeCursor(position: Position, query: unknown, issuedAtMs = 0): string {
  return Buffer.from(JSON.stringify([fingerprint(query), position.at, position.id, issuedAtMs])).toString('base64url');
}

/** The position and age of a cursor; null when it is no cursor, or one of another query. */
export function decodeCursor(cursor: string, query: unknown): (Position & { readonly issuedAtMs: number }) | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (!Array.isArray(parts) || parts.length !== 4) return null;
    const [print, at, id, issuedAtMs] = parts as unknown[];
    if (print !== fingerprint(query) || typeof at !== 'number') return null;
    return typeof id === 'string' && typeof issuedAtMs === 'number' ? { at, id, issuedAtMs } : null;
  } catch {
    return null;
  }
}

function fingerprint(query: unknown): string {
  return createHash('sha256').update(JSON.stringify(query)).digest('base64url').slice(0, 12);
}

function compare(a: Position, b: Position, direction: Direction): number {
  const order = a.at - b.at || (a.id < b.id ? -1 : Number(a.id > b.id));
  return direction === 'ASC' ? order : -order;
}

function firstBehind(rows: readonly Position[], after: Position, direction: Direction): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(rows[middle] as Position, after, direction) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
