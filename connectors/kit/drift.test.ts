import { expect, it } from 'vitest';

import { posSquare } from '#connectors/pos-square/connector.ts';
import { systemClock } from '#platform/clock.ts';
import { systemConfig } from '#schema/model/configuration.ts';
import { codeOf, within } from '#test/support/conform-harness.ts';

import { connectSystem } from './connect-system.ts';
import type { Drift } from './runtime.ts';

const order = (id: string, more: object) => ({ id, location_id: 'L1', version: 1, state: 'OPEN', ...more });
const fine = order('fine', { fulfillments: [{ type: 'PICKUP', state: 'PREPARED' }] });

async function read(body: unknown, ids: readonly string[]) {
  const drifts: Drift[] = [];
  const silent = (): void => {};
  const pos = connectSystem(posSquare, {
    config: systemConfig.parse({
      id: 'pos',
      connector: 'pos-square',
      url: 'http://pos.test',
      credentials: { token: 't' },
    }),
    clock: systemClock,
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    trace: silent,
    onDrift: (drift) => drifts.push(drift),
    fetch: async () => await Promise.resolve(Response.json(body)),
  });
  const slots = (await pos.orders?.ordersById(ids, within(1_000))) ?? [];
  return { drifts, slots: slots.map((slot) => (slot instanceof Error ? codeOf(slot) : slot?.state)) };
}

const told = (kind: Drift['kind']): Drift => ({ system: 'pos', operation: 'BatchRetrieveOrders', kind });

it('is not told of an answer as the vendor promises', async () => {
  expect(await read({ orders: [fine], news: 'a new field' }, ['fine'])).toEqual({
    drifts: [],
    slots: ['READY_FOR_PICKUP'],
  });
});

it('is told of a word nobody knows, of a row and of a whole answer; what can be read is read', async () => {
  const strange = order('strange', { state: 'ON_THE_MOON' });
  expect(await read({ orders: [strange, fine] }, ['strange', 'fine'])).toEqual({
    drifts: [told('word')],
    slots: ['UNKNOWN', 'READY_FOR_PICKUP'],
  });
  expect(await read({ orders: [{ id: 5 }, fine] }, ['fine'])).toEqual({
    drifts: [told('row')],
    slots: ['READY_FOR_PICKUP'],
  });
  expect(await read({ orders: 'none' }, ['fine'])).toEqual({ drifts: [told('shape')], slots: ['UPSTREAM_CONTRACT'] });
});

it('is told of an instant to come, which is no age: the record is stale and undated', async () => {
  const drifts: Drift[] = [];
  const silent = (): void => {};
  const update = async (aheadMs: number) => {
    const updatedAt = new Date(Date.now() + aheadMs).toISOString();
    const pos = connectSystem(posSquare, {
      config: systemConfig.parse({
        id: 'pos',
        connector: 'pos-square',
        url: 'http://pos.test',
        credentials: { token: 't' },
      }),
      clock: systemClock,
      logger: { debug: silent, info: silent, warn: silent, error: silent },
      trace: silent,
      onDrift: (drift) => drifts.push(drift),
      fetch: async () => await Promise.resolve(Response.json({ orders: [{ ...fine, updated_at: updatedAt }] })),
    });
    const [slot] = (await pos.orders?.ordersById(['fine'], within(1_000))) ?? [];
    if (slot === null || slot === undefined || slot instanceof Error) throw new Error('the order can be read');
    return { asOf: slot.provenance.asOf === updatedAt, stale: slot.provenance.stale };
  };
  // Two clocks differ by so much.
  expect(await update(50_000)).toEqual({ asOf: true, stale: false });
  expect(drifts).toEqual([]);
  expect(await update(120_000)).toEqual({ asOf: false, stale: true });
  expect(drifts).toEqual([told('clock')]);
});
