import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Product } from '#test/support/product-client.ts';
import { startProduct } from '#test/support/product.ts';
import { skipsInSplitMode } from '#test/support/e2e-mode.ts';
import { startRedis, type TestRedis } from '#test/support/redis-server.ts';
import { serviceOrSkip } from '#test/support/services.ts';

const available = await serviceOrSkip('redis-server', async () => {
  await using probe = await startRedis();
  return probe.url;
});

const QUERY =
  '{ products(first: 50) { nodes { sku title price(channel: "web") { value { amount } } } } locations(first: 50) { nodes { id name openNow } } }';
/** What a cache that is away may add to an answer, beside the noise of a busy test machine. */
const EXTRA_MS = 50;

describe.skipIf(!available || skipsInSplitMode('Redis beside one process; there each product has one'))(
  'with REDIS_URL',
  () => {
    let redis: TestRedis;
    let product: Product;
    let token: string;
    beforeAll(async () => {
      redis = await startRedis();
      product = await startProduct({ environment: { REDIS_URL: redis.url } });
      token = await product.token('storefront');
    }, 90_000);
    afterAll(async () => {
      await product?.[Symbol.asyncDispose]();
      await redis?.[Symbol.asyncDispose]();
    });

    const ask = async () => {
      const answer = await product.ask(QUERY, { token });
      expect(answer).toMatchObject({ status: 200, errors: [] });
      return answer;
    };

    it('shares values of catalog and locations, and nothing about a person', async () => {
      await ask();
      const officer = await product.token('privacy-officer');
      const people = await product.ask('{ customers(first: 50) { nodes { id name email phone } } }', {
        token: officer,
      });
      expect(people.errors).toEqual([]);
      const dump = await redis.dump();
      expect(dump.size).toBeGreaterThan(50);
      const text = [...dump].flat().join('\n');
      expect(text).toContain('MG-00001');
      const nodes: Record<string, string | null>[] = people.data.customers.nodes;
      const values = nodes.flatMap((node) => Object.values(node)).filter((value) => value !== null);
      expect(values.length).toBeGreaterThan(100);
      expect(values.filter((value) => text.includes(value))).toEqual([]);
    });

    it('spares a second process the catalog reads of the first', async () => {
      await using second = await startProduct({ environment: { REDIS_URL: redis.url } });
      const tokens = { first: await product.token('storefront'), second: await second.token('storefront') };
      const spared: boolean[] = [];
      // A feed may ask the ERP in the same moment: another product each time, which this process never read before.
      for (const sku of ['MG-00031', 'MG-00032', 'MG-00033', 'MG-00034']) {
        const query = `{ product(sku: "${sku}") { title } }`;
        const expected = await product.ask(query, { token: tokens.first });
        const before = await second.metric('mortar_upstream_calls_total', { system: 'erp' });
        const answer = await second.ask(query, { token: tokens.second });
        expect(answer).toMatchObject({ errors: [], data: expected.data });
        spared.push((await second.metric('mortar_upstream_calls_total', { system: 'erp' })) === before);
      }
      expect(spared).toContain(true);
    }, 60_000);

    it('answers as fast and as rightly when Redis freezes, and when it is gone', async () => {
      const sample = async (): Promise<number> => {
        const times: number[] = [];
        for (let round = 0; round < 15; round += 1) times.push((await ask()).elapsedMs);
        return times.toSorted((a, b) => a - b)[7] ?? Number.NaN;
      };
      const expected = (await ask()).data;
      const usual = await sample();
      redis.freeze();
      const first = await ask();
      expect(first.data).toEqual(expected);
      const frozen = await sample();
      redis.thaw();
      await redis.stop();
      expect((await ask()).data).toEqual(expected);
      const gone = await sample();
      expect({ frozen: frozen - usual < EXTRA_MS, gone: gone - usual < EXTRA_MS }).toEqual({
        frozen: true,
        gone: true,
      });
    }, 60_000);

    it('starts and serves when there is no Redis at REDIS_URL', async () => {
      await using other = await startProduct({ environment: { REDIS_URL: 'redis://127.0.0.1:1' } });
      const answer = await other.ask(QUERY, { token: await other.token('storefront') });
      expect(answer).toMatchObject({ status: 200, errors: [] });
    }, 60_000);
  },
);
