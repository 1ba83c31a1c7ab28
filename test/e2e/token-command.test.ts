import { expect, it } from 'vitest';

import { runMortar } from '#test/support/mortar-process.ts';
import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();

const token = (...given: string[]) => runMortar({ arguments: ['token', ...given, '--url', product().urls.base] });

it('prints a token and nothing else', async () => {
  const { code, stdout, stderr } = await token('storefront');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const answer = await product().ask('{ channels { id } }', { token: stdout.trim() });
  expect(answer.data.channels.map(({ id }: { id: string }) => id)).toEqual(['web', 'app', 'store', 'amazon']);
});

it('binds associate to the first store of the sandbox, and customer-app to the named person', async () => {
  const [first] = (await product().world()).places.filter(({ kind }) => kind === 'STORE');
  const associate = claims((await token('associate')).stdout);
  expect(associate).toMatchObject({ role: 'associate', store_ids: [first?.home.locationId] });
  const person = claims((await token('customer-app', '--customer', 'cus_abcdef')).stdout);
  expect(person).toMatchObject({ role: 'customer', customer_id: 'cus_abcdef' });
});

it('refuses customer-app without a customer and says how to find an id', async () => {
  const { code, stdout, stderr } = await token('customer-app');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('--customer');
  expect(stderr).toContain('customers(first: 5) { nodes { id } }');
});

it('refuses an unknown client and names those it knows', async () => {
  const { code, stdout, stderr } = await token('shopkeeper');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('Unknown client "shopkeeper"');
  expect(stderr).toContain('privacy-officer');
});

it('says that no gateway answers where there is none', async () => {
  const { code, stderr } = await runMortar({ arguments: ['token', 'storefront', '--url', 'http://127.0.0.1:9'] });
  expect(code).toBe(1);
  expect(stderr).toContain('no gateway answers at http://127.0.0.1:9');
});

function claims(text: string): unknown {
  return JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString('utf8'));
}
