import type { Kysely } from 'kysely';

import type { Migration } from '#platform/database.ts';

/** Tables of the order directory, its facets, relations and snapshots. */
export const orderMigrations: readonly Migration[] = [
  {
    name: 'order-001-directory',
    up: async (db) => {
      await createDirectory(db);
      await createReferences(db);
      await createRelations(db);
    },
  },
];

async function createDirectory(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('order_directory')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('order_number', 'text', (column) => column.unique())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('channel', 'text')
    .addColumn('placed_at', 'bigint', (column) => column.notNull())
    .addColumn('subject_id', 'text', (column) => column.notNull())
    .addColumn('location_id', 'text')
    .addColumn('updated_at', 'bigint')
    .execute();
  await db.schema.createIndex('order_directory_placed').on('order_directory').columns(['placed_at', 'id']).execute();
  await db.schema
    .createIndex('order_directory_subject')
    .on('order_directory')
    .columns(['subject_id', 'placed_at', 'id'])
    .execute();
  await db.schema
    .createIndex('order_directory_location')
    .on('order_directory')
    .columns(['location_id', 'placed_at', 'id'])
    .execute();
  await db.schema
    .createTable('order_alias')
    .addColumn('alias', 'text', (column) => column.primaryKey())
    .addColumn('order_id', 'text', (column) => column.notNull())
    .execute();
}

async function createReferences(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('order_reference')
    .addColumn('system', 'text', (column) => column.notNull())
    .addColumn('external_id', 'text', (column) => column.notNull())
    .addColumn('order_id', 'text', (column) => column.notNull())
    .addColumn('order_number', 'text')
    .addColumn('connector', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('vendor_state', 'text', (column) => column.notNull())
    .addColumn('channel', 'text')
    .addColumn('placed_at', 'bigint')
    .addColumn('location_id', 'text')
    .addColumn('subject_id', 'text', (column) => column.notNull())
    .addColumn('buyer_kind', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'bigint')
    .addColumn('sequence', 'text')
    .addColumn('as_of', 'text')
    .addColumn('observed_at', 'text', (column) => column.notNull())
    .addColumn('deleted_at', 'text')
    .addPrimaryKeyConstraint('order_reference_pk', ['system', 'external_id'])
    .execute();
  await db.schema.createIndex('order_reference_order').on('order_reference').column('order_id').execute();
  await db.schema
    .createTable('order_snapshot')
    .addColumn('order_id', 'text', (column) => column.notNull())
    .addColumn('system', 'text', (column) => column.notNull())
    .addColumn('external_id', 'text', (column) => column.notNull())
    .addColumn('subject_id', 'text', (column) => column.notNull())
    .addColumn('ciphertext', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('order_snapshot_pk', ['system', 'external_id'])
    .execute();
}

async function createRelations(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('order_relation')
    .addColumn('subject_id', 'text', (column) => column.notNull())
    .addColumn('order_id', 'text', (column) => column.notNull())
    .addColumn('store', 'text')
    .addColumn('recipient', 'text')
    .addColumn('placed_at', 'bigint', (column) => column.notNull())
    .addColumn('open_until', 'bigint', (column) => column.notNull())
    .addColumn('synced_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('order_relation_pk', ['subject_id', 'order_id'])
    .execute();
  await db.schema.createIndex('order_relation_order').on('order_relation').column('order_id').execute();
}
