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
    const digest = createHmac('sha256', keys[name]).update(`mortar key check: ${name}`).digest('base64url');
    await db
      .insertInto('key_check')
      .values({ name, digest })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute();
    const stored = await db.selectFrom('key_check').select('digest').where('name', '=', name).executeTakeFirstOrThrow();
    if (stored.digest === digest) continue;
    throw new MortarError('CONFIGURATION_INVALID', {
      message: `The database was written under another ${name} key: what it holds cannot be read with this one. Start with the key (or root key) the database was made with.`,
    });
  }
}
