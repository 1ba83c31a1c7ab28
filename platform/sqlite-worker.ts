// Runs in a worker thread: node:sqlite is synchronous, so a statement blocks this thread and never the event loop.
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

import type { SqliteRequest, SqliteResponse, SqliteWorkerData } from './sqlite-protocol.ts';

const STATEMENT_CACHE_SIZE = 200;

const port = parentPort;
if (port === null) throw new Error('sqlite-worker runs in a worker thread only');
// Set by sqlite-client.ts, the only creator of this worker.
const { file, readOnly } = workerData as SqliteWorkerData;

let database: DatabaseSync | undefined;
const statements = new Map<string, StatementSync>();

function open(): DatabaseSync {
  const opened = new DatabaseSync(file, { readOnly });
  // The pragmas of design/architecture: durable commits, deleted bytes overwritten, REPLACE seen by DELETE triggers.
  opened.exec('PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON;');
  if (!readOnly) opened.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;');
  return opened;
}

function prepare(db: DatabaseSync, sql: string): StatementSync {
  const cached = statements.get(sql);
  if (cached !== undefined) {
    statements.delete(sql);
    statements.set(sql, cached);
    return cached;
  }
  const statement = db.prepare(sql);
  statements.set(sql, statement);
  if (statements.size > STATEMENT_CACHE_SIZE) {
    const oldest = statements.keys().next().value;
    if (oldest !== undefined) statements.delete(oldest);
  }
  return statement;
}

function run(request: SqliteRequest): SqliteResponse {
  try {
    database ??= open();
    // Values were made by Kysely from typed inputs; node:sqlite itself refuses what SQLite cannot bind.
    const parameters = request.parameters as SQLInputValue[];
    const statement = prepare(database, request.sql);
    if (statement.columns().length > 0) {
      return { id: request.id, ok: true, rows: statement.all(...parameters), changes: 0 };
    }
    const { changes } = statement.run(...parameters);
    return { id: request.id, ok: true, rows: [], changes: Number(changes) };
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    const code = 'errcode' in failure && typeof failure.errcode === 'number' ? failure.errcode : null;
    return { id: request.id, ok: false, message: failure.message, code };
  }
}

port.on('message', (request: SqliteRequest | 'close') => {
  if (request === 'close') {
    database?.close();
    port.close();
    return;
  }
  port.postMessage(run(request));
});
