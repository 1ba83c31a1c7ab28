import type { Kysely, Transaction } from 'kysely';

import type { FeedPage, FeedSource } from '#schema/model/sources.ts';
import type { Clock } from './clock.ts';
import type { Database, Migration } from './database.ts';
import { assertHeld, type FeedName } from './feed-leases.ts';

interface FeedCursorTables {
  feed_cursor: {
    system: string;
    feed: string;
    cursor: string | null;
    loaded: number;
    updated_at_ms: number;
    /** When the feed last came to its end; null: never. */
    completed_at_ms: number | null;
    /** Rows of all pages that could not be read. */
    left_out: number;
  };
}

export const feedCursorMigrations: readonly Migration[] = [
  {
    name: 'platform-001-feed-cursor',
    up: async (db) => {
      await db.schema
        .createTable('feed_cursor')
        .addColumn('system', 'text', (column) => column.notNull())
        .addColumn('feed', 'text', (column) => column.notNull())
        .addColumn('cursor', 'text')
        .addColumn('loaded', 'integer', (column) => column.notNull())
        .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('feed_cursor_pk', ['system', 'feed'])
        .execute();
    },
  },
  {
    name: 'platform-002-feed-progress',
    up: async (db) => {
      const table = db.schema.alterTable('feed_cursor');
      await table.addColumn('completed_at_ms', 'bigint').execute();
      await table.addColumn('left_out', 'bigint', (column) => column.notNull().defaultTo(0)).execute();
    },
  },
];

export interface FeedCursorEntry extends FeedName {
  /** What the next page is asked with; null: from the start. */
  readonly cursor: string | null;
  /** The page was the last for now: the feed is complete as of `atMs`. */
  readonly done: boolean;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Rows of the page that could not be read. @default 0 */
  readonly leftOut?: number;
  /** The right by which it is written; absent: nobody else can write it. */
  readonly fence?: number | undefined;
}

/** What to commit beside the rows of a page. */
export function cursorOf(
  feed: Pick<FeedSource<never>, 'system' | 'feed'>,
  page: FeedPage<unknown>,
  clock: Clock,
): FeedCursorEntry {
  const { cursor, done, leftOut = 0, fence } = page;
  return { system: feed.system, feed: feed.feed, cursor, done, leftOut, fence, atMs: clock.nowMs() };
}

/**
 * Stores a feed's cursor in the transaction that writes the page's rows, so that neither is ever ahead of the other.
 * @throws {MortarError} INTERNAL_SERVER_ERROR when another process reads the feed by now; the transaction must then fail
 */
export async function commitFeedCursor<T>(trx: Transaction<T>, entry: FeedCursorEntry): Promise<void> {
  const { system, feed, cursor, done, atMs, leftOut = 0, fence } = entry;
  if (fence !== undefined) await assertHeld(trx, { system, feed, fence });
  const progress = { loaded: done ? 1 : 0, completed_at_ms: done ? atMs : null, left_out: leftOut };
  const row = { system, feed, cursor, updated_at_ms: atMs, ...progress };
  // The same transaction seen with this file's table.
  await (trx as unknown as Transaction<FeedCursorTables>)
    .insertInto('feed_cursor')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['system', 'feed']).doUpdateSet((eb) => ({
        cursor: row.cursor,
        // Once complete, a feed stays complete: later pages only bring it up to date.
        loaded: done ? 1 : eb.ref('feed_cursor.loaded'),
        completed_at_ms: done ? atMs : eb.ref('feed_cursor.completed_at_ms'),
        left_out: eb('feed_cursor.left_out', '+', leftOut),
        updated_at_ms: row.updated_at_ms,
      })),
    )
    .execute();
}

/** The stored cursor; null: the feed never ran. */
export async function readFeedCursor(database: Database, feed: FeedName): Promise<string | null> {
  const row = await tables(database.read)
    .selectFrom('feed_cursor')
    .select('cursor')
    .where('system', '=', feed.system)
    .where('feed', '=', feed.feed)
    .executeTakeFirst();
  return row?.cursor ?? null;
}

/** How far a feed has come, whichever process runs it. */
export interface FeedState extends FeedName {
  readonly cursor: string | null;
  /** The first load was completed. */
  readonly loaded: boolean;
  /** Epoch milliseconds of the last page that was stored. */
  readonly updatedAtMs: number;
  /** Epoch milliseconds at which the end of the source was last reached; null: never, or before this was written down. */
  readonly completedAtMs: number | null;
  /** Rows that could not be read, of all pages so far. */
  readonly leftOut: number;
}

/** Every feed's state. Cost: one read of a row a feed. */
export async function readFeedStates(database: Database): Promise<readonly FeedState[]> {
  const rows = await tables(database.read).selectFrom('feed_cursor').selectAll().execute();
  return rows.map((row) => ({
    system: row.system,
    feed: row.feed,
    cursor: row.cursor,
    loaded: row.loaded === 1,
    updatedAtMs: row.updated_at_ms,
    completedAtMs: row.completed_at_ms,
    leftOut: row.left_out,
  }));
}

function tables(db: Kysely<unknown>): Kysely<FeedCursorTables> {
  // The same connection seen with this file's table.
  return db;
}
