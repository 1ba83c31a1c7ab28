import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { customersOf, loners, profileKey } from '#test/support/customers.ts';
import { createPostgres, postgresAvailable, type TestPostgres } from '#test/support/databases.ts';
import type { Product } from '#test/support/product-client.ts';
import { startProduct } from '#test/support/product.ts';

describe.skipIf(!postgresAvailable)('with DATABASE_URL', () => {
  let database: TestPostgres;
  let product: Product;
  beforeAll(async () => {
    database = await createPostgres();
    product = await startProduct({ environment: { DATABASE_URL: database.url } });
  }, 90_000);
  afterAll(async () => {
    await product?.[Symbol.asyncDispose]();
    await database?.[Symbol.asyncDispose]();
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
    const client = new pg.Client({ connectionString: database.url });
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
