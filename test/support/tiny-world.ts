import type { World, WorldOrder, WorldProduct, WorldProfile } from '#sandbox/world/types.ts';

const AT = '2026-03-01T10:00:00.000Z';

/** A product of the tiny world; `overrides` replace its fields. */
export function tinyProduct(sku: string, overrides: Partial<WorldProduct> = {}): WorldProduct {
  return {
    sku,
    title: `Product ${sku}`,
    brand: 'Northmoor',
    category: 'Homeware',
    productType: 'Mug',
    gtin: '4006381333931',
    baseUnit: 'PIECE',
    hazardous: false,
    priceMinor: 1000,
    storePriceMinor: 1050,
    marketplacePriceMinor: 1199,
    currency: 'GBP',
    erpId: `erp-${sku}`,
    posVariationId: `VAR-${sku}`,
    asin: `B0${sku}`,
    sellerSku: `AMZ-${sku}`,
    updatedAt: AT,
    ...overrides,
  };
}

/** A person's record in one system of the tiny world; `overrides` replace its fields. */
export function tinyProfile(
  system: WorldProfile['system'],
  externalId: string,
  overrides: Partial<WorldProfile> = {},
): WorldProfile {
  return {
    system,
    externalId,
    personId: 'person-1',
    givenName: 'Ada',
    familyName: 'Byron',
    email: 'Ada.Byron@example.test',
    emailVerified: system === 'crm',
    phone: '07700 900123',
    address: { street: '1 Mill Lane', city: 'Leeds', postalCode: 'LS1 1AA', country: 'GB' },
    birthDate: '1985-12-10',
    loyaltyNumber: 'L-100',
    preferences: { brands: ['Northmoor'], categories: ['Homeware', 'Garden'], sizes: [] },
    isTest: false,
    createdAt: '2025-01-01T00:00:00.000Z',
    updatedAt: AT,
    ...overrides,
  };
}

/** An order of the tiny world; `overrides` replace its fields. */
export function tinyOrder(orderNumber: string, overrides: Partial<WorldOrder> = {}): WorldOrder {
  return {
    orderNumber,
    channel: 'store',
    stage: 'collected',
    placedAt: AT,
    updatedAt: AT,
    personId: 'person-1',
    profileIds: {},
    guest: null,
    lines: [{ sku: 'A1', quantity: 2, unitPriceMinor: 1050 }],
    currency: 'GBP',
    place: 'S01',
    ids: {},
    ...overrides,
  };
}

/** A handful of everything: two stores, Amazon's warehouse, three products, one person in three systems, five orders. */
export function tinyWorld(): World {
  const place = (code: string, kind: World['places'][number]['kind'], ids: World['places'][number]['ids']) => ({
    code,
    name: `Place ${code}`,
    kind,
    zone: 'URBAN' as const,
    latitude: 53.8,
    longitude: -1.55,
    street: '2 High Street',
    city: 'Leeds',
    postalCode: 'LS2 2BB',
    country: 'GB',
    timeZone: 'Europe/London',
    openingPeriods: [{ weekday: 1, opensAt: '09:00', closesAt: '18:00' }],
    ids,
  });
  const stock = (sku: string, at: string, onHand: number, committed: number) =>
    [`${sku}@${at}`, { sku, place: at, onHand, committed, incoming: 3, changedAt: AT }] as const;
  const profiles = [
    tinyProfile('crm', '101'),
    tinyProfile('crm', '102', { email: 'second@example.test', isTest: true, preferences: null, address: null }),
    tinyProfile('pos', 'CUST1'),
    tinyProfile('pos', 'CUST2', {
      email: null,
      phone: null,
      address: null,
      birthDate: null,
      loyaltyNumber: null,
      isTest: true,
    }),
    tinyProfile('marketplace', 'buyer1', { email: null }),
  ];
  const guest = { givenName: 'Gus', familyName: 'Guest', email: 'gus@example.test', phone: null, address: null };
  return {
    seed: 1,
    scale: 'small',
    builtAt: AT,
    places: [
      place('S01', 'STORE', { pos: 'LOC1' }),
      place('S02', 'STORE', { pos: 'LOC2' }),
      place('W1', 'WAREHOUSE', { wms: 'WH1' }),
      place('FBA', 'MARKETPLACE_WAREHOUSE', { marketplace: 'FBA1' }),
    ],
    products: [
      tinyProduct('A1'),
      tinyProduct('A2', { gtin: null, sellerSku: null, asin: null }),
      tinyProduct('A3', { posVariationId: null }),
    ],
    people: [{ personId: 'person-1', isTest: false, country: 'GB', profiles }],
    profiles,
    loyalty: [{ accountId: 'LOY1', posCustomerId: 'CUST1', number: '+447700900123', tier: 'SILVER', points: 1200 }],
    stock: new Map([
      stock('A1', 'S01', 10, 4),
      stock('A1', 'S02', 1, 3),
      stock('A2', 'S01', 5, 0),
      stock('A1', 'FBA', 20, 5),
      stock('A1', 'W1', 99, 0),
    ]),
    orders: [
      tinyOrder('1001', { ids: { pos: 'SQO1' }, profileIds: { pos: 'CUST1' } }),
      tinyOrder('1002', {
        channel: 'web',
        stage: 'readyForPickup',
        ids: { pos: 'SQO2', erp: 'E2' },
        guest,
        personId: null,
      }),
      tinyOrder('1003', {
        stage: 'refunded',
        ids: { pos: 'SQO3' },
        place: 'S02',
        updatedAt: '2026-03-02T10:00:00.000Z',
      }),
      tinyOrder('1004', {
        channel: 'amazon',
        stage: 'delivered',
        place: 'FBA',
        ids: { marketplace: '203-0000001-0000001' },
        profileIds: { marketplace: 'buyer1' },
      }),
      tinyOrder('1005', {
        channel: 'amazon',
        stage: 'received',
        place: 'W1',
        ids: { marketplace: '203-0000001-0000002' },
      }),
    ],
    consents: [
      {
        system: 'pos',
        externalId: 'CUST1',
        purpose: 'MARKETING',
        medium: 'EMAIL',
        recipient: null,
        decision: 'WITHDRAW',
        at: AT,
        evidence: 'till',
      },
    ],
    sequence: 0,
  };
}
