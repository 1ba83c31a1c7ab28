import { expect, test } from 'vitest';

import { createCustomerChanges } from './customer-changes.ts';
import { createProfileSink } from './sinks.ts';
import { createChanges } from '#platform/changes.ts';
import { describeDatabases } from '#test/support/databases.ts';
import { aTestIdentity, identityTestMigrations, testClock } from '#test/support/identity.ts';
import { aFeed, aPage, aProfile } from '#test/support/people.ts';
import type { ProfileRecord } from '#schema/model/records.ts';
import { type SubjectId, toSubjectId } from '#schema/model/ids.ts';

const crm = aFeed<ProfileRecord>('crm', 'customers');
const pos = aFeed<ProfileRecord>('pos', 'customers');
const ada = { email: 'ada@example.com', emailVerified: true } as const;

describeDatabases('changes of customers', (open) => {
  test('are told under every id of everybody whose profile, links or customer a page changed', async () => {
    await using db = await open(identityTestMigrations);
    const { writer, tables } = aTestIdentity(db.database);
    const told = Promise.withResolvers<readonly string[]>();
    let next = told;
    const tell = createCustomerChanges({
      database: db.database,
      changes: { isHeard: () => true, publish: (_topic, keys) => next.resolve([...(keys ?? ['any'])].toSorted()) },
    });
    const sink = createProfileSink({ database: db.database, clock: testClock, writer, onChanged: tell });
    const write = async (feed: typeof crm, record: ProfileRecord) => {
      next = Promise.withResolvers();
      await sink.writePage(feed, aPage(record));
      return next.promise;
    };
    const ids = async () =>
      new Map(
        (
          await tables.read
            .selectFrom('source_profile')
            .innerJoin('subject', 'subject.id', 'source_profile.subject_id')
            .select(['system', 'own_customer_id'])
            .execute()
        ).map((row) => [row.system, row.own_customer_id]),
      );
    const first = await write(crm, aProfile(ada));
    expect(first).toEqual([(await ids()).get('crm')]);
    const joined = await write(pos, aProfile({ system: 'pos', ...ada }));
    const both = [...(await ids()).values()].toSorted();
    expect(both).toHaveLength(2);
    expect(joined).toEqual(both);
    // The link goes with the address: the customer that is left behind shows less than before.
    const elsewhere = { email: 'other@example.com', emailVerified: true, asOf: '2027-02-01T00:00:00.000Z' };
    const parted = await write(pos, aProfile({ system: 'pos', ...elsewhere }));
    expect(parted).toEqual(both);
  });

  test('a page delivered again tells nothing, and nothing is read when nobody listens', async () => {
    await using db = await open(identityTestMigrations);
    const { writer } = aTestIdentity(db.database);
    const told: (readonly SubjectId[])[] = [];
    const sink = createProfileSink({
      database: db.database,
      clock: testClock,
      writer,
      onChanged: (subjects) => void told.push(subjects),
    });
    await sink.writePage(crm, aPage(aProfile(ada)));
    await sink.writePage(crm, aPage(aProfile(ada)));
    expect(told.map(({ length }) => length)).toEqual([1, 0]);
    const published: unknown[] = [];
    const changes = createChanges({ key: new Uint8Array(32) });
    const tell = createCustomerChanges({
      database: db.database,
      changes: { isHeard: changes.isHeard, publish: (...change) => void published.push(change) },
    });
    tell(told[0] ?? []);
    expect(published).toEqual([]);
  });

  test('when it cannot be read who is concerned, everybody looks again', async () => {
    await using db = await open([]);
    const failed = Promise.withResolvers<readonly string[] | null>();
    const errors: unknown[] = [];
    const tell = createCustomerChanges({
      database: db.database,
      changes: { isHeard: () => true, publish: (_topic, keys) => failed.resolve(keys) },
      onError: (error) => void errors.push(error),
    });
    tell([toSubjectId('sub_1')]);
    expect(await failed.promise).toBeNull();
    expect(errors).toHaveLength(1);
  });
});
