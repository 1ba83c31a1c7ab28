import { beforeAll, describe, expect, test } from 'vitest';
import type { World } from '#sandbox/world/types.ts';
import { contractsAvailable, loadContract } from '#test/support/contracts.ts';
import type { Contract } from '#test/support/contracts.ts';
import { tinyWorld } from '#test/support/tiny-world.ts';
import { createVendorCall } from '#test/support/vendor-call.ts';
import type { Answer } from '#test/support/vendor-call.ts';
import { createSquareVendor } from './pos-square.ts';

const NOW = Date.parse('2026-03-05T12:00:00.000Z');
const vendor = createSquareVendor({ nowMs: () => NOW });
let contract: Contract | null = null;
const call = createVendorCall({
  vendor,
  headers: () => ({ authorization: `Bearer ${vendor.credentials.token}` }),
  contractOf: (path) => (path.includes('%') || path.includes('__proto__') ? null : contract),
});

beforeAll(async () => {
  if (contractsAvailable()) contract = await loadContract('square/square-2025-08-20.json', { closed: true });
});

const codes = ({ body }: Answer): string[] => body.errors.map((error: { code: string }) => error.code);

describe('Square inventory', () => {
  const counts = (world: World, body: object) => call(world, 'POST', '/v2/inventory/counts/batch-retrieve', body);

  test('counts are decimal texts, free and reserved units apart, and may be negative', async () => {
    const { body } = await counts(tinyWorld(), { catalog_object_ids: ['VAR-A1'] });
    const told = body.counts.map((count: Answer['body']) => [count.location_id, count.state, count.quantity]);
    expect(told.toSorted()).toEqual([
      ['LOC1', 'IN_STOCK', '6'],
      ['LOC1', 'RESERVED_FOR_SALE', '4'],
      ['LOC2', 'IN_STOCK', '-2'],
      ['LOC2', 'RESERVED_FOR_SALE', '3'],
    ]);
  });

  test('counts are filtered and paged, newest first, without a doubled or a missing one', async () => {
    const world = tinyWorld();
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await counts(world, { states: ['IN_STOCK'], limit: 1, ...(cursor ? { cursor } : {}) });
      seen.push(...page.body.counts.map((count: Answer['body']) => `${count.catalog_object_id}@${count.location_id}`));
      cursor = page.body.cursor;
    } while (cursor !== undefined);
    expect(seen.toSorted()).toEqual(['VAR-A1@LOC1', 'VAR-A1@LOC2', 'VAR-A2@LOC1']);
    expect((await counts(world, { updated_after: world.builtAt })).body).toEqual({});
    expect((await counts(world, { location_ids: ['LOC2'] })).body.counts).toHaveLength(2);
  });

  test('a batch of changes moves the world once per idempotency key', async () => {
    const world = tinyWorld();
    const sold = {
      type: 'ADJUSTMENT',
      adjustment: {
        catalog_object_id: 'VAR-A1',
        location_id: 'LOC1',
        from_state: 'IN_STOCK',
        to_state: 'SOLD',
        quantity: '2',
        occurred_at: '2026-03-05T11:00:00Z',
      },
    };
    const body = { idempotency_key: 'k1', changes: [sold] };
    const first = await call(world, 'POST', '/v2/inventory/changes/batch-create', body);
    expect(first.status).toBe(200);
    const again = await call(world, 'POST', '/v2/inventory/changes/batch-create', body);
    expect(again.body).toEqual(first.body);
    expect(world.stock.get('A1@S01')).toMatchObject({
      onHand: 8,
      committed: 4,
      changedAt: new Date(NOW).toISOString(),
    });
    expect(world.sequence).toBe(1);
    const changed = await counts(world, { updated_after: world.builtAt, states: ['IN_STOCK'] });
    expect(changed.body.counts).toMatchObject([{ catalog_object_id: 'VAR-A1', location_id: 'LOC1', quantity: '4' }]);
    const reused = await call(world, 'POST', '/v2/inventory/changes/batch-create', { ...body, changes: [sold, sold] });
    expect(codes(reused)).toEqual(['IDEMPOTENCY_KEY_REUSED']);
  });

  test('a physical count sets a state, and one bad change leaves the whole batch undone', async () => {
    const world = tinyWorld();
    const count = (variation: string) => ({
      type: 'PHYSICAL_COUNT',
      physical_count: {
        catalog_object_id: variation,
        location_id: 'LOC2',
        state: 'IN_STOCK',
        quantity: '7',
        occurred_at: '2026-03-05T11:00:00Z',
      },
    });
    const bad = await call(world, 'POST', '/v2/inventory/changes/batch-create', {
      idempotency_key: 'a',
      changes: [count('VAR-A1'), count('NOPE')],
    });
    expect([bad.status, world.sequence]).toEqual([404, 0]);
    await call(world, 'POST', '/v2/inventory/changes/batch-create', {
      idempotency_key: 'b',
      changes: [count('VAR-A1'), count('VAR-A2')],
    });
    expect(world.stock.get('A1@S02')).toMatchObject({ onHand: 10, committed: 3 });
    expect(world.stock.get('A2@S02')).toMatchObject({ onHand: 7, committed: 0 });
    expect((await counts(world, { catalog_object_ids: ['VAR-A2'], location_ids: ['LOC2'] })).body.counts).toHaveLength(
      2,
    );
  });
});
