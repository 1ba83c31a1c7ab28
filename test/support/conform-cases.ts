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

import { carrierShipengine } from '#connectors/carrier-shipengine/connector.ts';
import { crmHubspot } from '#connectors/crm-hubspot/connector.ts';
import { emailKlaviyo } from '#connectors/email-klaviyo/connector.ts';
import { erpBusinessCentral } from '#connectors/erp-business-central/connector.ts';
import { marketplaceAmazon } from '#connectors/marketplace-amazon/connector.ts';
import { posSquare } from '#connectors/pos-square/connector.ts';
import { socialPinterest } from '#connectors/social-pinterest/connector.ts';
import { wmsConnect } from '#connectors/wms-connect/connector.ts';
import type { ConnectorDefinition } from '#connectors/kit/definition.ts';

import { fixturesOf } from './conform-fixtures.ts';
import type { ConformFixtures } from './conform-harness.ts';
import { erpHook, hubspotHook, squareHook } from './conform-webhooks.ts';
import { hubspotOracle } from './hubspot-oracle.ts';
import { WMS_CONTRACTS, wmsWrites } from './conform-wms.ts';
import { loadODataContract, toODataOracle } from './odata-contract.ts';

/** A connector over its sandbox, as the conformance suite and the proofs use it. */
export interface ConformCase {
  readonly id: string;
  /** Hands over the definition with its own settings' type. */
  readonly visit: <R>(visitor: ConformVisitor<R>) => R;
}

export type ConformVisitor<R> = <S>(definition: ConnectorDefinition<S>, open: () => Promise<ConformFixtures>) => R;

function caseOf<S>(definition: ConnectorDefinition<S>, open: () => Promise<ConformFixtures>): ConformCase {
  return { id: definition.id, visit: (visitor) => visitor(definition, open) };
}

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

const erpCase = caseOf(erpBusinessCentral, () =>
  fixturesOf({
    vendor: createErpVendor(),
    webhook: erpHook,
    oracles: {
      '/v2.0/production/api/v2.0/companies': async () =>
        toODataOracle(await loadODataContract('business-central/BCOAS1.0.json', '/v2.0/production/api/v2.0')),
    },
    outside: { '/v2.0/production/api/v2.0/subscriptions': 'not in the stored part of the contract' },
    keys: (truth) => ({
      items: { known: truth.products.map(({ sku }) => sku), unknown: numbered('NONE-') },
      orders: { known: orderIds(truth, 'erp'), unknown: numbered('SO-NONE-') },
    }),
    expired: () =>
      Response.json({ error: { code: 'BadRequest', message: 'The skip token is not valid.' } }, { status: 400 }),
  }),
);

const wmsCase = caseOf(wmsConnect, () =>
  fixturesOf({
    vendor: createWmsVendor(),
    openContracts: true,
    contracts: WMS_CONTRACTS,
    keys: (truth) => ({
      stock: { known: truth.products.map(({ sku }) => sku), unknown: numbered('NONE-'), toKey: stockKey },
      orders: { known: orderIds(truth, 'wms'), unknown: numbered('FF-NONE-') },
    }),
    writes: wmsWrites,
    expired: () =>
      Response.json({ errors: [{ code: 'generic', message: 'next_request is not valid.' }] }, { status: 400 }),
  }),
);

const posCase = caseOf(posSquare, () =>
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
        others: (['RETURNED', 'SOLD', 'LOST'] as const).map((kind) => ({ ...moveOf(truth, 0), key: kind, kind })),
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
        others: ['PICKING', 'COLLECTED', 'CANCELED'].map((state, index) => ({
          key: `other-${index}`,
          externalId: pickupIds(truth).at(-1 - index),
          state,
        })),
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

const crmCase = caseOf(crmHubspot, () =>
  fixturesOf({
    vendor: createHubspotVendor(),
    webhook: hubspotHook,
    oracles: { '/crm/v3/': async () => Promise.resolve(hubspotOracle) },
    outside: { '/communication-preferences/v4/': "HubSpot's client 13.5 knows preferences up to v3" },
    keys: (truth) => {
      const ids = { known: profileIds(truth, 'crm'), unknown: (n: number) => String(9_000_000 + n) };
      return { profiles: ids, marketingConsents: ids };
    },
    writes: (truth) => ({
      marketingConsentSink: {
        input: (n) => ({ externalId: `${n}`, medium: 'EMAIL', decision: 'GRANT', address: `p${n}@person.test` }),
        others: [{ externalId: '1', medium: 'EMAIL', decision: 'WITHDRAW', address: 'other@person.test' }],
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

const marketplaceCase = caseOf(marketplaceAmazon, () =>
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
        others: [{ key: 'other', externalId: openAmazonIds(truth).at(-1), state: 'COLLECTED' }],
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

const carrierCase = caseOf(carrierShipengine, () =>
  fixturesOf({
    vendor: createShipengineVendor(),
    openContracts: true,
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

const emailCase = caseOf(emailKlaviyo, () =>
  fixturesOf({
    vendor: createKlaviyoVendor(),
    openContracts: true,
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
        others: [
          { externalId: '01Q', medium: 'EMAIL', decision: 'GRANT', address: 'q@person.test' },
          { externalId: '01Q', medium: 'SMS', decision: 'GRANT', address: '+442079460018' },
          { externalId: '01R', medium: 'SMS', decision: 'WITHDRAW', address: '+442079460019' },
        ],
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

const socialCase = caseOf(socialPinterest, () =>
  fixturesOf({
    vendor: createPinterestVendor(),
    basePath: '/v5',
    contracts: { '/v5/': 'pinterest/v5.json' },
    keys: () => ({ audiences: { known: [PINTEREST_LIST], unknown: (n) => String(70_000 + n) } }),
    writes: () => ({
      audienceSink: {
        input: (n) => member(n, { purpose: 'THIRD_PARTY_SHARING', recipient: 'pinterest', decidedAtMs: Date.now() }),
        others: [{ ...member(2, null), operation: 'REMOVE' }],
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

/** Every connector with a sandbox; Tryton stands for itself (`tryton/conform.ts`). */
export const conformCases: readonly ConformCase[] = [
  erpCase,
  wmsCase,
  posCase,
  crmCase,
  marketplaceCase,
  carrierCase,
  emailCase,
  socialCase,
];
