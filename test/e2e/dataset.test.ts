import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';

import { useProduct } from '#test/support/use-product.ts';

const DATA = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const TRANSACTIONS = join(DATA, 'online_retail_week47.csv.gz');
const STORES = join(DATA, 'uk_stores_geolytix_v29.csv');
const available = existsSync(TRANSACTIONS) && existsSync(STORES);
if (!available) process.stderr.write('skipped: the real data set is not in ../shared/data\n');

describe.skipIf(!available)('over the real data set', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mortar-e2e-'));
  const csv = join(folder, 'transactions.csv');
  const product = useProduct(() => {
    writeFileSync(csv, gunzipSync(readFileSync(TRANSACTIONS)));
    return { arguments: [`--dataset=${csv}`, `--stores=${STORES}`], readyWithinMs: 120_000 };
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const lines = () => readFileSync(csv, 'utf8').trimEnd().split('\n').slice(1);

  it('sells the real products at real prices, with stock', async () => {
    const { ask, token } = product();
    const answer = await ask(
      '{ products(first: 50) { nodes { sku title price(channel: "web") { value { amount currency } } availability(channel: "web") { quantity { value } } } } }',
      { token: await token('storefront') },
    );
    expect(answer.errors).toEqual([]);
    const skus = new Set(lines().map((line) => line.split(',')[1]));
    expect(answer.data.products.nodes).toHaveLength(50);
    for (const { sku, title, price } of answer.data.products.nodes) {
      expect(skus).toContain(sku);
      expect(title).not.toBe('');
      expect(price.value).toMatchObject({ currency: 'GBP' });
      expect(Number(price.value.amount)).toBeGreaterThan(0);
    }
  });

  it('lists the real orders with their lines', async () => {
    const { ask, token } = product();
    const answer = await ask(
      '{ orders(first: 100) { nodes { references { externalId } lines { sku quantity } total { amount } } } }',
      {
        token: await token('privacy-officer'),
      },
    );
    expect(answer.errors).toEqual([]);
    expect(answer.data.orders.nodes).toHaveLength(100);
    const world = await product().world();
    const invoices = new Set(lines().map((line) => line.split(',')[0] ?? ''));
    const carried = world.orders.filter(({ orderNumber }) =>
      [...invoices].some((invoice) => orderNumber.includes(invoice)),
    );
    expect(carried.length).toBeGreaterThan(100);
  });

  it('knows the real stores and withholds e-mail addresses without consent', async () => {
    const { ask, token } = product();
    const places = await ask(
      '{ locations(kinds: [STORE], first: 100) { nodes { name position { latitude longitude } } } }',
      {
        token: await token('storefront'),
      },
    );
    expect(places.data.locations.nodes.length).toBeGreaterThanOrEqual(12);
    const emails = await ask('{ customers(first: 100) { nodes { email } } }', {
      token: await token('marketer'),
      purpose: 'MARKETING',
    });
    expect(emails.errors).toEqual([]);
    const values = emails.data.customers.nodes.map(({ email }: { email: string | null }) => email);
    expect(values).toContain(null);
    expect(values.some((value: string | null) => value !== null)).toBe(true);
  });
});
