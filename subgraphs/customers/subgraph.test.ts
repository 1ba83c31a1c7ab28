import { expect, test } from 'vitest';

import { createCustomersSubgraph } from './subgraph.ts';
import { createCustomerDirectory } from '#domain/identity/customer-directory.ts';
import { createProfileReader } from '#domain/identity/customer-values.ts';
import { createChanges } from '#platform/changes.ts';
import { createCursors } from '#platform/cursors.ts';
import type { Database } from '#platform/database.ts';
import { MortarError } from '#platform/errors.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { LoyaltyRecord, ProfileRecord } from '#schema/model/records.ts';
import type { LoyaltySource, ProfileSource } from '#schema/model/sources.ts';
import { openTestSqlite } from '#test/support/databases.ts';
import { aTestIdentity, identityTestMigrations } from '#test/support/identity.ts';
import { aFeed, aLoyaltyAccount, aPage, aProfile } from '#test/support/people.ts';
import { aRequestOf, askSubgraph, decidersOf } from '#test/support/requests.ts';

const verified = { email: 'ada@example.com', emailVerified: true } as const;
const crmProfile = aProfile({ ...verified, phone: '020 7946 0018', asOf: '2026-01-02T00:00:00.000Z' });
const posProfile = aProfile({ system: 'pos', ...verified, givenName: 'Ada M.', birthDate: '1990-05-01' });

const support = () => aRequestOf({ purpose: 'SERVICE_SUPPORT' });

interface Setup {
  readonly profiles?: readonly ProfileRecord[];
  /** Systems that do not answer. */
  readonly down?: readonly string[];
  readonly decide?: Parameters<typeof decidersOf>[0];
  readonly isLoading?: boolean;
}

async function setUp(database: Database, setup: Setup = {}) {
  const { profiles = [crmProfile, posProfile], down = [], decide, isLoading = false } = setup;
  const identity = aTestIdentity(database);
  for (const [system, group] of Map.groupBy(profiles, (profile) => profile.system)) {
    await identity.profiles.writePage(aFeed<ProfileRecord>(system, 'customers'), aPage(...group));
  }
  const calls: string[] = [];
  const fail = (system: string) => new MortarError('UPSTREAM_TIMEOUT', { system });
  const profileSource = (system: string): ProfileSource => ({
    system: toSystemId(system),
    connector: `${system}-test`,
    profilesById: async (ids) => {
      calls.push(`${system} ${ids.length}`);
      if (down.includes(system)) return ids.map(() => fail(system));
      return ids.map(
        (id) => profiles.find((profile) => profile.system === system && profile.externalId === id) ?? null,
      );
    },
  });
  const loyaltySource: LoyaltySource = {
    system: toSystemId('pos'),
    connector: 'pos-test',
    loyaltyByCustomer: async (ids) =>
      ids.map((id): readonly LoyaltyRecord[] | Error =>
        down.includes('pos') ? fail('pos') : [aLoyaltyAccount({ customerExternalId: id })],
      ),
  };
  const cursors = createCursors(new Uint8Array(32).fill(9));
  const subgraph = createCustomersSubgraph({
    directory: createCustomerDirectory({ database, matchKeys: identity.matchKeys, cursors, country: 'GB' }),
    profiles: createProfileReader({
      database,
      cipher: identity.cipher,
      profileSources: [profileSource('crm'), profileSource('pos')],
      loyaltySources: [loyaltySource],
    }),
    trusted: ['crm', 'pos'].map(toSystemId),
    loadingSystems: () => (isLoading ? [toSystemId('crm')] : []),
    deciders: decidersOf(decide),
    changes: createChanges({ key: new Uint8Array(32) }),
  });
  return { subgraph, calls, identity };
}

const EVERYTHING = `{ customers { totalCount pageInfo { hasNextPage } nodes {
  id name email phone addresses { city } birthDate preferences { brands }
  loyalty { tier points { value provenance { source { reference } } } }
  profiles { system link { tier evidence } provenance { lane } }
  survivorship { field reason }
} } }`;

test('a list of customers that is still being loaded has no total and says so', async () => {
  await using db = await openTestSqlite(identityTestMigrations);
  const { subgraph } = await setUp(db.database, { isLoading: true });
  const { data, degraded } = await askSubgraph(subgraph, '{ customers(first: 1) { totalCount nodes { __typename } } }');
  expect(data).toEqual({ customers: { totalCount: null, nodes: [{ __typename: 'Customer' }] } });
  expect(degraded).toMatchObject([{ system: 'crm', stale: true, degraded: true, path: ['customers'] }]);
});

test('a customer is one record over its profiles, read once a system, with the origin of each field', async () => {
  await using db = await openTestSqlite(identityTestMigrations);
  const { subgraph, calls } = await setUp(db.database);
  const { data, errors, degraded } = await askSubgraph(subgraph, EVERYTHING, { request: support() });
  expect(errors).toEqual([]);
  expect(degraded).toEqual([]);
  expect(data).toMatchObject({
    customers: {
      totalCount: 1,
      pageInfo: { hasNextPage: false },
      nodes: [
        {
          name: 'Ada M. Byron',
          email: 'ada@example.com',
          phone: '020 7946 0018',
          addresses: null,
          birthDate: '1990-05-01',
          preferences: null,
          loyalty: [{ tier: 'GOLD', points: { value: 120, provenance: { source: { reference: null } } } }],
          profiles: [
            { system: 'crm', link: { tier: 'VERIFIED_KEY', evidence: ['verifiedEmail'] } },
            { system: 'pos', link: { tier: 'VERIFIED_KEY' } },
          ],
          survivorship: [
            { field: 'name', reason: 'MOST_RECENT' },
            { field: 'email', reason: 'MOST_RECENT' },
            { field: 'phone', reason: 'ONLY_SOURCE' },
            { field: 'birthDate', reason: 'ONLY_SOURCE' },
          ],
        },
      ],
    },
  });
  expect(calls.toSorted()).toEqual(['crm 1', 'pos 1']);
});

test('100 customers cost one profile read', async () => {
  await using db = await openTestSqlite(identityTestMigrations);
  const profiles = Array.from({ length: 100 }, (_, index) => aProfile({ externalId: `p${index}` }));
  const { subgraph, calls } = await setUp(db.database, { profiles });
  await askSubgraph(subgraph, '{ customers(first: 100) { nodes { name email phone } } }');
  expect(calls).toEqual(['crm 100']);
});

test('nothing is read for fields that are withheld or public', async () => {
  await using db = await openTestSqlite(identityTestMigrations);
  const { subgraph, calls } = await setUp(db.database, {
    decide: () => ({ allowed: false, reason: 'CONSENT_REQUIRED' }),
  });
  const { data, refusals } = await askSubgraph(subgraph, '{ customers { nodes { name email profiles { id } } } }');
  expect(data).toMatchObject({ customers: { nodes: [{ name: null, email: null }] } });
  expect(refusals).toHaveLength(2);
  expect(calls).toEqual([]);
});

test('a source that is down costs the fields only it has; the others are served and flagged', async () => {
  await using db = await openTestSqlite(identityTestMigrations);
  const { subgraph } = await setUp(db.database, { down: ['pos'] });
  const document = '{ customers { nodes { name birthDate loyalty { id } } } }';
  const result = await askSubgraph(subgraph, document, { request: support() });
  expect(result.data).toEqual({ customers: { nodes: [{ name: 'Ada Byron', birthDate: null, loyalty: null }] } });
  expect(result.codes).toEqual(['UPSTREAM_TIMEOUT', 'UPSTREAM_TIMEOUT']);
  expect(result.degraded).toEqual([
    {
      system: 'pos',
      lane: 'REALTIME',
      asOf: null,
      stale: false,
      degraded: true,
      path: ['customers', 'nodes', 0, 'name'],
    },
  ]);
});

test('finds a person by e-mail only where that field may be read', async () => {
  await using db = await openTestSqlite(identityTestMigrations);
  const document = '{ findCustomer(by: { email: "ADA@example.com" }) { profiles { system } } }';
  const open = await setUp(db.database);
  expect((await askSubgraph(open.subgraph, document)).data).toMatchObject({
    findCustomer: { profiles: [{ system: 'crm' }, { system: 'pos' }] },
  });
  const asked: string[] = [];
  const closed = await setUp(db.database, {
    decide: (field) => {
      asked.push(field.coordinate);
      return { allowed: false, reason: 'CONSENT_REQUIRED' };
    },
  });
  expect((await askSubgraph(closed.subgraph, document)).data).toEqual({ findCustomer: null });
  expect(asked).toEqual(['Customer.email']);
});

test.each([
  ['a purpose the field never serves', { role: 'marketer', purposes: ['PERSONALIZATION'] }, 'PERSONALIZATION'],
  ['a role that never may', { role: 'marketer', purposes: ['SERVICE_SUPPORT'] }, 'SERVICE_SUPPORT'],
  ['no purpose', { role: 'marketer', purposes: ['MARKETING', 'PERSONALIZATION'] }, null],
] as const)(
  'looks nobody up by e-mail for %s, and says so whoever holds the address',
  async (_, principal, purpose) => {
    await using db = await openTestSqlite(identityTestMigrations);
    const { subgraph } = await setUp(db.database, {
      decide: () => {
        throw new Error('asked about somebody');
      },
    });
    const request = aRequestOf({ purpose, principal });
    for (const email of ['ada@example.com', 'nobody@example.com']) {
      const document = `{ x: findCustomer(by: { email: "${email}" }) { id } }`;
      const { data, refusals } = await askSubgraph(subgraph, document, { request });
      expect(data).toEqual({ x: null });
      expect(refusals).toEqual([
        { coordinate: 'Customer.email', purpose, reason: 'PURPOSE_NOT_ALLOWED', rowKey: '', path: ['x'] },
      ]);
    }
  },
);

test('a search judges somebody for each key, and is refused alike, whether anybody holds it or not', async () => {
  await using db = await openTestSqlite(identityTestMigrations);
  const judged: number[] = [];
  const answers: unknown[] = [];
  for (const reason of ['CONSENT_REQUIRED', 'LEDGER_UNAVAILABLE'] as const) {
    const { subgraph } = await setUp(db.database, {
      decide: (_field, subjects) => {
        judged.push(Math.sign(subjects.length));
        return { allowed: false, reason };
      },
    });
    for (const email of ['ada@example.com', 'nobody@example.com']) {
      const document = `{ findCustomer(by: { email: "${email}" }) { id } }`;
      const { data, refusals } = await askSubgraph(subgraph, document);
      answers.push([data, refusals.map((refusal) => refusal.reason)]);
    }
  }
  expect(judged).toEqual([1, 1, 1, 1]);
  const refused = (...reasons: string[]) => [{ findCustomer: null }, reasons];
  expect(answers).toEqual([refused(), refused(), refused('LEDGER_UNAVAILABLE'), refused('LEDGER_UNAVAILABLE')]);
});

test.each([
  ['no key', '{}', 'exactly one of'],
  ['two keys', '{ email: "a@x.test", phone: "1" }', 'exactly one of'],
  ['an empty key', '{ email: " " }', '`by.email` needs'],
])('refuses to find by %s and says why without repeating it', async (_, by, reason) => {
  await using db = await openTestSqlite(identityTestMigrations);
  const { subgraph } = await setUp(db.database);
  const { codes, errors } = await askSubgraph(subgraph, `{ findCustomer(by: ${by}) { id } }`);
  expect(codes).toEqual(['BAD_USER_INPUT']);
  expect(errors[0]?.message).toContain(reason);
  expect(errors[0]?.message).not.toContain('a@x.test');
});

test('says of a foreign cursor what is wrong with it', async () => {
  await using db = await openTestSqlite(identityTestMigrations);
  const { subgraph } = await setUp(db.database);
  const { codes, errors } = await askSubgraph(
    subgraph,
    '{ customers(after: "made-up-cursor-of-mine") { nodes { id } } }',
  );
  expect(codes).toEqual(['BAD_USER_INPUT']);
  expect(errors[0]?.message).toContain('does not belong to this list');
});

test('references answer customers the caller may see and never echo what was sent', async () => {
  await using db = await openTestSqlite(identityTestMigrations);
  const { subgraph } = await setUp(db.database);
  const ids = await askSubgraph(subgraph, '{ customers { nodes { id } } }');
  const { id } = (ids.data as { customers: { nodes: { id: string }[] } }).customers.nodes[0]!;
  const document = 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Customer { id name } } }';
  const variables = {
    r: [id, 'cus_absent'].map((key) => ({ __typename: 'Customer', id: key, name: 'forged', subjects: ['sub_x'] })),
  };
  expect((await askSubgraph(subgraph, document, { variables })).data).toEqual({
    _entities: [{ id, name: 'Ada M. Byron' }, null],
  });
  const request = aRequestOf({ principal: { role: 'partner' } });
  expect((await askSubgraph(subgraph, document, { variables, request })).data).toEqual({ _entities: [null, null] });
});

test('asks for the scope customers:read', async () => {
  await using db = await openTestSqlite(identityTestMigrations);
  const { subgraph } = await setUp(db.database);
  const request = aRequestOf({ principal: { scopes: new Set(['orders:read']) } });
  expect((await askSubgraph(subgraph, EVERYTHING, { request })).codes).toEqual(['SCOPE_REQUIRED']);
});
