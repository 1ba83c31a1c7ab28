import { sql } from 'kysely';

import type { Migration } from '#platform/database.ts';

/** What a system was last seen to state of one item at one of its places. */
interface StockSnapshotRow {
  system: string;
  /** The system's own id of the item. */
  item_key: string;
  location_external_id: string;
  code: string;
  /** The whole {@link StockReading} as JSON. */
  reading: string;
  /** When the source says it was true, else when it was read. */
  as_of_ms: number;
  /** 1: the source said when, and what is older does not replace it. 0: `as_of_ms` is our reading, and anything later to arrive does. */
  dated: number;
  /** Why the reading is never offered (QuarantineReason); null: it may be. */
  quarantine: string | null;
}

/** A system's locations as last read: what a restart has while the system is down. */
interface LocationSnapshotRow {
  system: string;
  records: string;
  seen_at_ms: number;
}

export interface StockTables {
  stock_snapshot: StockSnapshotRow;
  location_snapshot: LocationSnapshotRow;
}

export const stockMigrations: readonly Migration[] = [
  {
    name: 'stock-001-snapshot',
    up: async (db, dialect) => {
      const key = dialect === 'postgres' ? sql`text collate "C"` : sql`text`;
      await db.schema
        .createTable('stock_snapshot')
        .addColumn('system', 'text', (column) => column.notNull())
        .addColumn('item_key', key, (column) => column.notNull())
        .addColumn('location_external_id', key, (column) => column.notNull())
        .addColumn('code', key, (column) => column.notNull())
        .addColumn('reading', 'text', (column) => column.notNull())
        .addColumn('as_of_ms', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('stock_snapshot_pk', ['system', 'item_key', 'location_external_id'])
        .execute();
      await db.schema.createIndex('stock_snapshot_code').on('stock_snapshot').columns(['system', 'code']).execute();
      await db.schema
        .createTable('location_snapshot')
        .addColumn('system', 'text', (column) => column.primaryKey())
        .addColumn('records', 'text', (column) => column.notNull())
        .addColumn('seen_at_ms', 'bigint', (column) => column.notNull())
        .execute();
    },
  },
  {
    name: 'stock-002-quarantine',
    up: async (db) => {
      await db.schema.alterTable('stock_snapshot').addColumn('quarantine', 'text').execute();
      await sql`create index stock_snapshot_quarantine on stock_snapshot (system, as_of_ms) where quarantine is not null`.execute(
        db,
      );
    },
  },
  {
    name: 'stock-003-dated',
    up: async (db) => {
      await db.schema
        .alterTable('stock_snapshot')
        .addColumn('dated', 'integer', (column) => column.notNull().defaultTo(1))
        .execute();
    },
  },
];
