import { expect, it } from 'vitest';

import { createProfileReader } from './customer-values.ts';
import { type SystemId, toProfileId, toSubjectId, toSystemId } from '#schema/model/ids.ts';
import type { LoyaltyRecord } from '#schema/model/records.ts';
import { identityMigrations } from './migrations.ts';
import { aScope } from '#test/support/catalog.ts';
import { openTestSqlite } from '#test/support/databases.ts';
import { aTestIdentity } from '#test/support/identity.ts';

const pos = toSystemId('pos');
const member = (externalId: string, kind: 'PROFILE' | 'GUEST', system: SystemId = pos) => ({
  profile: toProfileId(`prf_${externalId}`),
  subject: toSubjectId(`sub_${externalId}`),
  system,
  externalId,
  kind,
});

it.each([
  ['first', ['guest', 'p1', 'p2']],
  ['last', ['p1', 'p2', 'guest']],
])(
  'reads the loyalty of every profile with one call, also where a guest of the system stands %s',
  async (_at, order) => {
    await using db = await openTestSqlite(identityMigrations);
    const asked: (readonly string[])[] = [];
    const port = { system: pos, connector: 'pos-test' };
    const reader = createProfileReader({
      database: db.database,
      cipher: aTestIdentity(db.database).cipher,
      profileSources: [{ ...port, profilesById: async (ids) => ids.map(() => null) }],
      loyaltySources: [
        {
          ...port,
          loyaltyByCustomer: async (ids) => {
            asked.push(ids);
            return ids.map((id) => [{ externalId: `account of ${id}` } as unknown as LoyaltyRecord]);
          },
        },
      ],
    });
    const members = order.map((id) => member(id, id === 'guest' ? 'GUEST' : 'PROFILE'));
    const slots = await reader.readLoyalty([...members, member('c1', 'PROFILE', toSystemId('crm'))], aScope());
    const accountsOf = (id: string) => (id === 'guest' ? [] : [{ externalId: `account of ${id}` }]);
    expect(slots).toEqual([...order.map(accountsOf), []]);
    expect(asked).toEqual([['p1', 'p2']]);
  },
);
