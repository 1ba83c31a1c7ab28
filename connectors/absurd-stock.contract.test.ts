import { expect, it } from 'vitest';

import { systemClock } from '#platform/clock.ts';
import { connectSystem } from '#connectors/kit/connect-system.ts';
import type { ConnectorDefinition } from '#connectors/kit/definition.ts';
import { marketplaceAmazon } from '#connectors/marketplace-amazon/connector.ts';
import { posSquare } from '#connectors/pos-square/connector.ts';
import { wmsConnect } from '#connectors/wms-connect/connector.ts';
import { quarantineReason } from '#domain/stock/atp.ts';
import { toSku } from '#schema/model/ids.ts';
import { scope } from '#test/support/kit-system.ts';

// A figure no computer counts exactly is told as absurd, and quarantined: were the row left out, an older figure would stand in.

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const HUGE = 2 ** 60;

async function readStock<S>(
  definition: ConnectorDefinition<S>,
  credentials: Readonly<Record<string, string>>,
  options: Record<string, string>,
  answer: object,
) {
  const system = connectSystem(definition, {
    config: { id: 'system', connector: definition.id, url: 'http://vendor.test', credentials, options },
    clock: systemClock,
    logger: silent,
    trace: () => {},
    // The answer of a token endpoint too.
    fetch: () => Promise.resolve(Response.json({ access_token: 't', expires_in: 3_600, ...answer })),
  });
  if (system.stock === undefined) {
    const page = await system.stockFeed?.readPage(null, scope());
    return (page?.changes ?? []).flatMap((change) => (change.kind === 'upsert' ? [change.value] : []));
  }
  const [slot] = await system.stock.stockByItem([{ sku: toSku('S1'), externalId: 'V1' }], scope());
  if (slot instanceof Error || slot === null || slot === undefined) throw new Error('no reading', { cause: slot });
  return slot;
}

const instant = '2026-01-01T00:00:00Z';
const squareCount = { catalog_object_id: 'V1', location_id: 'L1', state: 'IN_STOCK', calculated_at: instant };
const connectItem = { integration_entity_id: 'V1', sku: 'V1', fetched_at: instant };
const amazonItem = { sellerSku: 'V1', lastUpdatedTime: instant };

it.each([
  [
    'Square',
    async () =>
      readStock(posSquare, { token: 't' }, {}, { counts: [{ ...squareCount, quantity: String(BigInt(HUGE)) }] }),
  ],
  [
    'a WMS',
    async () => readStock(wmsConnect, { apiKey: 'k' }, {}, { items: [{ ...connectItem, available_quantity: HUGE }] }),
  ],
  [
    'Amazon',
    async () =>
      readStock(
        marketplaceAmazon,
        { clientId: 'a', clientSecret: 'b', refreshToken: 'c' },
        { marketplaceId: 'A1F83G8C2ARO7P', sellerId: 'S' },
        { payload: { inventorySummaries: [{ ...amazonItem, inventoryDetails: { fulfillableQuantity: HUGE } }] } },
      ),
  ],
])('of %s is read as absurd', async (_name, read) => {
  const [reading] = await read();
  expect(reading).toMatchObject({ onHand: 1_000_000_000 });
  expect(reading && quarantineReason({ ...reading, onHand: reading.onHand ?? 0 })).toBe('ABSURD');
});
