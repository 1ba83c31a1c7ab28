import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';

import { describeDatabases } from '#test/support/databases.ts';
import type { Migration } from './database.ts';
import { commitFeedCursor, feedCursorMigrations, readFeedCursor, readFeedStates } from './feed-cursors.ts';
import { openDatabase } from './open-database.ts';

interface Tables {
  counter: { name: string; value: number };
}

const migrations: readonly Migration[] = [
  {
    name: 'test-001-counter',
    up: async (db) => {
      await db.schema
        .createTable('counter')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('value', 'integer', (column) => column.notNull())
        .execute();
    },
  },
  ...feedCursorMigrations,
];

function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mortar-open-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'state.sqlite');
}

describeDatabases('database', (open, dialect) => {
  test.runIf(dialect === 'postgres')('ends prompt reads that hang, and serves every other read meanwhile', async () => {
    await using opened = await open(migrations, { promptReadMs: 20 });
    const db = opened.database.as<Tables>();
    await db.write.transaction().execute(async (trx) => {
      await sql`lock table counter in access exclusive mode`.execute(trx);
      const hanging = Array.from({ length: 30 }, async () => db.promptRead.selectFrom('counter').selectAll().execute());
      const ended = Promise.allSettled(hanging);
      // Every one of them has taken its connection, or waits for one.
      await new Promise((resolve) => setImmediate(resolve));
      expect(await readFeedStates(opened.database)).toEqual([]);
      expect(new Set((await ended).map(({ status }) => status))).toEqual(new Set(['rejected']));
    });
    expect(await db.promptRead.selectFrom('counter').selectAll().execute()).toEqual([]);
  });

  test('takes text with U+0000 as any other text', async () => {
    await using opened = await open(migrations);
    const db = opened.database.as<Tables>();
    await db.write.insertInto('counter').values({ name: 'a', value: 1 }).execute();
    expect(await db.read.selectFrom('counter').selectAll().where('name', 'in', ['a\0', '\0']).execute()).toEqual([]);
    await db.write.insertInto('counter').values({ name: 'a\0', value: 2 }).execute();
    expect(await db.read.selectFrom('counter').select('value').where('name', '=', 'a\0').execute()).toEqual([
      { value: 2 },
    ]);
  });

  test('keeps what a transaction wrote and nothing of one that failed', async () => {
    await using opened = await open(migrations);
    const db = opened.database.as<Tables>();
    await db.write.insertInto('counter').values({ name: 'a', value: 1 }).execute();
    const failing = db.write.transaction().execute(async (trx) => {
      await trx.updateTable('counter').set({ value: 9 }).execute();
      throw new Error('stop');
    });
    await expect(failing).rejects.toThrow('stop');
    expect(await db.read.selectFrom('counter').selectAll().execute()).toEqual([{ name: 'a', value: 1 }]);
  });

  test('loses no increment of 50 concurrent transactions on one row', async () => {
    await using opened = await open(migrations);
    const db = opened.database.as<Tables>();
    await db.write.insertInto('counter').values({ name: 'a', value: 0 }).execute();
    const increment = async (): Promise<void> => {
      await db.write.transaction().execute(async (trx) => {
        await trx
          .updateTable('counter')
          .set((eb) => ({ value: eb('value', '+', 1) }))
          .execute();
      });
    };
    await Promise.all(Array.from({ length: 50 }, increment));
    expect(await db.read.selectFrom('counter').select('value').executeTakeFirstOrThrow()).toEqual({ value: 50 });
  });

  test('reports the number of changed rows and a clock of its own', async () => {
    await using opened = await open(migrations);
    const db = opened.database.as<Tables>();
    await db.write
      .insertInto('counter')
      .values([
        { name: 'a', value: 1 },
        { name: 'b', value: 2 },
      ])
      .execute();
    const { numUpdatedRows } = await db.write.updateTable('counter').set({ value: 3 }).executeTakeFirst();
    expect(numUpdatedRows).toBe(2n);
    expect(Math.abs((await opened.database.nowMs()) - Date.now())).toBeLessThan(120_000);
  });

  test('commits a feed cursor with the rows of its page or not at all', async () => {
    await using opened = await open(migrations);
    const db = opened.database.as<Tables>();
    const entry = { system: 'erp', feed: 'items', cursor: 'p1', done: false, atMs: 10 };
    await db.write.transaction().execute(async (trx) => commitFeedCursor(trx, entry));
    const failing = db.write.transaction().execute(async (trx) => {
      await commitFeedCursor(trx, { ...entry, cursor: 'p2', done: true, atMs: 20 });
      throw new Error('stop');
    });
    await expect(failing).rejects.toThrow('stop');
    expect(await readFeedCursor(opened.database, entry)).toBe('p1');
    await db.write.transaction().execute(async (trx) => commitFeedCursor(trx, { ...entry, done: true, atMs: 30 }));
    await db.write.transaction().execute(async (trx) => commitFeedCursor(trx, { ...entry, done: false, atMs: 40 }));
    expect(await readFeedStates(opened.database)).toEqual([
      { system: 'erp', feed: 'items', cursor: 'p1', loaded: true, updatedAtMs: 40, completedAtMs: 30, leftOut: 0 },
    ]);
  });
});

describe('opening a database', () => {
  test('applies each migration once, also when it is opened again', async () => {
    const file = temporaryFile();
    for (let round = 0; round < 2; round += 1) {
      const database = await openDatabase({ location: { kind: 'sqlite', file }, migrations });
      await database.close();
    }
    const database = await openDatabase({ location: { kind: 'sqlite', file }, migrations });
    const { rows } = await sql<{ n: number }>`select count(*) as n from mortar_migration`.execute(database.read);
    expect(rows).toEqual([{ n: migrations.length }]);
    await database.close();
  });

  test('refuses a file that is no database with its name and what to do, and leaves it as it was', async () => {
    const file = temporaryFile();
    writeFileSync(file, 'this is not a database, it is a letter of at least a hundred bytes. '.repeat(20));
    const opening = openDatabase({ location: { kind: 'sqlite', file }, migrations });
    await expect(opening).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
    await expect(opening).rejects.toThrow(/is damaged or is no SQLite database.*Restore it from a backup/);
  });

  test('refuses state that a newer release wrote', async () => {
    const file = temporaryFile();
    await (await openDatabase({ location: { kind: 'sqlite', file }, migrations })).close();
    const opening = openDatabase({ location: { kind: 'sqlite', file }, migrations: feedCursorMigrations });
    await expect(opening).rejects.toThrow(/written by a newer release \(unknown migrations: test-001-counter\)/);
  });

  test('names the server and not the password when PostgreSQL cannot be reached', async () => {
    const url = 'postgres://someone:secret@127.0.0.1:1/none';
    const opening = openDatabase({ location: { kind: 'postgres', url }, migrations });
    await expect(opening).rejects.toThrow(/PostgreSQL at 127\.0\.0\.1:1 cannot be used/);
    await expect(opening).rejects.not.toThrow(/secret/);
  });

  test('abandons a late SQLite reader and answers the next caller from a new one', async () => {
    const database = await openDatabase({
      location: { kind: 'sqlite', file: temporaryFile() },
      migrations,
      readers: 1,
      // Long enough for a new reader to start on a busy machine.
      readWaitMs: 2_000,
    });
    const endless = (db: Kysely<unknown>) =>
      sql`with recursive n(x) as (select 1 union all select x + 1 from n where x < 3000000000) select count(*) from n`.execute(
        db,
      );
    await expect(endless(database.read)).rejects.toThrow(/took longer than 2000 ms/);
    expect(await database.nowMs()).toBeGreaterThan(0);
    await database.close();
  });
});
