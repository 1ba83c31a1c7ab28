import { expect, test } from 'vitest';

import { createSharedHealth, type SharedHealthOptions } from './shared-health.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { ConnectedSystem, SystemHealth } from '#schema/model/sources.ts';

const CLOSED = { read: 'CLOSED', feed: 'CLOSED', write: 'CLOSED' } as const;
const UP: SystemHealth = { state: 'UP', readsFail: false, lastErrorCode: null, clockAheadMs: null, breakers: CLOSED };
const DOWN: SystemHealth = {
  ...UP,
  state: 'DOWN',
  readsFail: true,
  lastErrorCode: 'UPSTREAM_TIMEOUT',
  breakers: { ...CLOSED, read: 'OPEN' },
};

/** A Redis whose keys end when the test says so. */
function aDoor() {
  const values = new Map<string, string>();
  const ttls: number[] = [];
  return {
    values,
    ttls,
    door: {
      getMany: async (keys: readonly string[]) => await Promise.resolve(keys.map((key) => values.get(key) ?? null)),
      setMany: async (entries: readonly { key: string; value: string; ttlMs: number }[]) => {
        for (const { key, value, ttlMs } of entries) {
          values.set(key, value);
          ttls.push(ttlMs);
        }
        await Promise.resolve();
      },
    },
  };
}

function aProcess(door: SharedHealthOptions['door'], own: string) {
  const seen = { pos: UP };
  // Health reads a name and asks for the health, nothing else.
  const systems = [{ system: toSystemId('pos'), health: () => seen.pos }] as unknown as ConnectedSystem[];
  const shared = createSharedHealth({ door, own, others: ['catalog', 'inventory', 'orders'], systems });
  return { ...shared, seen, health: () => shared.systems[0]?.health() };
}

test('a system is as bad as the worst any process says of it, until nobody says so any more', async () => {
  const { door, values, ttls } = aDoor();
  const [catalog, inventory] = [aProcess(door, 'catalog'), aProcess(door, 'inventory')];
  inventory.seen.pos = DOWN;
  await inventory.look();
  await catalog.look();
  expect(catalog.health()).toEqual(DOWN);
  expect(ttls).toEqual([6_000]);
  values.clear();
  await catalog.look();
  expect(catalog.health()).toEqual(UP);
});

test('processes that see no trouble write nothing, and nonsense of others is not believed', async () => {
  const { door, values } = aDoor();
  const catalog = aProcess(door, 'catalog');
  await catalog.look();
  expect(values.size).toBe(0);
  values.set('mortar:health:2:pos:orders', 'nonsense');
  values.set('mortar:health:2:pos:inventory', '{"state":"ON FIRE"}');
  await catalog.look();
  expect(catalog.health()).toEqual(UP);
});

test('what this process sees by itself counts while Redis is away', async () => {
  const { door } = aDoor();
  const away = { ...door, getMany: async () => await Promise.resolve(null) };
  const catalog = aProcess(away, 'catalog');
  catalog.seen.pos = DOWN;
  await catalog.look();
  expect(catalog.health()).toEqual(DOWN);
});
