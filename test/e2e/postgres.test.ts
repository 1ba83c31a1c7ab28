import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { customersOf, loners, profileKey } from '#test/support/customers.ts';
import { POSTGRES_URL } from '#test/support/databases.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { serviceOrSkip } from '#test/support/services.ts';

const database = `mortar_e2e_${randomBytes(6).toString('hex')}`;
const url = Object.assign(new URL(POSTGRES_URL), { pathname: `/${database}` }).href;

async function administer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: POSTGRES_URL, connectionTimeoutMillis: 2_000 });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
const available = await serviceOrSkip('PostgreSQL', async () => administer('select 1'));

describe.skipIf(!available)('with DATABASE_URL', () => {
  let product: Product;
  beforeAll(async () => {
    await administer(`create database ${database}`);
    product = await startProduct({ environment: { DATABASE_URL: url } });
  }, 90_000);
  afterAll(async () => {
    await product?.[Symbol.asyncDispose]();
    await administer(`drop database if exists ${database} with (force)`);
  });

  it('keeps directories and ledger in PostgreSQL and enforces consent there', async () => {
    const { ask, token, world } = product;
    const unasked = loners(await world(), 'crm').filter(({ email }) => email !== null);
    const decided = new Set((await world()).consents.map(profileKey));
    const profile = unasked.find((entry) => !decided.has(profileKey(entry)));
    const id = (await customersOf(product, profile === undefined ? [] : [profile])).values().next().value ?? '';
    const email = async () =>
      (
        await ask('query($id: ID!) { customer(id: $id) { email } }', {
          token: await token('marketer'),
          purpose: 'MARKETING',
          variables: { id },
        })
      ).data.customer.email;
    expect(await email()).toBeNull();
    const input = { customer: id, purpose: 'MARKETING', decision: 'GRANT', idempotencyKey: 'pg' };
    const answer = await ask(
      'mutation($input: RecordConsentInput!) { recordConsent(input: $input) { ... on ConsentRecorded { receipt } } }',
      { token: await token('customer-app', { customer: id }), variables: { input } },
    );
    expect(answer.data.recordConsent.receipt).toMatch(/^rcp_/);
    expect(await email()).toBe(profile?.email);
  });

  it('answers orders and stock as over SQLite', async () => {
    const { ask, token } = product;
    const orders = await ask(
      '{ orders(first: 100) { nodes { id references { system externalId } total { amount } } } }',
      {
        token: await token('privacy-officer'),
      },
    );
    expect(orders.errors).toEqual([]);
    expect(orders.data.orders.nodes).toHaveLength(100);
    const stock = await ask(
      '{ products(first: 20) { nodes { sku availability(channel: "web") { quantity { value } } } } }',
      {
        token: await token('storefront'),
      },
    );
    expect(stock.errors).toEqual([]);
    expect(stock.data.products.nodes).toHaveLength(20);
  });

  it('keeps no readable personal value in any table', async () => {
    const { profiles } = await product.world();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      const tables = await client.query<{ name: string }>(
        "select quote_ident(table_name) as name from information_schema.tables where table_schema = current_schema() and table_type = 'BASE TABLE'",
      );
      expect(tables.rows.length).toBeGreaterThan(10);
      const rows = await Promise.all(
        tables.rows.map(
          async ({ name }) => (await client.query<{ row: string }>(`select t::text as row from ${name} t`)).rows,
        ),
      );
      const text = rows
        .flat()
        .map(({ row }) => row)
        .join('\n');
      const found = profiles
        .flatMap(({ email, phone, address }) => [email, phone, address?.street ?? null])
        .filter((value) => value !== null && text.includes(value));
      expect(found).toEqual([]);
    } finally {
      await client.end();
    }
  });
});
