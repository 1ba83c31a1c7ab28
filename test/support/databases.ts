import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { describe } from 'vitest';

import type { Database, Migration } from '#platform/database.ts';
import { openDatabase } from '#platform/open-database.ts';
import { administer, POSTGRES_URL } from './postgres.ts';
import { serviceOrSkip } from './services.ts';

/** A database of a test's own that goes away with it. */
export interface TestDatabase extends AsyncDisposable {
  readonly database: Database;
}

export type OpenTestDatabase = (
  migrations: readonly Migration[],
  /** @default prompt reads may take 10 seconds: tests share their cores */
  options?: { readonly promptReadMs?: number },
) => Promise<TestDatabase>;

export async function openTestSqlite(migrations: readonly Migration[]): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'mortar-db-'));
  const database = await openDatabase({ location: { kind: 'sqlite', file: join(folder, 'test.sqlite') }, migrations });
  return {
    database,
    async [Symbol.asyncDispose]() {
      await database.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const openTestPostgres: OpenTestDatabase = async (migrations, { promptReadMs = 10_000 } = {}) => {
  const schema = `mortar_test_${randomBytes(6).toString('hex')}`;
  await administer(`create schema ${schema}`);
  const location = { kind: 'postgres', url: POSTGRES_URL, schema } as const;
  const database = await openDatabase({ location, migrations, promptReadMs });
  return {
    database,
    async [Symbol.asyncDispose]() {
      await database.close();
      await administer(`drop schema ${schema} cascade`);
    },
  };
};

export { createPostgres, type TestPostgres } from './postgres.ts';

export const postgresAvailable: boolean = await serviceOrSkip('PostgreSQL', async () => administer('select 1'));

/**
 * Runs one suite on SQLite and on PostgreSQL.
 * @example describeDatabases('ledger', (open) => { test('...', async () => { await using db = await open(migrations); }); });
 */
export function describeDatabases(
  name: string,
  suite: (open: OpenTestDatabase, dialect: 'sqlite' | 'postgres') => void,
): void {
  describe(`${name} on SQLite`, () => {
    suite(openTestSqlite, 'sqlite');
  });
  describe.skipIf(!postgresAvailable)(`${name} on PostgreSQL`, () => {
    suite(openTestPostgres, 'postgres');
  });
}
