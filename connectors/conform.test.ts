import { createHubspotVendor } from '#sandbox/vendors/crm-hubspot.ts';
import { createErpVendor } from '#sandbox/vendors/erp-business-central.ts';
import { createAmazonVendor } from '#sandbox/vendors/marketplace-amazon.ts';
import { createSquareVendor } from '#sandbox/vendors/pos-square.ts';
import { createWmsVendor } from '#sandbox/vendors/wms-connect.ts';
import { buildWorld } from '#sandbox/world/build.ts';
import type { Vendor, World } from '#sandbox/world/types.ts';
import { conformConnector } from '#test/support/conform-connector.ts';
import type { ConformFixtures, ConformKeys } from '#test/support/conform-harness.ts';
import { contractsAvailable, loadContract } from '#test/support/contracts.ts';
import type { Contract } from '#test/support/contracts.ts';

import { crmHubspot } from './crm-hubspot/connector.ts';
import { erpBusinessCentral } from './erp-business-central/connector.ts';
import { marketplaceAmazon } from './marketplace-amazon/connector.ts';
import { posSquare } from './pos-square/connector.ts';
import { wmsConnect } from './wms-connect/connector.ts';

// Every connector against its sandbox, well-behaved and not.

let built: Promise<World> | null = null;
const world = (): Promise<World> =>
  (built ??= buildWorld({ seed: 7, scale: 'small', builtAt: '2026-11-20T00:00:00.000Z' }));

type Keys = Readonly<Record<string, ConformKeys>>;

interface Setup {
  readonly vendor: Vendor;
  /** Contract files by the beginning of a path. */
  readonly contracts?: Readonly<Record<string, string>>;
  readonly keys?: (world: World) => Keys;
  readonly options?: ConformFixtures['options'];
  readonly expired?: () => Response;
}

async function fixturesOf({ vendor, contracts = {}, keys, options, expired }: Setup): Promise<ConformFixtures> {
  const truth = await world();
  const loaded = new Map<string, Contract>();
  if (contractsAvailable()) {
    for (const [prefix, file] of Object.entries(contracts)) loaded.set(prefix, await loadContract(file));
  }
  return {
    credentials: vendor.credentials,
    options: { ...vendor.options, ...options },
    answer: (request) => vendor.handler(request, truth),
    contractOf: (path) => [...loaded].find(([prefix]) => path.startsWith(prefix))?.[1] ?? null,
    keys: keys?.(truth) ?? {},
    ...(expired && { expired }),
  };
}

const stockKey = (externalId: string) => ({ sku: 'SKU', externalId });
const numbered = (prefix: string) => (n: number) => `${prefix}${n}`;
const profileIds = (truth: World, system: string): readonly string[] =>
  truth.profiles.filter((profile) => profile.system === system).map(({ externalId }) => externalId);
const orderIds = (truth: World, system: 'erp' | 'wms' | 'pos'): readonly string[] =>
  truth.orders.flatMap(({ ids }) => ids[system] ?? []);

conformConnector(erpBusinessCentral, () =>
  fixturesOf({
    vendor: createErpVendor(),
    keys: (truth) => ({
      items: { known: truth.products.map(({ sku }) => sku), unknown: numbered('NONE-') },
      orders: { known: orderIds(truth, 'erp'), unknown: numbered('SO-NONE-') },
    }),
    expired: () =>
      Response.json({ error: { code: 'BadRequest', message: 'The skip token is not valid.' } }, { status: 400 }),
  }),
);

conformConnector(wmsConnect, () =>
  fixturesOf({
    vendor: createWmsVendor(),
    contracts: {
      '/inventory_fetch': 'shipengine/connect-order-source-4.9.0.json',
      '/get_': 'shipengine/connect-fulfillment-provider-4.6.0.json',
    },
    keys: (truth) => ({
      stock: { known: truth.products.map(({ sku }) => sku), unknown: numbered('NONE-'), toKey: stockKey },
      orders: { known: orderIds(truth, 'wms'), unknown: numbered('FF-NONE-') },
    }),
    expired: () =>
      Response.json({ errors: [{ code: 'generic', message: 'next_request is not valid.' }] }, { status: 400 }),
  }),
);

conformConnector(posSquare, () =>
  fixturesOf({
    vendor: createSquareVendor(),
    contracts: { '/v2/': 'square/square-2025-08-20.json' },
    keys: (truth) => ({
      stock: {
        known: truth.products.flatMap(({ posVariationId }) => posVariationId ?? []),
        unknown: numbered('NONE'),
        toKey: stockKey,
      },
      profiles: { known: profileIds(truth, 'pos'), unknown: numbered('NONE') },
      loyalty: { known: truth.loyalty.map(({ posCustomerId }) => posCustomerId), unknown: numbered('NONE') },
      orders: { known: orderIds(truth, 'pos'), unknown: numbered('NONE') },
    }),
    expired: () =>
      Response.json({ errors: [{ category: 'INVALID_REQUEST_ERROR', code: 'INVALID_CURSOR' }] }, { status: 400 }),
  }),
);

conformConnector(crmHubspot, () =>
  fixturesOf({
    vendor: createHubspotVendor(),
    keys: (truth) => ({ profiles: { known: profileIds(truth, 'crm'), unknown: (n) => String(9_000_000 + n) } }),
    expired: () => Response.json({ status: 'error', category: 'VALIDATION_ERROR' }, { status: 400 }),
  }),
);

conformConnector(marketplaceAmazon, () =>
  fixturesOf({
    vendor: createAmazonVendor(),
    contracts: {
      '/listings/': 'amazon-sp-api/listingsItems_2021-08-01.json',
      '/fba/': 'amazon-sp-api/fbaInventory.json',
      '/orders/2026-01-01/': 'amazon-sp-api/orders_2026.json',
    },
    options: { restrictedDataToken: true, stockLocation: 'FBA' },
    expired: () => Response.json({ errors: [{ code: 'InvalidInput', message: 'Token expired' }] }, { status: 400 }),
  }),
);
