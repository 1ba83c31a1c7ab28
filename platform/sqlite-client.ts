import { Worker } from 'node:worker_threads';

import type { SqliteRequest, SqliteResponse, SqliteWorkerData } from './sqlite-protocol.ts';

/** SQLite refused or failed a statement; `code` is its extended result code. */
export class SqliteError extends Error {
  readonly code: number | null;
  constructor(message: string, code: number | null) {
    super(message);
    this.name = 'SqliteError';
    this.code = code;
  }
}

export interface SqliteAnswer {
  readonly rows: readonly unknown[];
  readonly changes: number;
}

interface Waiting {
  readonly resolve: (answer: SqliteAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** One SQLite connection in its own thread. Statements run one after the other, in the order asked. */
export class SqliteClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #ended: Error | null = null;

  constructor(data: SqliteWorkerData) {
    this.#worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), { workerData: data });
    this.#worker.on('message', (response: SqliteResponse) => this.#settle(response));
    this.#worker.on('error', (error) => this.#end(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', () => this.#end(new SqliteError('the database thread ended', null)));
    // The process may end while a reader idles; close() waits for the worker where it matters.
    this.#worker.unref();
  }

  /** @throws {SqliteError} when SQLite refuses the statement or the thread has ended. */
  async query(sql: string, parameters: readonly unknown[]): Promise<SqliteAnswer> {
    if (this.#ended !== null) throw this.#ended;
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<SqliteAnswer>();
    if (this.#waiting.size === 0) this.#worker.ref();
    this.#waiting.set(id, { resolve, reject });
    this.#worker.postMessage({ id, sql, parameters: parameters.map(toBindable) } satisfies SqliteRequest);
    return promise;
  }

  /** Closes the file once the statements asked before have run. */
  async close(): Promise<void> {
    if (this.#ended !== null) return;
    const exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.ref();
    this.#worker.postMessage('close');
    await exited;
  }

  /** Gives the thread up: nobody waits for its running statement any more. */
  abandon(reason: Error): void {
    this.#end(reason);
    void this.#worker.terminate();
  }

  #settle(response: SqliteResponse): void {
    const waiting = this.#waiting.get(response.id);
    if (waiting === undefined) return;
    this.#waiting.delete(response.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (response.ok) waiting.resolve({ rows: response.rows, changes: response.changes });
    else waiting.reject(new SqliteError(response.message, response.code));
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    for (const waiting of this.#waiting.values()) waiting.reject(reason);
    this.#waiting.clear();
  }
}

function toBindable(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value === undefined ? null : value;
}
