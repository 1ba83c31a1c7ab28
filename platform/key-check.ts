import { createHmac } from 'node:crypto';

import type { Kysely } from 'kysely';

import type { Database, Migration } from './database.ts';
import { MortarError } from './errors.ts';
import type { KeyName, Keys } from './keys.ts';

interface KeyCheckTables {
  key_check: { name: string; digest: string };
}

export const keyCheckMigrations: readonly Migration[] = [
  {
    name: 'platform-002-key-check',
    up: async (db) => {
      await db.schema
        .createTable('key_check')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('digest', 'text', (column) => column.notNull())
        .execute();
    },
  },
];

/** Keys whose change makes what is stored useless: ciphertext unreadable, keyed hashes that match nobody. */
const STORED_UNDER: readonly KeyName[] = ['idHash', 'keyEncryption'];

/**
 * Refuses to start on state that was written under other keys: it would read as empty, not as wrong.
 * @throws {MortarError} CONFIGURATION_INVALID naming the key
 */
export async function checkKeys(database: Database, keys: Keys): Promise<void> {
  // The same connection seen with this file's table.
  const db = database.write as Kysely<KeyCheckTables>;
  for (const name of STORED_UNDER) {
    await db
      .insertInto('key_check')
      .values({ name, digest: digestOf(name, keys) })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute();
  }
  await assertSameKeys(database, keys);
}

/** The same without noting keys that were never used. @throws {MortarError} CONFIGURATION_INVALID naming the key */
export async function assertSameKeys(database: Database, keys: Keys): Promise<void> {
  // The same connection seen with this file's table.
  const db = database.write as Kysely<KeyCheckTables>;
  const stored = await db.selectFrom('key_check').selectAll().execute();
  const other = STORED_UNDER.find((name) =>
    stored.some((row) => row.name === name && row.digest !== digestOf(name, keys)),
  );
  if (other === undefined) return;
  throw new MortarError('CONFIGURATION_INVALID', {
    message: `The database was written under another ${other} key: what it holds cannot be read with this one. Start with the key (or root key) the database was made with.`,
  });
}

function digestOf(name: KeyName, keys: Keys): string {
  return createHmac('sha256', keys[name]).update(`mortar key check: ${name}`).digest('base64url');
}
