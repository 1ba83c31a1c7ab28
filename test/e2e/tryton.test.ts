import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Product } from '#test/support/product-client.ts';
import { judgeMainJob, levelsOf, type Verdict } from '#test/support/tryton/judge.ts';
import { startTrytonProduct, startTrytonRetailer, type TrytonRetailer } from '#test/support/tryton/main-job.ts';
import { loseUnits } from '#test/support/tryton/clerk.ts';
import { TRYTON_WITHIN_MS, trytonOrSkip } from '#test/support/tryton/trytond.ts';

const isThere = await trytonOrSkip();

describe.skipIf(!isThere)('with Tryton as ERP and warehouse', { timeout: 120_000 }, () => {
  let retailer: TrytonRetailer;
  let product: Product;
  beforeAll(async () => {
    retailer = await startTrytonRetailer();
    product = await startTrytonProduct(retailer);
  }, TRYTON_WITHIN_MS);
  afterAll(async () => {
    await product?.[Symbol.asyncDispose]();
    await retailer?.[Symbol.asyncDispose]();
  });

  it('answers the main job with what Tryton holds', async () => {
    const verdicts = await judgeMainJob(product, retailer.tryton);
    expect(verdicts.map(({ question, wrong }) => [question, wrong])).toEqual(
      verdicts.map(({ question }): [string, Verdict['wrong']] => [question, []]),
    );
    expect(verdicts.map(({ asked }) => asked > 30)).toEqual([true, true, true, true, true]);
  });

  it('follows a move somebody makes in Tryton', async () => {
    const { tryton } = retailer;
    const row = [...tryton.world.stock.values()].find(({ place, onHand }) => place === 'W1' && onHand > 20);
    const sku = row?.sku ?? '';
    const name = tryton.world.places.find(({ code }) => code === 'W1')?.name ?? '';
    const onHand = async () => (await levelsOf(product, [sku])).get(sku)?.get(name)?.onHand?.value;
    expect(await onHand()).toBe(row?.onHand);
    await loseUnits(tryton, { sku, place: 'W1', units: 7 });
    await expect.poll(onHand, { timeout: 60_000, interval: 250 }).toBe((row?.onHand ?? 0) - 7);
  });

  it('shows the health of both halves', async () => {
    const token = await product.token('analyst');
    const answer = await product.ask('{ systems { id connector state unmatchedItems } }', { token });
    expect(answer.errors).toEqual([]);
    expect(answer.data.systems).toContainEqual({
      id: 'erp',
      connector: 'erp-tryton',
      state: 'UP',
      unmatchedItems: 0,
    });
  });
});
