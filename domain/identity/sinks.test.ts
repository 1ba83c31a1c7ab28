import fc from 'fast-check';
import { expect, test } from 'vitest';

import { linkProfiles } from './link-rules.ts';
import { describeDatabases } from '#test/support/databases.ts';
import { type TestIdentity, aTestIdentity, identityTestMigrations } from '#test/support/identity.ts';
import { aFeed, aLoyaltyAccount, aPage, aProfile } from '#test/support/people.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { LoyaltyRecord, ProfileRecord } from '#schema/model/records.ts';

const crm = aFeed<ProfileRecord>('crm', 'customers');
const pos = aFeed<ProfileRecord>('pos', 'customers');
const verified = { email: 'ada@example.com', emailVerified: true } as const;

/** The customers as sets of `system:externalId`, sorted. */
async function setsOf(identity: TestIdentity): Promise<readonly string[]> {
  const rows = await identity.tables.write
    .selectFrom('source_profile')
    .innerJoin('subject', 'subject.id', 'source_profile.subject_id')
    .select(['system', 'external_id', 'customer_id'])
    .execute();
  return [...Map.groupBy(rows, (row) => row.customer_id).values()]
    .map((set) =>
      set
        .map((row) => `${row.system}:${row.external_id}`)
        .toSorted()
        .join(' '),
    )
    .toSorted();
}

describeDatabases('profile feeds', (open) => {
  test('mint one subject a profile, whoever asks first, and keep it', async () => {
    await using db = await open(identityTestMigrations);
    const identity = aTestIdentity(db.database);
    const ref = { system: toSystemId('crm'), externalId: 'p1' };
    const [before, again] = await identity.subjects.ensureSubjects([ref, ref]);
    await identity.profiles.writePage(crm, aPage(aProfile()));
    const [after] = await identity.subjects.ensureSubjects([ref]);
    expect(before).toEqual(again);
    expect(after).toEqual(before);
    expect(before?.subject).toMatch(/^sub_/);
  });

  test('many writers that mint the same references at once agree', async () => {
    await using db = await open(identityTestMigrations);
    const identity = aTestIdentity(db.database);
    const refs = Array.from({ length: 20 }, (_, index) => ({ system: toSystemId('crm'), externalId: `p${index}` }));
    const answers = await Promise.all(Array.from({ length: 4 }, async () => identity.subjects.ensureSubjects(refs)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  test('link a pair over two pages, name the oldest customer and keep the other id as an alias', async () => {
    await using db = await open(identityTestMigrations);
    const identity = aTestIdentity(db.database);
    await identity.profiles.writePage(crm, aPage(aProfile(verified)));
    await identity.profiles.writePage(pos, aPage(aProfile({ system: 'pos', ...verified })));
    expect(await setsOf(identity)).toEqual(['crm:p1 pos:p1']);
    const rows = await identity.tables.read.selectFrom('subject').selectAll().orderBy('created_seq').execute();
    expect(rows.map((row) => row.customer_id)).toEqual([rows[0]?.own_customer_id, rows[0]?.own_customer_id]);
    expect(await identity.tables.read.selectFrom('customer_alias').selectAll().execute()).toEqual([
      { alias: rows[1]?.own_customer_id, customer_id: rows[0]?.own_customer_id },
    ]);
    const links = await identity.tables.read.selectFrom('identity_link').selectAll().execute();
    expect(links).toMatchObject([{ tier: 'VERIFIED_KEY', evidence: '["verifiedEmail"]', removed_at: null }]);
  });

  test('unlink when a key changes or the profile goes; the edge stays as history', async () => {
    await using db = await open(identityTestMigrations);
    const identity = aTestIdentity(db.database);
    await identity.profiles.writePage(crm, aPage(aProfile(verified)));
    await identity.profiles.writePage(pos, aPage(aProfile({ system: 'pos', ...verified })));
    await identity.profiles.writePage(
      pos,
      aPage(
        aProfile({ system: 'pos', email: 'other@example.com', emailVerified: true, asOf: '2026-01-11T00:00:00.000Z' }),
      ),
    );
    expect(await setsOf(identity)).toEqual(['crm:p1', 'pos:p1']);
    expect(await identity.tables.read.selectFrom('identity_link').select('removed_at').execute()).toEqual([
      { removed_at: '2026-01-15T12:00:00.000Z' },
    ]);
    await identity.profiles.writePage(
      pos,
      aPage(aProfile({ system: 'pos', ...verified, asOf: '2026-01-12T00:00:00.000Z' })),
    );
    expect(await setsOf(identity)).toEqual(['crm:p1 pos:p1']);
    const gone = { kind: 'delete', system: toSystemId('crm'), externalId: 'p1' } as const;
    await identity.profiles.writePage(crm, { changes: [gone], cursor: 'c', done: true });
    expect(await setsOf(identity)).toEqual(['crm:p1', 'pos:p1']);
    expect(await identity.tables.read.selectFrom('customer_alias').selectAll().execute()).toEqual([]);
  });

  test('ignore an older version and the replay of a deleted one', async () => {
    await using db = await open(identityTestMigrations);
    const identity = aTestIdentity(db.database);
    const emailOf = async (): Promise<unknown> =>
      identity.tables.write.selectFrom('source_profile').select(['email_hash', 'deleted_at']).executeTakeFirst();
    await identity.profiles.writePage(crm, aPage(aProfile({ email: 'new@example.com', sequence: '10' })));
    await identity.profiles.writePage(crm, aPage(aProfile({ email: 'old@example.com', sequence: '9' })));
    expect(await emailOf()).toEqual({ email_hash: identity.matchKeys.email('new@example.com'), deleted_at: null });
    const gone = { kind: 'delete', system: toSystemId('crm'), externalId: 'p1' } as const;
    await identity.profiles.writePage(crm, { changes: [gone], cursor: 'c', done: true });
    await identity.profiles.writePage(crm, aPage(aProfile({ email: 'new@example.com', sequence: '10' })));
    expect(await emailOf()).toMatchObject({ deleted_at: '2026-01-15T12:00:00.000Z' });
  });

  test('write the cursor with the rows, or neither', async () => {
    await using db = await open(identityTestMigrations);
    const identity = aTestIdentity(db.database);
    await identity.profiles.writePage(crm, { ...aPage(aProfile()), cursor: 'page-2' });
    expect(await identity.profiles.readCursor(crm)).toBe('page-2');
    const broken = aProfile({ externalId: 'p2', kind: null as never });
    await expect(identity.profiles.writePage(crm, { ...aPage(broken), cursor: 'page-3' })).rejects.toThrow(/kind/i);
    expect(await identity.profiles.readCursor(crm)).toBe('page-2');
  });

  test('an eleventh holder of a kiosk e-mail unlinks the ten, and its leaving links them again', async () => {
    await using db = await open(identityTestMigrations);
    const identity = aTestIdentity(db.database);
    const kiosk = Array.from({ length: 10 }, (_, index) => aProfile({ externalId: `k${index}`, ...verified }));
    await identity.profiles.writePage(crm, aPage(...kiosk));
    expect(await setsOf(identity)).toHaveLength(1);
    await identity.profiles.writePage(crm, aPage(aProfile({ externalId: 'k10', ...verified })));
    expect(await setsOf(identity)).toHaveLength(11);
    const gone = { kind: 'delete', system: toSystemId('crm'), externalId: 'k10' } as const;
    await identity.profiles.writePage(crm, { changes: [gone], cursor: null, done: true });
    expect(await setsOf(identity)).toHaveLength(2);
  });

  test('keep values of profiles nobody can read at request time as ciphertext only', async () => {
    await using db = await open(identityTestMigrations);
    const identity = aTestIdentity(db.database);
    const buyer = aProfile({ system: 'marketplace', kind: 'MARKETPLACE_BUYER', givenName: 'Canary-7351' });
    await identity.profiles.writePage(aFeed('marketplace', 'buyers'), aPage(buyer));
    await identity.profiles.writePage(crm, aPage(aProfile({ givenName: 'Canary-7352' })));
    const snapshots = await identity.tables.read.selectFrom('profile_snapshot').selectAll().execute();
    expect(snapshots).toHaveLength(1);
    for (const table of ['subject', 'source_profile', 'profile_snapshot', 'identity_link'] as const) {
      const rows = await identity.tables.read.selectFrom(table).selectAll().execute();
      expect(JSON.stringify(rows)).not.toContain('Canary');
    }
    const subject = await identity.tables.read
      .selectFrom('subject')
      .selectAll()
      .orderBy('created_seq')
      .executeTakeFirst();
    expect(subject).toMatchObject({ fulfillment_only: 1, jurisdiction: 'GB', age_band: null });
  });

  test('a loyalty account completes its profile, before or after the profile is known', async () => {
    await using db = await open(identityTestMigrations);
    const identity = aTestIdentity(db.database);
    const accounts = aFeed<LoyaltyRecord>('pos', 'loyalty');
    await identity.loyalty.writePage(accounts, aPage(aLoyaltyAccount({ number: 'L-77 001' })));
    await identity.profiles.writePage(pos, aPage(aProfile({ system: 'pos' })));
    await identity.profiles.writePage(crm, aPage(aProfile({ loyaltyNumber: 'l77001' })));
    expect(await setsOf(identity)).toEqual(['crm:p1 pos:p1']);
    const gone = { kind: 'delete', system: toSystemId('pos'), externalId: 'account-1' } as const;
    await identity.loyalty.writePage(accounts, { changes: [gone], cursor: null, done: true });
    expect(await setsOf(identity)).toEqual(['crm:p1', 'pos:p1']);
  });

  test('links after any sequence of pages equal links made at once', async () => {
    await using db = await open(identityTestMigrations);
    const identity = aTestIdentity(db.database, { sizeCap: 3 });
    const anyChange = fc.record({
      externalId: fc.constantFrom('p1', 'p2', 'p3', 'p4', 'p5', 'p6'),
      email: fc.constantFrom(null, 'a@example.com', 'b@example.com'),
      emailVerified: fc.boolean(),
      phone: fc.constantFrom(null, '020 7946 0018', '020 7946 0019'),
      loyaltyNumber: fc.constantFrom(null, null, 'L0001', 'L0002'),
      birthDate: fc.constantFrom(null, null, '1990-01-01', '1991-01-01'),
      remove: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
    });
    let sequence = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(anyChange, { minLength: 1, maxLength: 4 }), { maxLength: 5 }),
        async (pages) => {
          for (const page of pages) {
            const changes = page.map(({ remove, ...rest }) => {
              sequence += 1;
              const value = aProfile({ ...rest, sequence: String(sequence) });
              return remove
                ? ({ kind: 'delete', system: value.system, externalId: value.externalId } as const)
                : ({ kind: 'upsert', value } as const);
            });
            await identity.profiles.writePage(crm, { changes, cursor: null, done: true });
          }
          const rows = await identity.tables.write
            .selectFrom('source_profile')
            .selectAll()
            .where('deleted_at', 'is', null)
            .execute();
          const atOnce = linkProfiles(
            rows.map((row) => ({
              subject: row.subject_id as never,
              emailHash: row.email_hash,
              emailVerified: row.email_verified === 1,
              phoneHash: row.phone_hash,
              surnameHash: row.surname_hash,
              givenHash: row.given_hash,
              givenInitialHash: row.given_initial_hash,
              birthHash: row.birth_hash,
              loyaltyHash: row.loyalty_hash,
              isTest: row.is_test === 1,
              doNotLink: row.do_not_link === 1,
            })),
            { sizeCap: 3 },
          );
          const stored = await identity.tables.write
            .selectFrom('identity_link')
            .select(['subject_a as a', 'subject_b as b', 'tier', 'evidence'])
            .where('removed_at', 'is', null)
            .orderBy('subject_a')
            .orderBy('subject_b')
            .execute();
          const pairs = stored.map((link) => ({ ...link, evidence: JSON.parse(link.evidence) as unknown }));
          expect(pairs.map((link) => JSON.stringify(link)).toSorted()).toEqual(
            atOnce.map((link) => JSON.stringify(link)).toSorted(),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  test('700 profiles of two systems become 350 customers', async () => {
    await using db = await open(identityTestMigrations);
    const identity = aTestIdentity(db.database);
    const people = Array.from({ length: 350 }, (_, index) => ({ email: `p${index}@example.com`, emailVerified: true }));
    for (const [system, feed] of [
      ['crm', crm],
      ['pos', pos],
    ] as const) {
      for (let page = 0; page < 350; page += 100) {
        const records = people
          .slice(page, page + 100)
          .map((key, index) => aProfile({ system, externalId: `p${page + index}`, ...key }));
        await identity.profiles.writePage(feed, aPage(...records));
      }
    }
    expect(await setsOf(identity)).toHaveLength(350);
  });
});
