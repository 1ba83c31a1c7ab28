// What the conformance suite writes to the WMS.
import type { World } from '#sandbox/world/types.ts';
import type { StockMove } from '#schema/model/writes.ts';

import type { ConformWrites } from './conform-harness.ts';

/** The WMS speaks two contracts, told apart by the path. */
export const WMS_CONTRACTS = {
  '/inventory_': 'shipengine/connect-order-source-4.9.0.json',
  '/get_': 'shipengine/connect-fulfillment-provider-4.6.0.json',
  '/cancel_fulfillment': 'shipengine/connect-fulfillment-provider-4.6.0.json',
} as const;

/** A count of a row the WMS keeps. */
function countOf(truth: World, n: number): StockMove {
  const warehouses = new Map(truth.places.flatMap(({ code, ids }) => (ids.wms === undefined ? [] : [[code, ids.wms]])));
  const kept = [...truth.stock.values()].filter(({ place }) => warehouses.has(place));
  const row = kept[n % kept.length];
  return {
    key: `count-${n}`,
    externalId: row?.sku ?? '',
    locationExternalId: warehouses.get(row?.place ?? '') ?? '',
    kind: 'COUNTED',
    units: n,
    at: new Date().toISOString(),
  };
}

/** Fulfillments that can still be called off. */
const openWmsIds = (truth: World): readonly string[] =>
  truth.orders.flatMap(({ ids, stage }) =>
    ids.wms !== undefined && ['released', 'picking', 'packed'].includes(stage) ? [ids.wms] : [],
  );

export const wmsWrites = (truth: World): Readonly<Record<string, ConformWrites>> => ({
  stockMoveSink: {
    input: (n) => countOf(truth, n),
    unfit: [
      { ...countOf(truth, 0), kind: 'SOLD' },
      { ...countOf(truth, 0), units: -1 },
      { ...countOf(truth, 0), externalId: 'a\u0000' },
      { ...countOf(truth, 0), locationExternalId: '' },
      { ...countOf(truth, 0), at: 'yesterday' },
    ],
    personal: [],
  },
  orderStepSink: {
    input: (n) => ({ key: `step-${n}`, externalId: openWmsIds(truth)[n], state: 'CANCELED' }),
    unfit: [
      { key: 'k', externalId: openWmsIds(truth)[0], state: 'COLLECTED' },
      { key: 'k', externalId: '', state: 'CANCELED' },
    ],
    personal: [],
  },
});
