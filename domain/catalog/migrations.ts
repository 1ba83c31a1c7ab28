import { sql } from 'kysely';

import type { Migration } from '#platform/database.ts';

/** Snapshot of one product of the canonical system (the ERP). */
interface ProductRow {
  sku: string;
  /** {@link toCodeKey} of the sku. */
  sku_key: string;
  gtin: string | null;
  category: string | null;
  /** Lower case title and sku, for substring search. */
  search_text: string;
  /** The whole {@link ItemRecord} as JSON. */
  record: string;
  updated_at_ms: number;
}

/**
 * One item of one system: an item reference when `sku` is set, an unmatched item when it is null. One row and not two
 * tables, so that an item can never be both.
 */
interface ItemReferenceRow {
  system: string;
  external_id: string;
  kind: string;
  code: string | null;
  gtin: string | null;
  sku: string | null;
  /** Null when matched. */
  reason: string | null;
  /** ISO 4217 code of its price; null: it states none. */
  currency: string | null;
  record: string;
  seen_at_ms: number;
}

/** A normalized code of an item: finds the items to match again when a product comes or goes. */
interface ItemKeyRow {
  system: string;
  external_id: string;
  code_key: string;
}

/** The last version of an item that its system deleted, so that a late copy of it does not bring it back. */
interface ItemTombstoneRow {
  system: string;
  external_id: string;
  as_of: string | null;
  sequence: string | null;
  deleted_at_ms: number;
}

export interface CatalogTables {
  product: ProductRow;
  item_reference: ItemReferenceRow;
  item_key: ItemKeyRow;
  item_tombstone: ItemTombstoneRow;
}

export const catalogMigrations: readonly Migration[] = [
  {
    name: 'catalog-001-directory',
    up: async (db, dialect) => {
      // Byte order in both dialects, so that pages have the same order everywhere.
      const key = dialect === 'postgres' ? sql`text collate "C"` : sql`text`;
      await db.schema
        .createTable('product')
        .addColumn('sku', key, (column) => column.primaryKey())
        .addColumn('sku_key', key, (column) => column.notNull())
        .addColumn('gtin', 'text')
        .addColumn('category', 'text')
        .addColumn('search_text', 'text', (column) => column.notNull())
        .addColumn('record', 'text', (column) => column.notNull())
        .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('product_sku_key').on('product').column('sku_key').execute();
      await db.schema.createIndex('product_gtin').on('product').column('gtin').execute();
      await db.schema
        .createTable('item_reference')
        .addColumn('system', 'text', (column) => column.notNull())
        .addColumn('external_id', key, (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('code', 'text')
        .addColumn('gtin', 'text')
        .addColumn('sku', 'text')
        .addColumn('reason', 'text')
        .addColumn('record', 'text', (column) => column.notNull())
        .addColumn('seen_at_ms', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('item_reference_pk', ['system', 'external_id'])
        .execute();
      await db.schema.createIndex('item_reference_sku').on('item_reference').column('sku').execute();
      await db.schema.createIndex('item_reference_gtin').on('item_reference').column('gtin').execute();
      await db.schema.createIndex('item_reference_code').on('item_reference').columns(['system', 'code']).execute();
      await db.schema
        .createTable('item_key')
        .addColumn('system', 'text', (column) => column.notNull())
        .addColumn('external_id', 'text', (column) => column.notNull())
        .addColumn('code_key', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('item_key_pk', ['code_key', 'system', 'external_id'])
        .execute();
      await db.schema.createIndex('item_key_item').on('item_key').columns(['system', 'external_id']).execute();
    },
  },
  {
    name: 'catalog-002-tombstones',
    up: async (db, dialect) => {
      const key = dialect === 'postgres' ? sql`text collate "C"` : sql`text`;
      await db.schema
        .createTable('item_tombstone')
        .addColumn('system', 'text', (column) => column.notNull())
        .addColumn('external_id', key, (column) => column.notNull())
        .addColumn('as_of', 'text')
        .addColumn('sequence', 'text')
        .addColumn('deleted_at_ms', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('item_tombstone_pk', ['system', 'external_id'])
        .execute();
      await db.schema.createIndex('item_tombstone_age').on('item_tombstone').column('deleted_at_ms').execute();
    },
  },
  {
    name: 'catalog-003-currency',
    up: async (db) => {
      await db.schema.alterTable('item_reference').addColumn('currency', 'text').execute();
      await db.schema
        .createIndex('item_reference_currency')
        .on('item_reference')
        .columns(['system', 'currency'])
        .execute();
    },
  },
];
