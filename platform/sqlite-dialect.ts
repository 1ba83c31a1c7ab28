import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';

import { SqliteClient } from './sqlite-client.ts';

export interface SqlitePoolOptions {
  readonly file: string;
  readonly readOnly: boolean;
  /** Threads of the pool; the writer's is 1. */
  readonly size: number;
  /** How long a caller waits for a connection and then for its statement. */
  readonly waitMs: number;
}

/** How many readers may be stuck in a running statement before callers fail at once instead of getting a new thread. */
const MAX_ABANDONED = 4;

class WorkerConnection implements DatabaseConnection {
  readonly client: SqliteClient;
  readonly #waitMs: number | null;
  readonly #onLate: (connection: WorkerConnection) => void;

  constructor(client: SqliteClient, waitMs: number | null, onLate: (connection: WorkerConnection) => void) {
    this.client = client;
    this.#waitMs = waitMs;
    this.#onLate = onLate;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const late = this.#waitMs === null ? undefined : setTimeout(() => this.#onLate(this), this.#waitMs);
    try {
      const { rows, changes } = await this.client.query(query.sql, query.parameters);
      // The row type is what the caller's query builder promised; SQLite's values were read as they are.
      return { rows: rows as R[], numAffectedRows: BigInt(changes) };
    } finally {
      clearTimeout(late);
    }
  }

  // oxlint-disable-next-line require-yield -- Kysely's interface wants a generator; nothing here streams.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streaming is not supported: page over a key instead');
  }
}

/**
 * A bounded pool of SQLite threads. A running statement cannot be interrupted, so a reader that is late is abandoned and
 * replaced; the writer is never abandoned, because nobody could say whether its commit happened.
 */
class WorkerPoolDriver implements Driver {
  readonly #options: SqlitePoolOptions;
  readonly #idle: WorkerConnection[] = [];
  readonly #queue: { resolve: (connection: WorkerConnection) => void; timer: NodeJS.Timeout | undefined }[] = [];
  readonly #all = new Set<WorkerConnection>();
  #abandoned = 0;

  constructor(options: SqlitePoolOptions) {
    this.#options = options;
  }

  async init(): Promise<void> {
    for (let index = 0; index < this.#options.size; index += 1) this.#idle.push(this.#open());
  }

  async acquireConnection(): Promise<WorkerConnection> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const { promise, resolve, reject } = Promise.withResolvers<WorkerConnection>();
    const waiter = { resolve, timer: undefined as NodeJS.Timeout | undefined };
    if (this.#options.readOnly) {
      waiter.timer = setTimeout(() => {
        this.#queue.splice(this.#queue.indexOf(waiter), 1);
        reject(new Error(`no database reader was free within ${this.#options.waitMs} ms`));
      }, this.#options.waitMs);
    }
    this.#queue.push(waiter);
    return promise;
  }

  async releaseConnection(connection: WorkerConnection): Promise<void> {
    if (this.#all.has(connection)) this.#give(connection);
  }

  async beginTransaction(connection: WorkerConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(this.#options.readOnly ? 'begin' : 'begin immediate'));
  }

  async commitTransaction(connection: WorkerConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: WorkerConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#all].map(async (connection) => connection.client.close()));
    this.#all.clear();
  }

  #open(): WorkerConnection {
    const { file, readOnly, waitMs } = this.#options;
    const connection = new WorkerConnection(new SqliteClient({ file, readOnly }), readOnly ? waitMs : null, (late) =>
      this.#abandon(late),
    );
    this.#all.add(connection);
    return connection;
  }

  #give(connection: WorkerConnection): void {
    const next = this.#queue.shift();
    if (next === undefined) {
      this.#idle.push(connection);
      return;
    }
    clearTimeout(next.timer);
    next.resolve(connection);
  }

  #abandon(connection: WorkerConnection): void {
    if (!this.#all.delete(connection)) return;
    connection.client.abandon(new Error(`a database read took longer than ${this.#options.waitMs} ms`));
    this.#abandoned += 1;
    if (this.#abandoned <= MAX_ABANDONED) this.#give(this.#open());
    setTimeout(() => {
      this.#abandoned -= 1;
      if (this.#all.size < this.#options.size) this.#give(this.#open());
    }, 30_000).unref();
  }
}

/** Kysely over SQLite threads. */
export function createSqliteDialect(options: SqlitePoolOptions): Dialect {
  return {
    createDriver: () => new WorkerPoolDriver(options),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}
