import { sql } from 'kysely';
import { expect, test } from 'vitest';

import type { Database } from '#platform/database.ts';
import { toSubjectId } from '#schema/model/ids.ts';
import { describeDatabases } from '#test/support/databases.ts';
import { appendEvents, type NewConsentEvent } from './ledger.ts';
import { verifyLedger } from './ledger-verify.ts';
import { consentMigrations } from './migrations.ts';
import type { ConsentTables } from './tables.ts';
import { anEvent } from './test-kit.ts';

const A = toSubjectId('sub_a');
const B = toSubjectId('sub_b');
const AT = '2026-11-23T08:00:00.000Z';

async function append(database: Database, events: readonly NewConsentEvent[], at = AT) {
  const { write, dialect } = database.as<ConsentTables>();
  return write.transaction().execute(async (trx) => appendEvents(trx, dialect, events, at));
}

async function currentOf(database: Database) {
  const rows = await database.as<ConsentTables>().read.selectFrom('consent_current').selectAll().execute();
  return rows
    .map((row) => `${row.subject} ${row.purpose} ${row.medium} ${row.recipient} ${row.via} ${row.state}`)
    .toSorted();
}

describeDatabases('the consent ledger', (open, dialect) => {
  test('chains events per subject, keeps the newest state and fills the outbox in one transaction', async () => {
    await using opened = await open(consentMigrations);
    const { database } = opened;
    const first = await append(database, [anEvent(A), anEvent(B), anEvent(A, { decision: 'WITHDRAW' })]);
    const [second] = await append(database, [anEvent(A, { medium: 'EMAIL', evidence: 'ciphertext' })]);
    expect(first.map(({ subject, n }) => `${subject} ${n}`)).toEqual(['sub_a 1', 'sub_b 1', 'sub_a 2']);
    expect(first[2]?.prev_hash).toBe(first[0]?.hash);
    expect(second?.prev_hash).toBe(first[2]?.hash);
    expect(await currentOf(database)).toEqual([
      'sub_a MARKETING * self  WITHDRAWN',
      'sub_a MARKETING EMAIL self  GRANTED',
      'sub_b MARKETING * self  GRANTED',
    ]);
    const outbox = await database
      .as<ConsentTables>()
      .read.selectFrom('consent_outbox')
      .selectAll()
      .orderBy('seq')
      .execute();
    expect(outbox.map(({ subject, n }) => `${subject} ${n}`)).toEqual(['sub_a 1', 'sub_b 1', 'sub_a 2', 'sub_a 3']);
    expect(await verifyLedger({ database })).toMatchObject({ ok: true, subjects: 2, events: 4, faultCount: 0 });
  });

  test('dates two decisions of one instant one after the other, also when the clock was set back', async () => {
    await using opened = await open(consentMigrations);
    const { database } = opened;
    const rows = [
      ...(await append(database, [anEvent(A, { decision: 'WITHDRAW' }), anEvent(A)])),
      ...(await append(database, [anEvent(A, { decision: 'DENY' })], '2026-11-23T07:00:00.000Z')),
    ];
    expect(rows.map((row) => row.decided_at)).toEqual([AT, '2026-11-23T08:00:00.001Z', '2026-11-23T08:00:00.002Z']);
    expect(await currentOf(database)).toEqual(['sub_a MARKETING * self  DENIED']);
  });

  test('keeps the newer decision whatever the order of recording, and the refusal of two of one instant', async () => {
    await using opened = await open(consentMigrations);
    const { database } = opened;
    await append(database, [anEvent(A, { decision: 'WITHDRAW', decidedAt: '2026-02-01T00:00:00.000Z' })]);
    await append(database, [anEvent(A, { decidedAt: '2026-01-01T00:00:00.000Z' })]);
    await append(database, [anEvent(A, { decidedAt: '2026-02-01T00:00:00.000Z' })]);
    expect(await currentOf(database)).toEqual(['sub_a MARKETING * self  WITHDRAWN']);
    expect((await verifyLedger({ database })).ok).toBe(true);
  });

  test('writes a line with a known natural key only once', async () => {
    await using opened = await open(consentMigrations);
    const { database } = opened;
    const line = anEvent(A, { naturalKey: 'k1', decidedAt: AT });
    expect(await append(database, [line, line])).toHaveLength(1);
    expect(await append(database, [line])).toHaveLength(0);
  });

  test('never forks a chain under 8 writers of one subject', async () => {
    await using opened = await open(consentMigrations);
    const { database } = opened;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let turn = 0; turn < 5; turn += 1) {
        const pair = [anEvent(A, { actor: `writer:${writer}` }), anEvent(B)];
        await append(database, turn % 2 === 0 ? pair : pair.toReversed());
      }
    });
    await Promise.all(writers);
    expect(await verifyLedger({ database })).toMatchObject({ ok: true, subjects: 2, events: 80 });
  });

  test('refuses to update, delete or replace an event', async () => {
    await using opened = await open(consentMigrations);
    const { database } = opened;
    await append(database, [anEvent(A), anEvent(A)]);
    const replace = sql`insert or replace into consent_event select * from consent_event where n = 1`;
    const statements = [
      sql`update consent_event set decision = 'DENY' where n = 1`,
      sql`delete from consent_event where n = 2`,
      dialect === 'sqlite' ? replace : sql`truncate consent_event`,
    ];
    for (const statement of statements) await expect(statement.execute(database.write)).rejects.toThrow('append-only');
    expect(await verifyLedger({ database })).toMatchObject({ ok: true, events: 2 });
  });

  test('finds a changed event, a missing one and a current state nobody decided', async () => {
    await using opened = await open(consentMigrations);
    const { database } = opened;
    await append(database, [anEvent(A), anEvent(A), anEvent(A), anEvent(B)]);
    const unlock =
      dialect === 'sqlite'
        ? [sql`drop trigger consent_event_no_update`, sql`drop trigger consent_event_no_delete`]
        : [sql`drop trigger consent_event_no_change on consent_event`];
    for (const statement of unlock) await statement.execute(database.write);
    await sql`update consent_event set decision = 'DENY' where subject = 'sub_b'`.execute(database.write);
    await sql`delete from consent_event where subject = 'sub_a' and n = 2`.execute(database.write);
    await sql`update consent_current set subject = 'sub_c' where subject = 'sub_a'`.execute(database.write);
    const verdict = await verifyLedger({ database });
    expect(verdict.ok).toBe(false);
    expect(verdict.faults).toEqual(
      expect.arrayContaining([
        { kind: 'GAP', subject: 'sub_a', n: 3 },
        { kind: 'PROJECTION', subject: 'sub_a', n: null },
        { kind: 'HASH', subject: 'sub_b', n: 1 },
        { kind: 'PROJECTION', subject: 'sub_c', n: null },
      ]),
    );
  });

  test('finds a tail cut off from the events alone, because the current state remembers it', async () => {
    await using opened = await open(consentMigrations);
    const { database } = opened;
    await append(database, [anEvent(A), anEvent(A, { decision: 'WITHDRAW' })]);
    const trigger =
      dialect === 'sqlite'
        ? sql`drop trigger consent_event_no_delete`
        : sql`drop trigger consent_event_no_change on consent_event`;
    await trigger.execute(database.write);
    await sql`delete from consent_event where n = 2`.execute(database.write);
    expect((await verifyLedger({ database })).faults).toEqual([{ kind: 'PROJECTION', subject: 'sub_a', n: null }]);
  });
});
