import type { Kysely } from 'kysely';

export type Dialect = 'sqlite' | 'postgres';

/**
 * The one door to state. `read` and `write` are Kysely instances over the same data: with SQLite `read` is a pool of
 * read-only worker threads and `write` the single writer; with PostgreSQL both are the same pool. Each domain narrows
 * the schema with {@link Database.as}.
 */
export interface Database<Tables = unknown> {
  readonly dialect: Dialect;
  readonly read: Kysely<Tables>;
  /**
   * Reads that are worth nothing when they are late, as decisions are. PostgreSQL: connections of their own, where a
   * statement is ended after 150 ms, so that reads that hang keep no other read from being served. SQLite: as `read`.
   */
  readonly promptRead: Kysely<Tables>;
  /** Transactions: `write.transaction().execute(fn)` is BEGIN IMMEDIATE on SQLite. Await nothing but SQL inside. */
  readonly write: Kysely<Tables>;
  /** The same connection seen with one domain's tables. */
  readonly as: <T>() => Database<T>;
  /** Epoch milliseconds by the database's own clock. */
  readonly nowMs: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** One forward step of a domain's tables; `name` sorts and is unique over all domains, for example `consent-001-ledger`. */
export interface Migration {
  readonly name: string;
  readonly up: (db: Kysely<unknown>, dialect: Dialect) => Promise<void>;
}
