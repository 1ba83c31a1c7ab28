import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildWorld } from '#sandbox/world/build.ts';
import { readOnlineRetail } from './online-retail.ts';
import { readStoreSites } from './store-sites.ts';

const HEADER = 'invoice,sku,description,quantity,ts,unit_price,customer_id,country';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mortar-dataset-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(name: string, lines: readonly string[]): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, name.endsWith('.gz') ? gzipSync(lines.join('\n')) : lines.join('\n'));
  return file;
}

describe('Online Retail transactions', () => {
  test('become products, customers and invoices; fees and stock corrections are left out', async () => {
    const file = await fileOf('good.csv.gz', [
      HEADER,
      '1,85123a,"HEART, WHITE",6,2011-11-21 08:02:00,2.95,18080,Germany',
      '1,POST,POSTAGE,1,2011-11-21 08:02:00,18.00,18080,Germany',
      '2,85123A,"HEART, WHITE",1,2011-11-21 09:00:00,2.95,,United Kingdom',
      '3,21429,damaged,-4,2011-11-21 09:30:00,0,,United Kingdom',
      'C4,85123A,"HEART, WHITE",-2,2011-11-21 10:00:00,2.55,18080,Germany',
    ]);
    expect(await readOnlineRetail(file)).toEqual({
      products: [{ sku: '85123A', title: 'HEART, WHITE', priceMinor: 295 }],
      customers: [{ id: '18080', country: 'DE' }],
      invoices: [
        {
          number: '1',
          customerId: '18080',
          atMs: Date.UTC(2011, 10, 21, 8, 2),
          refunded: false,
          lines: [{ sku: '85123A', quantity: 6, unitPriceMinor: 295 }],
        },
        {
          number: '2',
          customerId: null,
          atMs: Date.UTC(2011, 10, 21, 9),
          refunded: false,
          lines: [{ sku: '85123A', quantity: 1, unitPriceMinor: 295 }],
        },
        {
          number: '4',
          customerId: '18080',
          atMs: Date.UTC(2011, 10, 21, 10),
          refunded: true,
          lines: [{ sku: '85123A', quantity: 2, unitPriceMinor: 255 }],
        },
      ],
    });
  });

  test.each([
    ['a missing column', ['invoice,sku'], /bad.csv:1: the column description.* is missing/],
    ['a short row', [HEADER, '1,85123A,HEART'], /bad.csv:2: 3 fields, expected 8/],
    [
      'a quantity that is no number',
      [HEADER, '1,85123A,HEART,six,2011-11-21 08:02:00,2.95,,X'],
      /bad.csv:2: quantity "six"/,
    ],
    ['a date that is none', [HEADER, '1,85123A,HEART,6,yesterday,2.95,,X'], /bad.csv:2: ts "yesterday"/],
    ['an empty file', [], /bad.csv:1: the file is empty/],
    ['no product at all', [HEADER], /bad.csv: no product line found/],
  ])('with %s are refused with file and line', async (_name, lines, message) => {
    await expect(readOnlineRetail(await fileOf('bad.csv', lines))).rejects.toThrow(message);
  });

  test('that cannot be read or unpacked are refused with the file', async () => {
    await expect(readOnlineRetail(join(folder, 'none.csv.gz'))).rejects.toThrow(
      /cannot read the data file .*none.csv.gz/,
    );
    const torn = join(folder, 'torn.csv.gz');
    await writeFile(torn, 'no gzip');
    await expect(readOnlineRetail(torn)).rejects.toThrow(/cannot read the data file .*torn.csv.gz/);
  });
});

test('the tills know every product of real sales: a sale in a store may name any of them', async () => {
  const lines = Array.from({ length: 80 }, (_, at) => `${at},${10_000 + at},THING,1,2011-11-21 08:02:00,2.95,,X`);
  const dataset = await fileOf('many.csv', [HEADER, ...lines]);
  const { products } = await buildWorld({ seed: 1, scale: 'small', builtAt: '2026-11-20T00:00:00.000Z', dataset });
  expect(products.filter(({ posVariationId }) => posVariationId === null)).toEqual([]);
});

test('a store list with too few towns or a bad coordinate is refused', async () => {
  const head = 'id_geolytix,retailer,long_wgs,lat_wgs,town';
  await expect(readStoreSites(await fileOf('few.csv', [head, '1,X,-2.9,57.6,Buckie']), 1)).rejects.toThrow(
    /1 towns, 12 are needed/,
  );
  await expect(readStoreSites(await fileOf('off.csv', [head, '1,X,-2.9,north,Buckie']), 1)).rejects.toThrow(
    /off.csv:2: lat_wgs/,
  );
});

const data = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const present = existsSync(join(data, 'online_retail_week47.csv.gz'));
if (!present) process.stderr.write('real data tests skipped: ../shared/data is not here\n');

test.skipIf(!present)(
  'a real week becomes a world with real products, prices, customers, order lines and places',
  async () => {
    const world = await buildWorld({
      seed: 1,
      scale: 'small',
      builtAt: '2026-11-20T00:00:00.000Z',
      dataset: join(data, 'online_retail_week47.csv.gz'),
      stores: join(data, 'uk_stores_geolytix_v29.csv'),
    });
    expect(world.products.find((product) => product.sku === '85123A')).toMatchObject({
      title: 'WHITE HANGING HEART T-LIGHT HOLDER',
      priceMinor: 295,
    });
    expect(world.people.length).toBeGreaterThan(450);
    expect(world.orders.find((order) => order.orderNumber === '577597')?.lines).toContainEqual({
      sku: '85123A',
      quantity: 12,
      unitPriceMinor: 295,
    });
    expect(world.orders.every((order) => order.placedAt < world.builtAt)).toBe(true);
    const stores = world.places.filter((place) => place.kind === 'STORE');
    expect(stores.every((store) => store.name === `${store.city} store`)).toBe(true);
    expect(new Set(stores.map((store) => store.city)).size).toBe(12);
  },
);
