import { type Kysely, sql, type Transaction } from 'kysely';

import type { Dialect, Migration } from './database.ts';
import { MortarError } from './errors.ts';

interface MigrationTables {
  mortar_migration: { name: string; applied_at: string };
}

/** An arbitrary number that only this product locks. */
const LOCK_KEY = 7_163_551_204;

/**
 * Applies the migrations not yet applied, in the order of their names, in one transaction under a lock: of several
 * processes that start at once one migrates and the others wait.
 * @throws {MortarError} CONFIGURATION_INVALID when the state was written by a newer release.
 */
export async function migrate(db: Kysely<unknown>, dialect: Dialect, migrations: readonly Migration[]): Promise<void> {
  const ordered = [...migrations].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  await db.transaction().execute(async (trx) => {
    if (dialect === 'postgres') await sql`select pg_advisory_xact_lock(${LOCK_KEY})`.execute(trx);
    await trx.schema
      .createTable('mortar_migration')
      .ifNotExists()
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('applied_at', 'text', (column) => column.notNull())
      .execute();
    // The same transaction seen with this file's table.
    const table = trx as unknown as Transaction<MigrationTables>;
    const applied = new Set(
      (await table.selectFrom('mortar_migration').select('name').execute()).map((row) => row.name),
    );
    const known = new Set(ordered.map((migration) => migration.name));
    const unknown = [...applied].filter((name) => !known.has(name));
    if (unknown.length > 0) {
      throw new MortarError('CONFIGURATION_INVALID', {
        message: `The database was written by a newer release (unknown migrations: ${unknown.join(', ')}). Start that release, or restore a backup.`,
      });
    }
    for (const migration of ordered) {
      if (applied.has(migration.name)) continue;
      await migration.up(trx, dialect);
      await table
        .insertInto('mortar_migration')
        .values({ name: migration.name, applied_at: new Date().toISOString() })
        .execute();
    }
  });
}

/**
 * That all migrations are applied already.
 * @throws {MortarError} CONFIGURATION_INVALID when some are missing
 */
export async function assertMigrated(db: Kysely<unknown>, migrations: readonly Migration[]): Promise<void> {
  const tables = await db.introspection.getTables();
  const rows = tables.some(({ name }) => name === 'mortar_migration')
    ? await (db as Kysely<MigrationTables>).selectFrom('mortar_migration').select('name').execute()
    : [];
  const applied = new Set(rows.map(({ name }) => name));
  const missing = migrations.filter(({ name }) => !applied.has(name)).length;
  if (missing === 0) return;
  const state = applied.size === 0 ? 'holds nothing of Mortar yet' : `lacks ${missing} migrations of this release`;
  throw new MortarError('CONFIGURATION_INVALID', {
    message: `The database ${state}: the gateway brings it up to date when it starts.`,
  });
}
