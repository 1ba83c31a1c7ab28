import { expect, test } from 'vitest';

import { createCustomerDirectory } from './customer-directory.ts';
import { createCursors } from '#platform/cursors.ts';
import type { Database } from '#platform/database.ts';
import { type CustomerId, toCustomerId, toSystemId } from '#schema/model/ids.ts';
import type { LoyaltyRecord, ProfileRecord } from '#schema/model/records.ts';
import { describeDatabases } from '#test/support/databases.ts';
import { aTestIdentity, identityTestMigrations } from '#test/support/identity.ts';
import { aFeed, aLoyaltyAccount, aPage, aProfile } from '#test/support/people.ts';
import { aRequestOf } from '#test/support/requests.ts';

const feed = aFeed<ProfileRecord>('crm', 'customers');
const verified = { email: 'ada@example.com', emailVerified: true } as const;
const phone = { phone: '020 7946 0018' } as const;
const marketer = aRequestOf({ purpose: 'MARKETING', principal: { role: 'marketer' } });

async function setUp(database: Database, ...profiles: readonly ProfileRecord[]) {
  const identity = aTestIdentity(database);
  const cursors = createCursors(new Uint8Array(32).fill(9));
  const directory = createCustomerDirectory({ database, matchKeys: identity.matchKeys, cursors, country: 'GB' });
  for (const profile of profiles) await identity.profiles.writePage(feed, aPage(profile));
  const rows = await identity.tables.write
    .selectFrom('source_profile')
    .innerJoin('subject', 'subject.id', 'source_profile.subject_id')
    .select(['system', 'external_id', 'own_customer_id'])
    .execute();
  /** The id a profile's subject came with. */
  const ownId = (system: string, externalId = 'p1'): CustomerId =>
    toCustomerId(rows.find((row) => row.system === system && row.external_id === externalId)?.own_customer_id ?? '');
  return { identity, directory, ownId };
}

const names = (
  view: { readonly profiles: readonly { readonly system: string; readonly externalId: string }[] } | null,
) => view?.profiles.map(({ system, externalId }) => `${system}:${externalId}`) ?? null;
const always = async (): Promise<boolean> => true;

describeDatabases('the customer directory', (open) => {
  test('pages customers in the order they were first seen, without test profiles, gaps or repeats', async () => {
    await using db = await open(identityTestMigrations);
    const people = Array.from({ length: 5 }, (_, index) => aProfile({ externalId: `p${index}`, isTest: index === 2 }));
    const { directory } = await setUp(db.database, ...people);
    const seen: unknown[] = [];
    let after: string | null = null;
    do {
      const page = await directory.page({ first: 2, after }, marketer);
      seen.push(...page.rows.flatMap(({ view }) => names(view)));
      after = page.hasNextPage ? (page.rows.at(-1)?.cursor ?? null) : null;
    } while (after !== null);
    expect(seen).toEqual(['crm:p0', 'crm:p1', 'crm:p3', 'crm:p4']);
    expect(await directory.count(aRequestOf())).toBe(4);
    expect(await directory.count(marketer)).toBeNull();
  });

  test.each([0, 101, 1.5])('refuses a page of %d rows', async (first) => {
    await using db = await open(identityTestMigrations);
    const { directory } = await setUp(db.database);
    await expect(directory.page({ first, after: null }, marketer)).rejects.toMatchObject({ code: 'LIMIT_LIST' });
  });

  test('refuses a cursor of another list', async () => {
    await using db = await open(identityTestMigrations);
    const { directory } = await setUp(db.database);
    const foreign = createCursors(new Uint8Array(32).fill(9)).seal('orders', [1]);
    await expect(directory.page({ first: 1, after: foreign }, marketer)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  });

  test('answers a joined id with the customer of its oldest profile, and each profile with its link', async () => {
    await using db = await open(identityTestMigrations);
    const { directory, ownId } = await setUp(db.database, aProfile(verified), aProfile({ system: 'pos', ...verified }));
    const [view, absent] = await directory.byIds([ownId('pos'), toCustomerId('cus_absent')], marketer);
    expect(view?.id).toBe(ownId('crm'));
    expect(view?.profiles.map(({ system, link }) => [system, link?.tier, link?.evidence])).toEqual([
      ['crm', 'VERIFIED_KEY', ['verifiedEmail']],
      ['pos', 'VERIFIED_KEY', ['verifiedEmail']],
    ]);
    expect(absent).toBeNull();
  });

  test('shows a customer what it proved to be, and nothing that merely shares a phone', async () => {
    await using db = await open(identityTestMigrations);
    const { directory, ownId } = await setUp(
      db.database,
      aProfile({ ...verified, ...phone }),
      aProfile({ system: 'web', ...verified }),
      aProfile({ system: 'pos', ...phone }),
    );
    const asked = [ownId('crm'), ownId('web'), ownId('pos')];
    const self = aRequestOf({ purpose: 'SERVICE_SUPPORT', principal: { role: 'customer', customer: ownId('web') } });
    const views = await directory.byIds(asked, self);
    expect(views.map(names)).toEqual([['crm:p1', 'web:p1'], ['crm:p1', 'web:p1'], null]);
    expect(views[0]?.id).toBe(ownId('web'));
    expect((await directory.page({ first: 10, after: null }, self)).rows.map(({ view }) => names(view))).toEqual([
      ['crm:p1', 'web:p1'],
    ]);
    expect((await directory.provenSubjects(ownId('pos'))).size).toBe(1);
    expect(await directory.memberSubjects(ownId('pos'))).toHaveLength(3);
    expect(await directory.memberSubjects(toCustomerId('cus_absent'))).toBeNull();
  });

  test('shows partners and analysts nobody', async () => {
    await using db = await open(identityTestMigrations);
    const { directory, ownId } = await setUp(db.database, aProfile(verified));
    for (const role of ['partner', 'analyst'] as const) {
      const request = aRequestOf({ principal: { role } });
      expect(await directory.byIds([ownId('crm')], request)).toEqual([null]);
      expect((await directory.page({ first: 10, after: null }, request)).rows).toEqual([]);
      expect(await directory.find({ kind: 'email', value: verified.email }, request, always)).toBeNull();
    }
  });

  test('shows marketplace buyers for orders and service only', async () => {
    await using db = await open(identityTestMigrations);
    const buyer = aProfile({ system: 'marketplace', kind: 'MARKETPLACE_BUYER', ...phone });
    const alone = aProfile({ system: 'marketplace', externalId: 'p2', kind: 'MARKETPLACE_BUYER' });
    const { directory, ownId } = await setUp(db.database, aProfile(phone), buyer, alone);
    const list = async (purpose: 'ORDER_FULFILLMENT' | 'MARKETING' | null) =>
      (await directory.page({ first: 10, after: null }, aRequestOf({ purpose }))).rows.map(({ view }) => names(view));
    expect(await list('ORDER_FULFILLMENT')).toEqual([['crm:p1', 'marketplace:p1'], ['marketplace:p2']]);
    expect(await list('MARKETING')).toEqual([['crm:p1']]);
    expect(await list(null)).toEqual([['crm:p1']]);
    expect(await directory.subjectsOf([ownId('marketplace', 'p2')], marketer)).toEqual([null]);
  });

  test('shows nothing of erased people', async () => {
    await using db = await open(identityTestMigrations);
    const { directory, identity, ownId } = await setUp(db.database, aProfile(verified));
    await identity.tables.write.updateTable('subject').set({ flags: 'ERASED' }).execute();
    expect(await directory.byIds([ownId('crm')], marketer)).toEqual([null]);
    expect((await directory.page({ first: 10, after: null }, marketer)).rows).toEqual([]);
  });

  test('finds by each kind of key, prefers the proven holder, and answers nobody when several share it', async () => {
    await using db = await open(identityTestMigrations);
    const { directory, identity } = await setUp(
      db.database,
      aProfile({ ...verified, ...phone, loyaltyNumber: 'L-1001' }),
      aProfile({ externalId: 'typo', email: verified.email, familyName: 'Other' }),
      aProfile({ system: 'pos', externalId: 'p3', familyName: 'Third', ...phone }),
    );
    await identity.loyalty.writePage(
      aFeed<LoyaltyRecord>('pos', 'loyalty'),
      aPage(aLoyaltyAccount({ customerExternalId: 'p3', number: '+447700900123' })),
    );
    const find = async (key: Parameters<typeof directory.find>[0], mayUse = always) =>
      names(await directory.find(key, marketer, mayUse));
    expect(await find({ kind: 'email', value: ' ADA@example.com ' })).toEqual(['crm:p1']);
    expect(await find({ kind: 'loyaltyNumber', value: 'l1001' })).toEqual(['crm:p1']);
    expect(await find({ kind: 'loyaltyNumber', value: '07700 900123' })).toEqual(['pos:p3']);
    expect(await find({ kind: 'external', system: toSystemId('pos'), externalId: 'p3' })).toEqual(['pos:p3']);
    expect(await find({ kind: 'phone', value: '+44 20 7946 0018' })).toBeNull();
    expect(await find({ kind: 'email', value: verified.email }, async () => false)).toBeNull();
    expect(await find({ kind: 'email', value: 'nobody@example.com' })).toBeNull();
  });

  test('does not find test profiles', async () => {
    await using db = await open(identityTestMigrations);
    const { directory } = await setUp(db.database, aProfile({ ...verified, isTest: true }));
    expect(await directory.find({ kind: 'email', value: verified.email }, marketer, always)).toBeNull();
  });
});
