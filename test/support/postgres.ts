import { randomBytes } from 'node:crypto';
import pg from 'pg';

export const POSTGRES_URL = process.env['DATABASE_URL_TEST'] ?? 'postgres://root@127.0.0.1:5432/test';

export interface TestPostgres extends AsyncDisposable {
  readonly url: string;
}

/** A PostgreSQL database of a test's or proof's own, for a process that gets its address. */
export async function createPostgres(): Promise<TestPostgres> {
  const name = `mortar_e2e_${randomBytes(6).toString('hex')}`;
  await administer(`create database ${name}`);
  return {
    url: Object.assign(new URL(POSTGRES_URL), { pathname: `/${name}` }).href,
    [Symbol.asyncDispose]: () => administer(`drop database if exists ${name} with (force)`),
  };
}

export async function administer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: POSTGRES_URL, connectionTimeoutMillis: 2_000 });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
