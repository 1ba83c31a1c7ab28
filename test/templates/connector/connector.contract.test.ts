import { expect, it } from 'vitest';

import { connectSystem } from '#connectors/kit/connect-system.ts';
import { systemClock } from '#platform/clock.ts';
import { silentLogger } from '#platform/log.ts';
import type { CallScope } from '#schema/model/request.ts';
import { createTemplateVendor } from '#test/templates/connector/sandbox.ts';
import { tinyWorld } from '#test/support/tiny-world.ts';

import { erpTemplate } from './connector.ts';

const world = tinyWorld();
const vendor = createTemplateVendor();

function connect(credentials: Readonly<Record<string, string>> = vendor.credentials) {
  const config = { id: 'template', connector: erpTemplate.id, url: 'http://template.test', credentials, options: {} };
  return connectSystem(erpTemplate, {
    config,
    clock: systemClock,
    logger: silentLogger,
    trace: () => {},
    fetch: (input, init) => vendor.handler(new Request(input, init), world),
  });
}

function scope(): CallScope {
  return { requestId: 'r', deadlineAtMs: Date.now() + 10_000, signal: new AbortController().signal };
}

it('reads items by code, in order, with null for a code nobody has', async () => {
  const slots = await connect().items?.itemsByCode(['A2', 'NONE', 'A1'], scope());
  expect(slots).toMatchObject([
    { code: 'A2', title: 'Product A2', price: { amount: '10.00', currency: 'GBP' } },
    null,
    { code: 'A1', gtin: '4006381333931' },
  ]);
});

it('lists every item by feed, and in the next run what changed since', async () => {
  const feed = connect().itemFeed;
  const first = await feed?.readPage(null, scope());
  expect(first?.changes).toHaveLength(world.products.length);
  expect([first?.done, first?.leftOut]).toEqual([true, 0]);
  const again = await feed?.readPage(first?.cursor ?? null, scope());
  expect(again?.done).toBe(true);
});

it('says that its credentials are refused, and repeats none', async () => {
  const [slot] = (await connect({ token: 'wrong-token' }).items?.itemsByCode(['A1'], scope())) ?? [];
  expect(slot).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', system: 'template' });
  expect(slot instanceof Error && slot.message.includes('wrong-token')).toBe(false);
});

it('refuses options it does not know', () => {
  const config = { id: 'template', connector: erpTemplate.id, url: 'http://t', credentials: { token: 't' } };
  expect(() => erpTemplate.settings({ ...config, options: { tokn: 'x' } })).toThrow('unknown option "tokn"');
});
