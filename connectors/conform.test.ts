import { createHmac } from 'node:crypto';

import { createShipengineVendor, trackingNumberOf } from '#sandbox/vendors/carrier-shipengine.ts';
import { createHubspotVendor } from '#sandbox/vendors/crm-hubspot.ts';
import { createKlaviyoVendor, klaviyoIdOf } from '#sandbox/vendors/email-klaviyo.ts';
import { createErpVendor } from '#sandbox/vendors/erp-business-central.ts';
import { createAmazonVendor } from '#sandbox/vendors/marketplace-amazon.ts';
import { createSquareVendor } from '#sandbox/vendors/pos-square.ts';
import { PINTEREST_LIST, createPinterestVendor } from '#sandbox/vendors/social-pinterest.ts';
import { createWmsVendor } from '#sandbox/vendors/wms-connect.ts';
import type { AudienceWrite, OptIn } from '#schema/model/outreach.ts';
import { buildWorld } from '#sandbox/world/build.ts';
import type { ExtraSystem, SandboxSystem, Vendor, World } from '#sandbox/world/types.ts';
import { conformConnector } from '#test/support/conform-connector.ts';
import type { ConformFixtures, ConformKeys, ConformWebhook, ConformWrites } from '#test/support/conform-harness.ts';
import { contractsAvailable, loadContract } from '#test/support/contracts.ts';
import type { Contract } from '#test/support/contracts.ts';

import { carrierShipengine } from './carrier-shipengine/connector.ts';
import { crmHubspot } from './crm-hubspot/connector.ts';
import { emailKlaviyo } from './email-klaviyo/connector.ts';
import { erpBusinessCentral } from './erp-business-central/connector.ts';
import { marketplaceAmazon } from './marketplace-amazon/connector.ts';
import { posSquare } from './pos-square/connector.ts';
import { socialPinterest } from './social-pinterest/connector.ts';
import { wmsConnect } from './wms-connect/connector.ts';

// Every connector against its sandbox, well-behaved and not.

let built: Promise<World> | null = null;
const world = (): Promise<World> =>
  (built ??= buildWorld({ seed: 7, scale: 'small', builtAt: '2026-11-20T00:00:00.000Z' }));

type Keys = Readonly<Record<string, ConformKeys>>;

interface Setup {
  readonly vendor: Vendor<SandboxSystem | ExtraSystem>;
  /** Where the system's URL ends. @default the root */
  readonly basePath?: string;
  /** Contract files by the beginning of a path. */
  readonly contracts?: Readonly<Record<string, string>>;
  readonly keys?: (world: World) => Keys;
  readonly writes?: Readonly<Record<string, ConformWrites>>;
  readonly webhook?: ConformWebhook;
  readonly options?: ConformFixtures['options'];
  readonly expired?: () => Response;
}

async function fixturesOf(setup: Setup): Promise<ConformFixtures> {
  const { vendor, contracts = {}, keys, options, expired, writes, webhook, basePath = '' } = setup;
  const truth = await world();
  const loaded = new Map<string, Contract>();
  if (contractsAvailable()) {
    for (const [prefix, file] of Object.entries(contracts)) loaded.set(prefix, await loadContract(file, { basePath }));
  }
  return {
    basePath,
    credentials: vendor.credentials,
    options: { ...vendor.options, ...options },
    answer: (request) => vendor.handler(request, truth),
    contractOf: (path) => [...loaded].find(([prefix]) => path.startsWith(prefix))?.[1] ?? null,
    keys: keys?.(truth) ?? {},
    ...(expired && { expired }),
    ...(writes && { writes }),
    ...(webhook && { webhook }),
  };
}

const hmac = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('base64');
const HOOK = 'https://graph.example/webhooks/vendor';

const squareHook: ConformWebhook = {
  credentials: { webhookSignatureKey: 'square-key' },
  url: HOOK,
  body: '{"event_id":"e-1","type":"customer.updated","data":{"id":"C1"}}',
  headers: (body) => ({ 'x-square-hmacsha256-signature': hmac('square-key', HOOK + body) }),
  feeds: ['customers'],
};
const hubspotHook: ConformWebhook = {
  credentials: { clientSecret: 'hubspot-secret' },
  url: HOOK,
  body: '[{"eventId":1,"subscriptionType":"contact.propertyChange","objectId":101}]',
  headers: (body, sentAtMs) => ({
    'x-hubspot-request-timestamp': String(sentAtMs),
    'x-hubspot-signature-v3': hmac('hubspot-secret', `POST${HOOK}${body}${sentAtMs}`),
  }),
  feeds: ['contacts'],
};
const erpNotice = (clientState: string): string =>
  JSON.stringify({
    value: [
      { clientState, resource: 'api/v2.0/companies(1)/items(2)', changeType: 'updated' },
      { clientState, resource: 'api/v2.0/companies(1)/salesOrders?$filter=x', changeType: 'collection' },
    ],
  });
const erpHook: ConformWebhook = {
  credentials: { clientState: 'a-long-enough-state' },
  url: HOOK,
  body: erpNotice('a-long-enough-state'),
  headers: () => ({}),
  forgedBody: erpNotice('another-long-state!'),
  feeds: ['items', 'orders'],
};

const stockKey = (externalId: string) => ({ sku: 'SKU', externalId });
const numbered = (prefix: string) => (n: number) => `${prefix}${n}`;
const profileIds = (truth: World, system: string): readonly string[] =>
  truth.profiles.filter((profile) => profile.system === system).map(({ externalId }) => externalId);
const orderIds = (truth: World, system: 'erp' | 'wms' | 'pos'): readonly string[] =>
  truth.orders.flatMap(({ ids }) => ids[system] ?? []);

conformConnector(erpBusinessCentral, () =>
  fixturesOf({
    vendor: createErpVendor(),
    webhook: erpHook,
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
    webhook: squareHook,
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
    webhook: hubspotHook,
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

const GB = { country: 'GB', city: 'Leeds', region: 'Yorkshire' };
const rateKey = (postalCode: string) => ({
  from: { ...GB, postalCode: 'LS1 1AA' },
  to: { ...GB, postalCode },
  weightGrams: 1_500,
  sizeMillimeters: { length: 300, width: 200, height: 105 },
  shipAt: '2026-11-24T09:00:00.000Z',
});

conformConnector(carrierShipengine, () =>
  fixturesOf({
    vendor: createShipengineVendor(),
    contracts: { '/v1/': 'shipengine/shipengine.json' },
    keys: (truth) => ({
      rates: { known: ['SW1Y 4JH'], unknown: numbered('NONE-'), toKey: rateKey },
      tracking: {
        known: truth.orders
          .filter(({ stage }) => stage === 'shipped' || stage === 'delivered')
          .map((order) => trackingNumberOf(order)),
        unknown: numbered('TRNONE'),
        toKey: (trackingNumber) => ({ carrier: 'royal_mail', trackingNumber }),
      },
      servicePoints: {
        known: truth.places.flatMap(({ kind, postalCode }) => (kind === 'STORE' ? [postalCode] : [])),
        unknown: numbered('NONE-'),
        toKey: (postalCode) => ({ country: 'GB', postalCode }),
      },
    }),
  }),
);

conformConnector(emailKlaviyo, () =>
  fixturesOf({
    vendor: createKlaviyoVendor(),
    contracts: { '/api/': 'klaviyo/profiles-2026-07-15.json' },
    keys: (truth) => {
      const known = truth.profiles
        .filter(({ system, email }) => system === 'crm' && email !== null)
        .map((profile) => klaviyoIdOf(profile));
      const ids = { known, unknown: numbered('01NONE') };
      return { profiles: ids, marketingConsents: ids };
    },
    writes: {
      marketingConsentSink: {
        input: (n) => ({ externalId: `01P${n}`, medium: 'EMAIL', decision: 'WITHDRAW', address: `p${n}@person.test` }),
        unfit: [{ externalId: '01X', medium: 'SMS', decision: 'GRANT', address: '020 7946 0018' }],
        personal: ['p0@person.test', 'p1@person.test', '01P0', '01P1'],
      },
    },
    expired: () => Response.json({ errors: [{ id: '1', code: 'invalid', title: 'x', detail: 'x' }] }, { status: 400 }),
  }),
);

function member(n: number, optIn: OptIn | null): AudienceWrite {
  return { list: PINTEREST_LIST, operation: 'ADD', reference: `ref-${n}`, email: `p${n}@person.test`, optIn };
}

conformConnector(socialPinterest, () =>
  fixturesOf({
    vendor: createPinterestVendor(),
    basePath: '/v5',
    contracts: { '/v5/': 'pinterest/v5.json' },
    keys: () => ({ audiences: { known: [PINTEREST_LIST], unknown: (n) => String(70_000 + n) } }),
    writes: {
      audienceSink: {
        input: (n) => member(n, { purpose: 'THIRD_PARTY_SHARING', recipient: 'pinterest', decidedAtMs: Date.now() }),
        refused: [
          member(0, null),
          member(0, { purpose: 'MARKETING', recipient: 'pinterest', decidedAtMs: Date.now() }),
          member(0, { purpose: 'THIRD_PARTY_SHARING', recipient: 'amazon', decidedAtMs: Date.now() }),
          member(0, { purpose: 'THIRD_PARTY_SHARING', recipient: 'pinterest', decidedAtMs: Date.now() - 61_000 }),
          member(0, { purpose: 'THIRD_PARTY_SHARING', recipient: 'pinterest', decidedAtMs: Date.now() + 60_000 }),
        ],
        unfit: [{ ...member(0, null), operation: 'REMOVE', list: '../1' }],
        personal: ['p0@person.test', 'p1@person.test', 'ref-0', 'ref-1'],
      },
    },
    expired: () => Response.json({ code: 1, message: 'Invalid bookmark.' }, { status: 400 }),
  }),
);
