import { beforeAll, describe, expect, it } from 'vitest';

import { type JudgedPair, judgePair } from '#test/support/amazon/judge.ts';
import { type AmazonPairs, loadAmazonPairs } from '#test/support/amazon/pairs.ts';
import { contractsAvailable } from '#test/support/contracts.ts';

// The pairs lie beside the checkout: Amazon's static sandbox answers by them.
describe.skipIf(!contractsAvailable())("Amazon's embedded pairs", () => {
  let found: AmazonPairs;
  let judged: readonly JudgedPair[];
  beforeAll(async () => {
    found = await loadAmazonPairs();
    judged = await Promise.all(found.pairs.map(async (pair) => judgePair(pair)));
  });
  const named = (kind: JudgedPair['kind']) =>
    judged
      .filter((each) => each.kind === kind)
      .map(({ pair }) => `${pair.operation} ${pair.status}`)
      .toSorted();

  it('of its own operations are decoded, errors as errors', () => {
    expect(named('own')).toEqual([
      'batchInventory 207',
      'batchInventory 400',
      'searchListingsItems 200',
      'searchListingsItems 400',
      ...Array.from({ length: 3 }, () => 'searchOrders 200'),
      'searchOrders 400',
      'updateShipmentStatus 204',
      'updateShipmentStatus 400',
    ]);
  });

  it('and of those with the same model are read as they say', () => {
    expect(judged.filter(({ findings }) => findings.length > 0)).toEqual([]);
    expect(named('model')).toContain('getListingsItem 200');
    expect(named('model').filter((name) => name === 'getOrder 200')).toHaveLength(3);
  });

  it('leave out only answers the connector never asks for', () => {
    expect([...new Set(named('outside'))]).toEqual([
      'confirmShipment 204',
      'deleteListingsItem 200',
      'getOrder 200',
      'getOrderAddress 200',
      'getOrderBuyerInfo 200',
      'getOrderItems 200',
      'getOrderItemsBuyerInfo 200',
      'getOrderRegulatedInfo 200',
      'getOrders 200',
      'patchListingsItem 200',
      'putListingsItem 200',
      'updateVerificationStatus 204',
    ]);
    expect(found.dynamic).toContain('getInventorySummaries');
  });
});
