import { createShipengineVendor, trackingNumberOf } from '#sandbox/vendors/carrier-shipengine.ts';
import { createHubspotVendor } from '#sandbox/vendors/crm-hubspot.ts';
import { createKlaviyoVendor, klaviyoIdOf } from '#sandbox/vendors/email-klaviyo.ts';
import { createErpVendor } from '#sandbox/vendors/erp-business-central.ts';
import { createAmazonVendor } from '#sandbox/vendors/marketplace-amazon.ts';
import { createSquareVendor } from '#sandbox/vendors/pos-square.ts';
import { PINTEREST_LIST, createPinterestVendor } from '#sandbox/vendors/social-pinterest.ts';
import { createWmsVendor } from '#sandbox/vendors/wms-connect.ts';
import type { AudienceWrite, OptIn } from '#schema/model/outreach.ts';
import type { StockMove, StockOffer } from '#schema/model/writes.ts';
import type { World } from '#sandbox/world/types.ts';
import { conformConnector } from '#test/support/conform-connector.ts';
import { fixturesOf } from '#test/support/conform-fixtures.ts';
import { erpHook, hubspotHook, squareHook } from '#test/support/conform-webhooks.ts';

import { carrierShipengine } from './carrier-shipengine/connector.ts';
import { crmHubspot } from './crm-hubspot/connector.ts';
import { emailKlaviyo } from './email-klaviyo/connector.ts';
import { erpBusinessCentral } from './erp-business-central/connector.ts';
import { marketplaceAmazon } from './marketplace-amazon/connector.ts';
import { posSquare } from './pos-square/connector.ts';
import { socialPinterest } from './social-pinterest/connector.ts';
import { wmsConnect } from './wms-connect/connector.ts';

// Every connector against its sandbox, well-behaved and not.

const stockKey = (externalId: string) => ({ sku: 'SKU', externalId });
const numbered = (prefix: string) => (n: number) => `${prefix}${n}`;
const profileIds = (truth: World, system: string): readonly string[] =>
  truth.profiles.filter((profile) => profile.system === system).map(({ externalId }) => externalId);
const orderIds = (truth: World, system: 'erp' | 'wms' | 'pos'): readonly string[] =>
  truth.orders.flatMap(({ ids }) => ids[system] ?? []);

/** The same for all: a key is of one movement. */
const STARTED_AT = new Date().toISOString();

function moveOf(truth: World, n: number): StockMove {
  const sold = truth.products.filter(({ posVariationId }) => posVariationId !== null);
  const [store] = truth.places.flatMap(({ ids }) => ids.pos ?? []);
  return {
    key: `move-${n}`,
    externalId: sold[n]?.posVariationId ?? '',
    locationExternalId: store ?? '',
    kind: n % 2 === 0 ? 'RECEIVED' : 'COUNTED',
    units: 3,
    at: STARTED_AT,
  };
}

function offerOf(truth: World, n: number): StockOffer {
  const listed = truth.products.flatMap(({ sellerSku }) => sellerSku ?? []);
  return { externalId: listed[n] ?? '', locationExternalId: 'W1', units: n, sequence: Date.now() };
}

const pickupIds = (truth: World): readonly string[] =>
  truth.orders
    .filter(({ channel, stage }) => channel !== 'store' && ['paid', 'released', 'picking', 'packed'].includes(stage))
    .flatMap(({ ids }) => ids.pos ?? []);
const openAmazonIds = (truth: World): readonly string[] =>
  truth.orders.filter(({ stage }) => stage === 'paid').flatMap(({ ids }) => ids.marketplace ?? []);

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
    writes: (truth) => ({
      stockMoveSink: {
        input: (n) => moveOf(truth, n),
        unfit: [
          { ...moveOf(truth, 0), key: 'two\nlines' },
          { ...moveOf(truth, 0), units: 0 },
          { ...moveOf(truth, 0), units: 1.5 },
          { ...moveOf(truth, 0), locationExternalId: '' },
          { ...moveOf(truth, 0), at: '2020-01-01T00:00:00.000Z' },
          { ...moveOf(truth, 0), at: 'yesterday' },
        ],
        personal: [],
      },
      orderStepSink: {
        input: (n) => ({ key: `step-${n}`, externalId: pickupIds(truth)[n], state: 'READY_FOR_PICKUP' }),
        unfit: [
          { key: 'k', externalId: '../x', state: 'CANCELED' },
          { key: '', externalId: 'O1', state: 'CANCELED' },
        ],
        personal: [],
      },
    }),
    expired: () =>
      Response.json({ errors: [{ category: 'INVALID_REQUEST_ERROR', code: 'INVALID_CURSOR' }] }, { status: 400 }),
  }),
);

conformConnector(crmHubspot, () =>
  fixturesOf({
    vendor: createHubspotVendor(),
    webhook: hubspotHook,
    keys: (truth) => {
      const ids = { known: profileIds(truth, 'crm'), unknown: (n: number) => String(9_000_000 + n) };
      return { profiles: ids, marketingConsents: ids };
    },
    writes: (truth) => ({
      marketingConsentSink: {
        input: (n) => ({ externalId: `${n}`, medium: 'EMAIL', decision: 'GRANT', address: `p${n}@person.test` }),
        unfit: [
          { externalId: '1', medium: 'SMS', decision: 'WITHDRAW', address: '+442079460018' },
          { externalId: '1', medium: 'EMAIL', decision: 'GRANT', address: 'nobody' },
        ],
        personal: ['p0@person.test', 'p1@person.test'],
      },
      erasureSink: {
        input: (n) => ({ externalId: profileIds(truth, 'crm').at(-1 - n) }),
        unfit: [{ externalId: '../1' }, { externalId: 'someone@person.test' }],
        personal: [],
      },
    }),
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
      '/orders/v0/': 'amazon-sp-api/ordersV0.json',
      '/externalFulfillment/': 'amazon-sp-api/extinv.json',
    },
    options: { restrictedDataToken: true, stockLocation: 'FBA' },
    writes: (truth) => ({
      stockOfferSink: {
        input: (n) => offerOf(truth, n),
        unfit: [
          { ...offerOf(truth, 0), units: -1 },
          { ...offerOf(truth, 0), sequence: 0.5 },
          { ...offerOf(truth, 0), externalId: 'a\u0000' },
        ],
        personal: [],
      },
      orderStepSink: {
        input: (n) => ({ key: `step-${n}`, externalId: openAmazonIds(truth)[n], state: 'READY_FOR_PICKUP' }),
        unfit: [
          { key: 'k', externalId: '900-1', state: 'PICKING' },
          { key: 'k', externalId: '../x', state: 'COLLECTED' },
        ],
        personal: [],
      },
    }),
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
    writes: () => ({
      marketingConsentSink: {
        input: (n) => ({ externalId: `01P${n}`, medium: 'EMAIL', decision: 'WITHDRAW', address: `p${n}@person.test` }),
        unfit: [{ externalId: '01X', medium: 'SMS', decision: 'GRANT', address: '020 7946 0018' }],
        personal: ['p0@person.test', 'p1@person.test', '01P0', '01P1'],
      },
    }),
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
    writes: () => ({
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
    }),
    expired: () => Response.json({ code: 1, message: 'Invalid bookmark.' }, { status: 400 }),
  }),
);
