import { expect, it } from 'vitest';

import { runMortar } from '#test/support/mortar-process.ts';
import { startProduct } from '#test/support/product.ts';
import { startRedis } from '#test/support/redis-server.ts';
import { serviceOrSkip } from '#test/support/services.ts';
import { useProduct } from '#test/support/use-product.ts';

const product = useProduct();
const redisAvailable = await serviceOrSkip('redis-server', async () => {
  await using probe = await startRedis();
  return probe.url;
});

const PEOPLE = 'query People { customers(first: 50) { nodes { id name email phone } } }';

async function trace(requestId: string, options: { token?: string; url?: string; flags?: readonly string[] } = {}) {
  const { token = await product().token('privacy-officer'), url = product().urls.base, flags = [] } = options;
  return runMortar({ arguments: ['trace', requestId, '--url', url, ...flags], environment: { MORTAR_TOKEN: token } });
}

it('prints what happened for a request: caller, waves, calls, decisions, and no value of a person', async () => {
  const { ask, token, world } = product();
  const options = { token: await token('marketer'), purpose: 'MARKETING' };
  const answer = await ask(PEOPLE, { ...options, headers: { 'x-request-id': 'tree-1' } });
  const { code, stdout, stderr } = await trace('tree-1');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^tree-1 {2}ok {2}[\d.]+ ms {2}\d{4}-/);
  expect(stdout).toContain('client marketer, role marketer, purpose MARKETING, operation People');
  expect(stdout).toContain('plan: 1 fetch in 1 wave');
  expect(stdout).toMatch(/POST contacts\/batch\/read {2}status 200 {2}attempt 1/);
  const refused = answer.consent.find(({ coordinate }) => coordinate === 'Customer.email')?.count ?? 0;
  expect(stdout).toContain(`Customer.email  allowed ${50 - refused}  refused ${refused}: CONSENT_REQUIRED`);
  const json = await trace('tree-1', { flags: ['--json'] });
  expect(JSON.parse(json.stdout)).toMatchObject({ requests: [{ requestId: 'tree-1', client: 'marketer' }] });
  const { profiles } = await world();
  const values = profiles.flatMap(({ email, phone, externalId }) => [email, phone, externalId]);
  const told = values.filter(
    (value) => value !== null && value.length > 5 && `${stdout}${json.stdout}`.includes(value),
  );
  expect(told).toEqual([]);
});

it('says what is wrong with a token, an id or an address, and what to do', async () => {
  const { token } = product();
  const cases = [
    [await trace('tree-1', { token: '' }), 'token privacy-officer'],
    [await trace('tree-1', { token: await token('marketer') }), 'systems:read'],
    [await trace('tree-1', { token: 'broken' }), 'token privacy-officer'],
    [await trace('never-seen'), 'No request of that id is remembered'],
    [await trace('tree-1', { url: 'http://127.0.0.1:9' }), 'no gateway answers at http://127.0.0.1:9'],
  ] as const;
  for (const [{ code, stdout, stderr }, words] of cases) {
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(words);
  }
});

it.skipIf(!redisAvailable)(
  'asks any process of one Redis for the requests of all',
  async () => {
    await using redis = await startRedis();
    const environment = { REDIS_URL: redis.url };
    await using one = await startProduct({ environment });
    await using two = await startProduct({ environment });
    const headers = { 'x-request-id': 'elsewhere' };
    await one.ask('{ products(first: 1) { nodes { sku } } }', { token: await one.token('storefront'), headers });
    const token = await two.token('privacy-officer');
    await expect
      .poll(async () => (await trace('elsewhere', { token, url: two.urls.base })).stdout, { timeout: 15_000 })
      .toContain('client storefront');
  },
  90_000,
);
