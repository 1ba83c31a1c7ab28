import { type Kysely, sql } from 'kysely';

import type { Migration } from '#platform/database.ts';

/** Tables of subjects, profiles, links, keys and snapshots. */
export const identityMigrations: readonly Migration[] = [
  {
    name: 'identity-001-subjects',
    up: async (db) => {
      await createSubjects(db);
      await createProfiles(db);
      await createLinks(db);
      await createSecrets(db);
    },
  },
];

async function createSubjects(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('subject')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('customer_id', 'text', (column) => column.notNull())
    .addColumn('own_customer_id', 'text', (column) => column.notNull().unique())
    .addColumn('flags', 'text', (column) => column.notNull().defaultTo('NORMAL'))
    .addColumn('jurisdiction', 'text')
    .addColumn('age_band', 'text')
    .addColumn('is_test', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('fulfillment_only', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('created_seq', 'bigint', (column) => column.notNull().unique())
    .execute();
  await db.schema.createIndex('subject_customer').on('subject').columns(['customer_id', 'created_seq']).execute();
  await db.schema
    .createTable('customer_alias')
    .addColumn('alias', 'text', (column) => column.primaryKey())
    .addColumn('customer_id', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('identity_counter')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('value', 'bigint', (column) => column.notNull())
    .execute();
  await sql`insert into identity_counter (id, value) values (1, 0)`.execute(db);
}

async function createProfiles(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('source_profile')
    .addColumn('system', 'text', (column) => column.notNull())
    .addColumn('external_id', 'text', (column) => column.notNull())
    .addColumn('subject_id', 'text', (column) => column.notNull().unique().references('subject.id'))
    .addColumn('profile_id', 'text', (column) => column.notNull().unique())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('connector', 'text')
    .addColumn('email_hash', 'text')
    .addColumn('email_verified', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('phone_hash', 'text')
    .addColumn('surname_hash', 'text')
    .addColumn('given_hash', 'text')
    .addColumn('given_initial_hash', 'text')
    .addColumn('birth_hash', 'text')
    .addColumn('loyalty_hash', 'text')
    .addColumn('loyalty_from', 'text')
    .addColumn('country', 'text')
    .addColumn('is_test', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('do_not_link', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('created_at', 'text')
    .addColumn('as_of', 'text')
    .addColumn('sequence', 'text')
    .addColumn('observed_at', 'text')
    .addColumn('deleted_at', 'text')
    .addPrimaryKeyConstraint('source_profile_pk', ['system', 'external_id'])
    .execute();
  for (const key of ['email_hash', 'phone_hash', 'loyalty_hash'] as const) {
    await db.schema.createIndex(`source_profile_${key}`).on('source_profile').column(key).execute();
  }
  await db.schema
    .createTable('loyalty_account')
    .addColumn('system', 'text', (column) => column.notNull())
    .addColumn('external_id', 'text', (column) => column.notNull())
    .addColumn('profile_external_id', 'text', (column) => column.notNull())
    .addColumn('number_hash', 'text')
    .addColumn('as_of', 'text')
    .addColumn('sequence', 'text')
    .addColumn('deleted_at', 'text')
    .addPrimaryKeyConstraint('loyalty_account_pk', ['system', 'external_id'])
    .execute();
  await db.schema
    .createIndex('loyalty_account_profile')
    .on('loyalty_account')
    .columns(['system', 'profile_external_id'])
    .execute();
  await db.schema.createIndex('loyalty_account_number').on('loyalty_account').column('number_hash').execute();
}

async function createLinks(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('identity_link')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('subject_a', 'text', (column) => column.notNull())
    .addColumn('subject_b', 'text', (column) => column.notNull())
    .addColumn('tier', 'text', (column) => column.notNull())
    .addColumn('evidence', 'text', (column) => column.notNull())
    .addColumn('linked_at', 'text', (column) => column.notNull())
    .addColumn('removed_at', 'text')
    .execute();
  // At most one edge of a pair is in force.
  await sql`create unique index identity_link_active on identity_link (subject_a, subject_b) where removed_at is null`.execute(
    db,
  );
  await db.schema.createIndex('identity_link_a').on('identity_link').column('subject_a').execute();
  await db.schema.createIndex('identity_link_b').on('identity_link').column('subject_b').execute();
}

async function createSecrets(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('subject_key')
    .addColumn('subject_id', 'text', (column) => column.primaryKey())
    .addColumn('wrapped_key', 'text')
    .addColumn('destroyed_at', 'text')
    .execute();
  await db.schema
    .createTable('profile_snapshot')
    .addColumn('profile_id', 'text', (column) => column.primaryKey())
    .addColumn('ciphertext', 'text', (column) => column.notNull())
    .addColumn('observed_at', 'text', (column) => column.notNull())
    .addColumn('as_of', 'text')
    .execute();
}
