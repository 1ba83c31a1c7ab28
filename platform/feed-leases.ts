import { type Generated, type Kysely, sql, type Transaction } from 'kysely';

import type { Database, Migration } from './database.ts';
import { MortarError } from './errors.ts';

interface FeedLeaseTables {
  feed_lease: {
    system: string;
    feed: string;
    holder: string;
    fence: number;
    expires_at_ms: number;
    /** How often somebody asked that it be read now. */
    nudges: Generated<number>;
  };
}

export const feedLeaseMigrations: readonly Migration[] = [
  {
    name: 'platform-003-feed-lease',
    up: async (db) => {
      await db.schema
        .createTable('feed_lease')
        .addColumn('system', 'text', (column) => column.notNull())
        .addColumn('feed', 'text', (column) => column.notNull())
        .addColumn('holder', 'text', (column) => column.notNull())
        .addColumn('fence', 'bigint', (column) => column.notNull())
        .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('feed_lease_pk', ['system', 'feed'])
        .execute();
    },
  },
  {
    name: 'platform-004-feed-nudges',
    up: async (db) => {
      const table = db.schema.alterTable('feed_lease');
      await table.addColumn('nudges', 'bigint', (column) => column.notNull().defaultTo(0)).execute();
    },
  },
];

export interface FeedName {
  readonly system: string;
  readonly feed: string;
}

/** The right to read a feed. */
export interface HeldFeed extends FeedName {
  /** Grows with every change of hands. */
  readonly fence: number;
}

/** What a claim brought. */
export interface ClaimedFeed extends HeldFeed {
  /** Grows each time a process asks that the feed be read now. */
  readonly nudges: number;
}

export interface FeedClaim {
  /** Names the process; never used again by another. */
  readonly holder: string;
  readonly feeds: readonly FeedName[];
  /** How long the right lasts when it is not claimed again. */
  readonly leaseMs: number;
}

/**
 * Takes the feeds nobody holds and prolongs those the holder has; answers what it holds now, in no order. Time is the
 * database's own, so no two clocks have to agree. One statement.
 */
export async function claimFeeds(database: Database, claim: FeedClaim): Promise<readonly ClaimedFeed[]> {
  const { holder, leaseMs } = claim;
  if (claim.feeds.length === 0) return [];
  const nowMs = sql<number>`${sql.raw(NOW_MS[database.dialect])}`;
  const expires = sql<number>`${nowMs} + ${sql.lit(leaseMs)}`;
  // One order of rows for all processes: two that claim at once must not wait for each other in a circle.
  const feeds = claim.feeds.toSorted((a, b) =>
    a.system === b.system ? compare(a.feed, b.feed) : compare(a.system, b.system),
  );
  return tables(database.write)
    .insertInto('feed_lease')
    .values(feeds.map(({ system, feed }) => ({ system, feed, holder, fence: 1, expires_at_ms: expires })))
    .onConflict((conflict) =>
      conflict
        .columns(['system', 'feed'])
        .doUpdateSet((eb) => ({
          holder,
          fence: sql<number>`feed_lease.fence + case when feed_lease.holder = ${holder} then 0 else 1 end`,
          expires_at_ms: eb.ref('excluded.expires_at_ms'),
        }))
        .where((eb) => eb.or([eb('feed_lease.holder', '=', holder), eb('feed_lease.expires_at_ms', '<', nowMs)])),
    )
    .returning(['system', 'feed', 'fence', 'nudges'])
    .execute();
}

/** Gives back everything a holder has: others need not wait for the end of its leases. */
export async function releaseFeeds(database: Database, holder: string): Promise<void> {
  await tables(database.write)
    .updateTable('feed_lease')
    .set({ expires_at_ms: 0 })
    .where('holder', '=', holder)
    .execute();
}

/** Asks whoever holds them to read feeds of a system now; names nobody ever claimed are ignored. */
export async function nudgeFeeds(database: Database, system: string, feeds: readonly string[]): Promise<void> {
  if (feeds.length === 0) return;
  await tables(database.write)
    .updateTable('feed_lease')
    .set((eb) => ({ nudges: eb('nudges', '+', 1) }))
    .where('system', '=', system)
    .where('feed', 'in', feeds)
    .execute();
}

/**
 * Fails unless the feed is still held by this right; until the transaction ends nobody can take it.
 * @throws {MortarError} INTERNAL_SERVER_ERROR
 */
export async function assertHeld<T>(trx: Transaction<T>, { system, feed, fence }: HeldFeed): Promise<void> {
  // The same transaction seen with this file's table.
  const db = trx as unknown as Transaction<FeedLeaseTables>;
  const row = await db
    .updateTable('feed_lease')
    // Changes nothing and locks the row, on both dialects.
    .set({ fence })
    .where('system', '=', system)
    .where('feed', '=', feed)
    .where('fence', '=', fence)
    .returning('fence')
    .executeTakeFirst();
  if (row !== undefined) return;
  throw new MortarError('INTERNAL_SERVER_ERROR', {
    message: `Another process reads the feed ${feed} of ${system} by now: this page is not written.`,
  });
}

const NOW_MS = {
  sqlite: "cast(unixepoch('subsec') * 1000 as integer)",
  postgres: 'cast(extract(epoch from clock_timestamp()) * 1000 as bigint)',
} as const;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function tables(db: Kysely<unknown>): Kysely<FeedLeaseTables> {
  // The same connection seen with this file's table.
  return db;
}
