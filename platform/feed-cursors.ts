import type { Kysely, Transaction } from 'kysely';

import type { Database, Migration } from './database.ts';

interface FeedCursorTables {
  feed_cursor: { system: string; feed: string; cursor: string | null; loaded: number; updated_at_ms: number };
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
];

export interface FeedCursorEntry {
  readonly system: string;
  readonly feed: string;
  /** What the next page is asked with; null: from the start. */
  readonly cursor: string | null;
  /** The page was the last for now: the feed is complete as of `atMs`. */
  readonly done: boolean;
  /** Epoch milliseconds. */
  readonly atMs: number;
}

/** Stores a feed's cursor in the transaction that writes the page's rows, so that neither is ever ahead of the other. */
export async function commitFeedCursor<T>(trx: Transaction<T>, entry: FeedCursorEntry): Promise<void> {
  const { system, feed, cursor, done, atMs } = entry;
  const row = { system, feed, cursor, loaded: done ? 1 : 0, updated_at_ms: atMs };
  // The same transaction seen with this file's table.
  await (trx as unknown as Transaction<FeedCursorTables>)
    .insertInto('feed_cursor')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['system', 'feed']).doUpdateSet((eb) => ({
        cursor: row.cursor,
        // Once complete, a feed stays complete: later pages only bring it up to date.
        loaded: done ? 1 : eb.ref('feed_cursor.loaded'),
        updated_at_ms: row.updated_at_ms,
      })),
    )
    .execute();
}

/** The stored cursor; null: the feed never ran. */
export async function readFeedCursor(
  database: Database,
  feed: { readonly system: string; readonly feed: string },
): Promise<string | null> {
  const row = await tables(database.read)
    .selectFrom('feed_cursor')
    .select('cursor')
    .where('system', '=', feed.system)
    .where('feed', '=', feed.feed)
    .executeTakeFirst();
  return row?.cursor ?? null;
}

/** Every feed's state: whether its first load was completed and when it was last brought up to date. */
export async function readFeedStates(
  database: Database,
): Promise<
  readonly { readonly system: string; readonly feed: string; readonly loaded: boolean; readonly updatedAtMs: number }[]
> {
  const rows = await tables(database.read).selectFrom('feed_cursor').selectAll().execute();
  return rows.map((row) => ({
    system: row.system,
    feed: row.feed,
    loaded: row.loaded === 1,
    updatedAtMs: row.updated_at_ms,
  }));
}

function tables(db: Kysely<unknown>): Kysely<FeedCursorTables> {
  // The same connection seen with this file's table.
  return db;
}
