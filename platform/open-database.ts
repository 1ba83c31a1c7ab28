import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';

import type { Database, Dialect, Migration } from './database.ts';
import { MortarError } from './errors.ts';
import { assertMigrated, migrate } from './migrator.ts';
import { SqliteError } from './sqlite-client.ts';
import { createSqliteDialect } from './sqlite-dialect.ts';

export type DatabaseLocation =
  | { readonly kind: 'sqlite'; readonly file: string }
  | {
      readonly kind: 'postgres';
      readonly url: string;
      /** @default the server's */
      readonly schema?: string;
      /** @default 10 */
      readonly maxConnections?: number;
    };

export interface OpenDatabaseOptions {
  readonly location: DatabaseLocation;
  readonly migrations: readonly Migration[];
  /** False: look and change nothing; a database this release has not brought up to date is refused. @default true */
  readonly migrate?: boolean;
  /** Reader threads of SQLite. @default 2 */
  readonly readers?: number;
  /** How long a read may wait and run. @default 5000 */
  readonly readWaitMs?: number;
  /** How long a prompt read of PostgreSQL may run. @default 150: the most a decision may take */
  readonly promptReadMs?: number;
}

/**
 * Opens the state, brings its tables up to date under a lock and hands out the one door to it.
 * @throws {MortarError} CONFIGURATION_INVALID when the file is no usable database or the server cannot be reached.
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const { location } = options;
  const opened = location.kind === 'sqlite' ? openSqlite(location.file, options) : openPostgres(location, options);
  try {
    if (location.kind === 'sqlite') await assertSound(opened.write);
    if (options.migrate === false) await assertMigrated(opened.read, options.migrations);
    else await migrate(opened.write, opened.dialect, options.migrations);
  } catch (error) {
    await opened.close();
    throw explain(error, location);
  }
  return opened;
}

function openSqlite(file: string, options: OpenDatabaseOptions): Database {
  mkdirSync(dirname(file), { recursive: true });
  const waitMs = options.readWaitMs ?? 5_000;
  const write = new Kysely<unknown>({ dialect: createSqliteDialect({ file, readOnly: false, size: 1, waitMs }) });
  const read = new Kysely<unknown>({
    dialect: createSqliteDialect({ file, readOnly: true, size: options.readers ?? 2, waitMs }),
  });
  const close = async (): Promise<void> => {
    await read.destroy();
    await write.destroy();
  };
  return assemble('sqlite', { read, promptRead: read, write }, close);
}

// int8 and numeric counts come back as text by default; every integer the product stores is below 2^53.
const INT8 = 20;
pg.types.setTypeParser(INT8, Number);

type PostgresLocation = Extract<DatabaseLocation, { kind: 'postgres' }>;

/** Enough for a thousand decision reads a second, and few beside the server's own limit. */
const PROMPT_CONNECTIONS = 5;

function openPostgres(location: PostgresLocation, { promptReadMs = 150 }: OpenDatabaseOptions): Database {
  const db = openPool(location, { max: location.maxConnections ?? 10 });
  const promptRead = openPool(location, { max: PROMPT_CONNECTIONS, statement_timeout: promptReadMs });
  const close = async (): Promise<void> => {
    await promptRead.destroy();
    await db.destroy();
  };
  return assemble('postgres', { read: db, promptRead, write: db }, close);
}

function openPool({ url, schema }: PostgresLocation, limits: pg.PoolConfig) {
  const pool = new pg.Pool({
    connectionString: url,
    connectionTimeoutMillis: 2_000,
    idleTimeoutMillis: 30_000,
    application_name: 'mortar',
    ...limits,
    ...(schema === undefined ? {} : { options: `-c search_path=${schema}` }),
  });
  // A dropped idle connection is replaced on next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', replaceNul);
  return new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
}

/**
 * PostgreSQL refuses text with the character U+0000, which callers and vendors can send wherever they send text: it is
 * stored and looked up as U+FFFD, so that it finds nothing and fails nothing.
 */
function replaceNul(client: pg.PoolClient): void {
  const query = client.query.bind(client) as (text: unknown, values: unknown, ...rest: unknown[]) => unknown;
  const clean = (value: unknown): unknown => (typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value);
  const replaced = (text: unknown, values: unknown, ...rest: unknown[]): unknown =>
    query(text, Array.isArray(values) ? values.map(clean) : values, ...rest);
  // Same overloads as pg's own: the arguments are passed on as they came.
  client.query = replaced as typeof client.query;
}

function assemble(
  dialect: Dialect,
  doors: Pick<Database, 'read' | 'promptRead' | 'write'>,
  close: () => Promise<void>,
): Database {
  const database: Database = {
    dialect,
    ...doors,
    // The tables are the caller's claim about the same connection; migrations made them.
    as: <T>() => database as Database<T>,
    async nowMs() {
      const now =
        dialect === 'sqlite' ? sql`unixepoch('subsec') * 1000` : sql`extract(epoch from clock_timestamp()) * 1000`;
      const { rows } = await sql<{ now: number | string }>`select ${now} as now`.execute(doors.read);
      return Math.floor(Number(rows[0]?.now));
    },
    close,
  };
  return database;
}

async function assertSound(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ quick_check: string }>`pragma quick_check(1)`.execute(db);
  const verdict = rows[0]?.quick_check;
  if (verdict !== 'ok') throw new SqliteError(`quick_check: ${verdict ?? 'no answer'}`, null);
}

function explain(error: unknown, location: DatabaseLocation): unknown {
  if (error instanceof MortarError) return error;
  if (location.kind === 'sqlite' && error instanceof SqliteError) {
    const exists = existsSync(location.file) ? 'is damaged or is no SQLite database' : 'cannot be created';
    return new MortarError('CONFIGURATION_INVALID', {
      message: `The database file ${location.file} ${exists} (${error.message}). Restore it from a backup, or move it away to start empty; nothing was changed.`,
      cause: error,
    });
  }
  if (location.kind === 'postgres') {
    const { host } = new URL(location.url);
    return new MortarError('CONFIGURATION_INVALID', {
      message: `PostgreSQL at ${host} cannot be used (${error instanceof Error ? error.message : 'unknown error'}). Check DATABASE_URL and that the server runs.`,
      cause: error,
    });
  }
  return error;
}
