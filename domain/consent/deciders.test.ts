import { sql } from 'kysely';
import { expect, test } from 'vitest';

import type { Database } from '#platform/database.ts';
import type { GovernedField } from '#schema/model/consent.ts';
import { toCustomerId, toSubjectId, type SubjectId } from '#schema/model/ids.ts';
import { describeDatabases, openTestSqlite } from '#test/support/databases.ts';
import { createConsentDeciders, type ConsentDecidersOptions } from './deciders.ts';
import { factsStatement } from './facts-reader.ts';
import { appendEvents } from './ledger.ts';
import type { ConsentTables } from './tables.ts';
import {
  addLink,
  addRelation,
  addSubject,
  anEvent,
  aRequest,
  membersPort,
  moveSubject,
  removeLinks,
  TEST_MIGRATIONS,
} from './test-kit.ts';

const EMAIL: GovernedField = {
  coordinate: 'Customer.email',
  category: 'contact.email',
  purposes: ['MARKETING', 'ORDER_FULFILLMENT', 'LEGAL_OBLIGATION', 'SERVICE_SUPPORT'],
};
const marketer = aRequest('marketer', { purpose: 'MARKETING' });

async function record(
  database: Database,
  subject: SubjectId,
  change: Parameters<typeof anEvent>[1] = {},
): Promise<void> {
  const { write, dialect } = database.as<ConsentTables>();
  await write
    .transaction()
    .execute(async (trx) => appendEvents(trx, dialect, [anEvent(subject, change)], new Date().toISOString()));
}

function decidersOver(database: Database, change: Partial<ConsentDecidersOptions> = {}) {
  const reads: number[] = [];
  // The tests share two cores: what they measure is never time.
  const deciders = createConsentDeciders({
    database,
    subjects: membersPort({}),
    timeoutMs: 10_000,
    onRead: (count) => reads.push(count),
    ...change,
  });
  return { deciders, reads };
}

const ALLOWED = { allowed: true };
const refused = (reason: string) => ({ allowed: false, reason });

describeDatabases('decisions of a fetch', (open, dialect) => {
  test.runIf(dialect === 'postgres')(
    'keep no other read waiting while the ledger hangs, and recover with it',
    async () => {
      await using opened = await open(TEST_MIGRATIONS, { promptReadMs: 20 });
      const { database } = opened;
      const subject = await addSubject(database, 'sub_a');
      await record(database, subject);
      const { deciders } = decidersOver(database);
      await database.write.transaction().execute(async (trx) => {
        await sql`lock table consent_current in access exclusive mode`.execute(trx);
        const verdicts = Promise.all(
          Array.from({ length: 30 }, async () => deciders.forFetch(marketer).decide(EMAIL, [subject])),
        );
        // Every read that was asked for has taken its connection, or waits for one.
        await new Promise((resolve) => setImmediate(resolve));
        expect(await database.nowMs()).toBeGreaterThan(0);
        expect(await verdicts).toEqual(Array.from({ length: 30 }, () => refused('LEDGER_UNAVAILABLE')));
      });
      expect(await deciders.forFetch(marketer).decide(EMAIL, [subject])).toEqual(ALLOWED);
    },
  );

  test('read the ledger once for 300 rows of three fields', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const subjects: SubjectId[] = [];
    for (let index = 0; index < 30; index += 1) subjects.push(await addSubject(database, `sub_${index}`));
    for (const subject of subjects.filter((_, index) => index % 3 === 0)) await record(database, subject);
    const { deciders, reads } = decidersOver(database);
    const decider = deciders.forFetch(marketer);
    const rows = Array.from({ length: 300 }, (_, index) => index % 30);
    const verdicts = await Promise.all(
      rows.flatMap((index) =>
        ['a', 'b', 'c'].map(async (name) =>
          decider.decide({ ...EMAIL, coordinate: name }, [subjects[index] ?? toSubjectId('')]),
        ),
      ),
    );
    expect(reads).toEqual([30]);
    expect(verdicts).toEqual(
      rows.flatMap((index) =>
        Array.from({ length: 3 }, () => (index % 3 === 0 ? ALLOWED : refused('CONSENT_REQUIRED'))),
      ),
    );
  });

  test('honor a withdrawal acknowledged before the fetch started', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const subject = await addSubject(database, 'sub_a');
    const { deciders, reads } = decidersOver(database);
    await record(database, subject);
    expect(await deciders.forFetch(marketer).decide(EMAIL, [subject])).toEqual(ALLOWED);
    await record(database, subject, { decision: 'WITHDRAW' });
    expect(await deciders.forFetch(marketer).decide(EMAIL, [subject])).toEqual(refused('CONSENT_REQUIRED'));
    expect(reads).toHaveLength(2);
  });

  test('compute expiry by the database clock', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const now = await database.nowMs();
    const day = 86_400_000;
    const fresh = await addSubject(database, 'sub_fresh');
    const lapsed = await addSubject(database, 'sub_lapsed');
    await record(database, fresh, { decidedAt: new Date(now - 729 * day).toISOString() });
    await record(database, lapsed, { decidedAt: new Date(now - 731 * day).toISOString() });
    const decider = decidersOver(database).deciders.forFetch(marketer);
    expect(await decider.decide(EMAIL, [fresh])).toEqual(ALLOWED);
    expect(await decider.decide(EMAIL, [lapsed])).toEqual(refused('CONSENT_REQUIRED'));
  });

  test('count everybody linked: proven links carry a grant, others only refusals, gone ones nothing', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const a = await addSubject(database, 'sub_a', { customer_id: 'cus_1' });
    const b = await addSubject(database, 'sub_b', { customer_id: 'cus_1' });
    const c = await addSubject(database, 'sub_c', { customer_id: 'cus_1' });
    await addLink(database, [a, b], 'VERIFIED_KEY');
    await addLink(database, [b, c], 'PHONE_AND_NAME');
    await record(database, a);
    const { deciders } = decidersOver(database);
    const decide = async (...subjects: SubjectId[]) => deciders.forFetch(marketer).decide(EMAIL, subjects);
    expect(await decide(b)).toEqual(ALLOWED);
    expect(await decide(a, b)).toEqual(ALLOWED);
    expect(await decide(a, b, c)).toEqual(refused('CONSENT_REQUIRED'));
    await record(database, b, { viaLink: a });
    await removeLinks(database);
    expect(await decide(b)).toEqual(refused('CONSENT_REQUIRED'));
    expect(await decide(a)).toEqual(ALLOWED);
    await record(database, c, { decision: 'DENY' });
    expect(await decide(a)).toEqual(refused('CONSENT_REQUIRED'));
    await moveSubject(database, c, 'cus_2');
    expect(await decide(a)).toEqual(ALLOWED);
  });

  test('take the basis from order relations: own store for associates, open and fresh', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const buyer = await addSubject(database, 'sub_a', { customer_id: 'cus_1' });
    const linked = await addSubject(database, 'sub_b', { customer_id: 'cus_1' });
    const stranger = await addSubject(database, 'sub_c');
    await addRelation(database, { subject_id: buyer, store: 'loc_1' });
    const { deciders } = decidersOver(database);
    const own = deciders.forFetch(aRequest('associate', { purpose: 'ORDER_FULFILLMENT', stores: ['loc_1'] }));
    const other = deciders.forFetch(aRequest('associate', { purpose: 'ORDER_FULFILLMENT', stores: ['loc_2'] }));
    expect(await own.decide(EMAIL, [buyer])).toEqual(ALLOWED);
    expect(await own.decide(EMAIL, [linked])).toEqual(ALLOWED);
    expect(await own.decide(EMAIL, [stranger])).toEqual(refused('CONSENT_REQUIRED'));
    expect(await other.decide(EMAIL, [buyer])).toEqual(refused('CONSENT_REQUIRED'));
  });

  test('give people what is theirs, by the links they proved', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const mine = await addSubject(database, 'sub_a', { customer_id: 'cus_1', flags: 'RESTRICTED' });
    const alike = await addSubject(database, 'sub_b', { customer_id: 'cus_1' });
    const port = membersPort({ cus_1: { members: [mine, alike], proven: [mine] } });
    const { deciders } = decidersOver(database, { subjects: port });
    const me = deciders.forFetch(aRequest('customer', { purpose: 'SERVICE_SUPPORT', customer: toCustomerId('cus_1') }));
    expect(await me.decide(EMAIL, [mine])).toEqual(ALLOWED);
    expect(await me.decide(EMAIL, [mine, alike])).toEqual(refused('CONSENT_REQUIRED'));
    const officer = deciders.forFetch(aRequest('privacy-officer', { purpose: 'LEGAL_OBLIGATION' }));
    expect(await officer.decide(EMAIL, [mine, alike])).toEqual(ALLOWED);
    const job = deciders.forFetch(aRequest('service-job', { purpose: 'ORDER_FULFILLMENT' }));
    expect(await job.decide(EMAIL, [alike])).toEqual(refused('RESTRICTED'));
  });

  test('refuse a subject nobody knows, and do not read for what no subject can change', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const { deciders, reads } = decidersOver(database);
    expect(await deciders.forFetch(marketer).decide(EMAIL, [toSubjectId('sub_nobody')])).toEqual(
      refused('CONSENT_REQUIRED'),
    );
    expect(reads).toHaveLength(1);
    const partner = deciders.forFetch(aRequest('partner', { purpose: 'MARKETING' }));
    expect(await partner.decide(EMAIL, [toSubjectId('sub_a')])).toEqual(refused('PURPOSE_NOT_ALLOWED'));
    expect(await deciders.forFetch(marketer).decide(EMAIL, [])).toEqual(refused('CONSENT_REQUIRED'));
    expect(reads).toHaveLength(1);
  });

  test('refuse everything as LEDGER_UNAVAILABLE when the read fails, and tell once', async () => {
    await using opened = await open([]);
    const { database } = opened;
    const failures: unknown[] = [];
    const { deciders } = decidersOver(database, { onFailure: (error) => failures.push(error) });
    const decider = deciders.forFetch(marketer);
    const verdicts = await Promise.all(['sub_a', 'sub_b'].map(async (id) => decider.decide(EMAIL, [toSubjectId(id)])));
    expect(verdicts).toEqual([refused('LEDGER_UNAVAILABLE'), refused('LEDGER_UNAVAILABLE')]);
    expect(await decider.decide(EMAIL, [toSubjectId('sub_c')])).toEqual(refused('LEDGER_UNAVAILABLE'));
    expect(failures).toHaveLength(1);
  });

  test('refuse everything as LEDGER_UNAVAILABLE when the read is late', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const subject = await addSubject(database, 'sub_a');
    await record(database, subject);
    const never = Promise.withResolvers<ReadonlySet<SubjectId>>();
    const subjects = { provenSubjects: async () => never.promise };
    const { deciders } = decidersOver(database, { timeoutMs: 20, subjects });
    const me = deciders.forFetch(aRequest('customer', { purpose: 'SERVICE_SUPPORT' }));
    expect(await me.decide(EMAIL, [subject])).toEqual(refused('LEDGER_UNAVAILABLE'));
    never.resolve(new Set());
    expect(await me.decide(EMAIL, [subject])).toEqual(refused('LEDGER_UNAVAILABLE'));
  });
});

test('a decision read looks everything up by index, however little the planner knows of the tables', async () => {
  await using opened = await openTestSqlite(TEST_MIGRATIONS);
  const query = { subjects: [toSubjectId('sub_a')], purpose: 'MARKETING', withRelations: true } as const;
  const explain = sql<{ detail: string }>`explain query plan ${factsStatement('sqlite', query)}`;
  const { rows } = await explain.execute(opened.database.read);
  const steps = rows.map(({ detail }) => detail);
  expect(steps.filter((step) => /AUTOMATIC|SCAN found/.test(step))).toEqual([]);
  expect(steps.filter((step) => step.startsWith('SEARCH found USING INDEX'))).toHaveLength(5);
});
