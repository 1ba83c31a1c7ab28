import { type Kysely, sql } from 'kysely';

import type { Dialect, Migration } from '#platform/database.ts';

async function createLedger(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('consent_event')
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('n', 'integer', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('purpose', 'text', (column) => column.notNull())
    .addColumn('medium', 'text', (column) => column.notNull())
    .addColumn('recipient', 'text', (column) => column.notNull())
    .addColumn('decision', 'text')
    .addColumn('decided_at', 'text', (column) => column.notNull())
    .addColumn('recorded_at', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('via_link', 'text')
    .addColumn('notice', 'text')
    .addColumn('evidence', 'text')
    .addColumn('natural_key', 'text', (column) => column.unique())
    .addColumn('prev_hash', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('consent_event_pk', ['subject', 'n'])
    .execute();
}

async function createProjection(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('consent_current')
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('purpose', 'text', (column) => column.notNull())
    .addColumn('medium', 'text', (column) => column.notNull())
    .addColumn('recipient', 'text', (column) => column.notNull())
    .addColumn('via', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('restrictiveness', 'integer', (column) => column.notNull())
    .addColumn('decided_at', 'text', (column) => column.notNull())
    .addColumn('n', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('consent_current_pk', ['subject', 'purpose', 'medium', 'recipient', 'via'])
    .execute();
}

async function createOutbox(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  await db.schema
    .createTable('consent_outbox')
    .addColumn('seq', dialect === 'postgres' ? 'bigserial' : 'integer', (column) =>
      dialect === 'postgres' ? column.primaryKey() : column.primaryKey().autoIncrement(),
    )
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('n', 'integer', (column) => column.notNull())
    .addColumn('recorded_at', 'text', (column) => column.notNull())
    .addColumn('published_at', 'text')
    .execute();
  await db.schema
    .createTable('consent_idempotency')
    .addColumn('principal', 'text', (column) => column.notNull())
    .addColumn('key_hash', 'text', (column) => column.notNull())
    .addColumn('fingerprint', 'text', (column) => column.notNull())
    .addColumn('answer', 'text', (column) => column.notNull())
    .addColumn('recorded_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('consent_idempotency_pk', ['principal', 'key_hash'])
    .execute();
}

/** The database itself refuses to change history. On SQLite, REPLACE is caught too, by `recursive_triggers`. */
async function forbidChanges(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  if (dialect === 'sqlite') {
    for (const verb of ['update', 'delete']) {
      const statement = `create trigger consent_event_no_${verb} before ${verb} on consent_event
        begin select raise(abort, 'consent_event is append-only'); end`;
      await sql.raw(statement).execute(db);
    }
    return;
  }
  await sql`create function consent_event_append_only() returns trigger language plpgsql as
    $$ begin raise exception 'consent_event is append-only'; end $$`.execute(db);
  await sql`create trigger consent_event_no_change before update or delete on consent_event
    for each row execute function consent_event_append_only()`.execute(db);
  await sql`create trigger consent_event_no_truncate before truncate on consent_event
    for each statement execute function consent_event_append_only()`.execute(db);
}

/** The consent domain's tables: ledger, current states, outbox and stored answers. */
export const consentMigrations: readonly Migration[] = [
  {
    name: 'consent-001-ledger',
    up: async (db, dialect) => {
      await createLedger(db);
      await createProjection(db);
      await createOutbox(db, dialect);
      await forbidChanges(db, dialect);
    },
  },
];
