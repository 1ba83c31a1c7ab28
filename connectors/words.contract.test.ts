import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import { systemClock } from '#platform/clock.ts';
import { connectSystem } from '#connectors/kit/connect-system.ts';
import { wordOf } from '#connectors/kit/text.ts';
import { wmsConnect } from '#connectors/wms-connect/connector.ts';
import { scope } from '#test/support/kit-system.ts';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const FILES = globSync('connectors/*/*.ts').filter((file) => !file.endsWith('.test.ts'));

it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', '', null, undefined])(
  'finds nothing for the word %s',
  (word) => {
    expect(wordOf({ OPEN: 1 }, word)).toBe(null);
    expect(wordOf({ OPEN: 1 }, 'OPEN')).toBe(1);
  },
);

it('has no connector that looks a word up by itself', () => {
  const found = FILES.flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    const tables = [...text.matchAll(/const (\w+): Readonly<Record<string,/g)].map(([, name = '']) => name);
    return tables.filter((name) => text.includes(`${name}[`)).map((name) => `${file}: ${name}`);
  });
  expect(FILES.length).toBeGreaterThan(60);
  expect(found).toEqual([]);
});

it('reads a state named like a property of every object as unknown', async () => {
  const changes = [
    { fulfillment_provider_order_id: '1', status: 'constructor' },
    { fulfillment_provider_order_id: '2', status: 'Processing', fulfillments: [{ reason: 'constructor' }] },
  ];
  const system = connectSystem(wmsConnect, {
    config: {
      id: 'wms',
      connector: wmsConnect.id,
      url: 'http://vendor.test',
      credentials: { apiKey: 'k' },
      options: {},
    },
    clock: systemClock,
    logger: silent,
    trace: () => {},
    fetch: () => Promise.resolve(Response.json({ changes })),
  });
  const page = await system.orderFeed?.readPage(null, scope());
  expect(page?.changes).toMatchObject([
    { value: { state: 'UNKNOWN', vendorState: 'constructor' } },
    { value: { state: 'PICKING', vendorState: 'Processing' } },
  ]);
});
