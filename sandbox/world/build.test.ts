import { beforeAll, describe, expect, test } from 'vitest';
import { buildWorld } from './build.ts';
import { indexOf, systemKey } from './index-of.ts';
import { COMMITTED_STAGES } from './stock.ts';
import type { World, WorldOrder } from './types.ts';

const builtAt = '2026-11-20T00:00:00.000Z';
const dayMs = 86_400_000;
let world: World;

beforeAll(async () => {
  world = await buildWorld({ seed: 1, scale: 'small', builtAt });
});

const comparable = (built: World) => JSON.stringify({ ...built, stock: [...built.stock] });

describe('the world', () => {
  test('is the same to the last character for the same seed, and another for another seed', async () => {
    const again = await buildWorld({ seed: 1, scale: 'small', builtAt });
    const other = await buildWorld({ seed: 2, scale: 'small', builtAt });
    expect(comparable(again)).toBe(comparable(world));
    expect(comparable(other)).not.toBe(comparable(world));
  });

  test('has 12 stores, 2 warehouses, a supplier and a marketplace warehouse, each with one home id', () => {
    const count = (kind: string) => world.places.filter((place) => place.kind === kind).length;
    expect({
      STORE: count('STORE'),
      WAREHOUSE: count('WAREHOUSE'),
      SUPPLIER: count('SUPPLIER'),
      MARKETPLACE_WAREHOUSE: count('MARKETPLACE_WAREHOUSE'),
    }).toEqual({
      STORE: 12,
      WAREHOUSE: 2,
      SUPPLIER: 1,
      MARKETPLACE_WAREHOUSE: 1,
    });
    expect(world.places.every((place) => Object.keys(place.ids).length === 1)).toBe(true);
  });

  test('has a store that never closes, one shut on Sundays and one open past midnight', () => {
    const stores = world.places.filter((place) => place.kind === 'STORE');
    expect(stores.some((store) => store.openingPeriods.every((period) => period.closesAt === '24:00'))).toBe(true);
    expect(stores.some((store) => store.openingPeriods.every((period) => period.weekday !== 7))).toBe(true);
    expect(stores.some((store) => store.openingPeriods.some((period) => period.closesAt < period.opensAt))).toBe(true);
  });

  test('lies before the instant it was built for, open orders at most ten days', () => {
    const late = [
      ...world.orders.flatMap((order) => [order.placedAt, order.updatedAt]),
      ...world.consents.map((one) => one.at),
    ];
    expect(late.every((at) => at < builtAt)).toBe(true);
    const open = world.orders.filter((order) => COMMITTED_STAGES.has(order.stage));
    expect(open.every((order) => Date.parse(builtAt) - Date.parse(order.placedAt) < 11 * dayMs)).toBe(true);
    expect(open.length).toBeGreaterThan(20);
  });

  test('has orders of every stage and channel, guests, and weighed and hazardous goods', () => {
    expect(new Set(world.orders.map((order) => order.stage)).size).toBe(13);
    expect(new Set(world.orders.map((order) => order.channel))).toEqual(new Set(['web', 'app', 'store', 'amazon']));
    expect(world.orders.some((order) => order.guest !== null)).toBe(true);
    expect(world.products.some((product) => product.hazardous)).toBe(true);
    expect(new Set(world.products.map((product) => product.baseUnit))).toEqual(
      new Set(['PIECE', 'GRAM', 'MILLILITER']),
    );
    expect(new Set(world.orders.map((order) => order.orderNumber)).size).toBe(world.orders.length);
  });

  test('carries each order in the systems of its channel', () => {
    const systemsOf = (order: WorldOrder) => Object.keys(order.ids).toSorted().join('+');
    const seen = Map.groupBy(world.orders, (order) => order.channel);
    expect(new Set(seen.get('store')?.map(systemsOf))).toEqual(new Set(['pos']));
    expect(new Set(seen.get('amazon')?.map(systemsOf))).toEqual(new Set(['marketplace']));
    expect(new Set(seen.get('web')?.map(systemsOf))).toEqual(new Set(['erp', 'erp+wms', 'erp+pos']));
  });

  test('promises exactly the units of the open orders, and never more than a place holds', () => {
    const promised = new Map<string, number>();
    for (const order of world.orders.filter(({ stage }) => COMMITTED_STAGES.has(stage))) {
      for (const line of order.lines) {
        const key = `${line.sku}@${order.place}`;
        promised.set(key, (promised.get(key) ?? 0) + line.quantity);
      }
    }
    for (const [key, row] of world.stock) {
      expect(row.committed).toBe(promised.get(key) ?? 0);
      expect(row.onHand >= row.committed || row.onHand < 0).toBe(true);
    }
  });

  test('has zero stock, and three till counts below zero', () => {
    const rows = [...world.stock.values()];
    expect(rows.some((row) => row.onHand === 0)).toBe(true);
    const negative = rows.filter((row) => row.onHand < 0);
    expect(negative.map((row) => row.place.startsWith('S0'))).toEqual([true, true, true]);
  });
});

describe('the people', () => {
  test('overlap in every designed way', () => {
    const { people } = world;
    const both = people.filter((person) => person.profiles.length > 1);
    const sameEmail = both.filter(
      ({ profiles: [a, b] }) => a?.email !== null && a?.email === b?.email && a?.emailVerified && b?.emailVerified,
    );
    const samePhone = both.filter(
      ({ profiles: [a, b] }) => a?.phone !== b?.phone && digits(a?.phone) === digits(b?.phone),
    );
    const sameCard = both.filter(({ profiles: [a, b] }) => a?.loyaltyNumber && a.loyaltyNumber === b?.loyaltyNumber);
    expect([sameEmail, samePhone, sameCard].map((found) => found.length > 5)).toEqual([true, true, true]);
    const typos = people.filter(
      ({ profiles: [a, b] }) => a?.system === 'crm' && b?.system === 'crm' && a.familyName !== b.familyName,
    );
    expect(typos.length).toBeGreaterThan(0);
    expect(people.some((person) => person.isTest)).toBe(true);
    expect(people.some((person) => person.profiles.every((profile) => profile.email === null))).toBe(true);
    expect(new Set(people.map((person) => person.country))).toEqual(new Set(['GB', 'DE', 'FR', 'US']));
  });

  test('share an e-mail address only inside one person or a household of two given names', () => {
    const holders = Map.groupBy(
      world.profiles.filter((profile) => profile.email !== null),
      (profile) => profile.email,
    );
    const shared = [...holders.values()].filter((rows) => new Set(rows.map((row) => row.personId)).size > 1);
    expect(shared.length).toBeGreaterThan(0);
    for (const rows of shared) {
      expect(rows).toHaveLength(2);
      expect(new Set(rows.map((row) => row.givenName)).size).toBe(2);
      expect(new Set(rows.map((row) => row.familyName)).size).toBe(1);
    }
  });

  test('have two generations with one phone and surname and two birth dates', () => {
    const pairs = Map.groupBy(
      world.profiles.filter((profile) => profile.phone !== null),
      (profile) => `${profile.phone} ${profile.familyName}`,
    );
    const generations = [...pairs.values()].filter((rows) => new Set(rows.map((row) => row.personId)).size === 2);
    expect(generations.length).toBeGreaterThan(0);
    expect(generations.every(([a, b]) => a?.birthDate !== b?.birthDate)).toBe(true);
  });

  test.each(['small', 'medium'] as const)('have values no other person has (%s)', async (scale) => {
    const { profiles, orders } = await buildWorld({ seed: 3, scale, builtAt });
    const guests = orders.flatMap((order) =>
      order.guest === null ? [] : [{ ...order.guest, personId: order.orderNumber }],
    );
    const given = new Map<string, string>();
    const streets = new Set<string>();
    for (const { givenName, address, personId } of [...profiles, ...guests]) {
      expect(given.get(givenName) ?? personId).toBe(personId);
      given.set(givenName, personId);
      if (address === null) continue;
      expect(streets.has(address.street)).toBe(false);
      streets.add(address.street);
    }
    const ids = profiles.map((profile) => systemKey(profile.system, profile.externalId));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('the past decisions', () => {
  test('are of every kind, in order, and name profiles that exist', () => {
    const { consents } = world;
    expect(new Set(consents.map((one) => one.decision))).toEqual(new Set(['GRANT', 'DENY', 'WITHDRAW', 'OBJECT']));
    expect(new Set(consents.map((one) => one.medium))).toEqual(new Set([null, 'EMAIL', 'SMS', 'PHONE']));
    expect(consents.every((one) => (one.purpose === 'THIRD_PARTY_SHARING') === (one.recipient !== null))).toBe(true);
    expect(consents.map((one) => one.at)).toEqual(consents.map((one) => one.at).toSorted());
    const known = indexOf(world).profileBySystemId;
    expect(consents.every((one) => known.has(systemKey(one.system, one.externalId)))).toBe(true);
    const lapsed = consents.filter((one) => Date.parse(builtAt) - Date.parse(one.at) > 730 * dayMs);
    expect(lapsed.length).toBeGreaterThan(0);
    const asked = new Set(consents.map((one) => one.externalId));
    expect(world.profiles.filter((profile) => !asked.has(profile.externalId)).length).toBeGreaterThan(30);
  });
});

function digits(phone: string | null | undefined): string {
  return (phone ?? '').replace('(0)', '').replaceAll(/\D/g, '').slice(-9);
}
