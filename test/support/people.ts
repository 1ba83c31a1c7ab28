import type { Provenance } from '#schema/model/figures.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { LoyaltyRecord, OrderRecord, ProfileRecord } from '#schema/model/records.ts';
import type { FeedPage, FeedSource } from '#schema/model/sources.ts';

/** Provenance of a value read in January 2026. */
function aProvenance(
  system: string,
  over: Partial<Provenance> & { readonly sequence?: string | null } = {},
): Provenance {
  const { sequence = null, ...rest } = over;
  return {
    asOf: '2026-01-10T10:00:00.000Z',
    observedAt: '2026-01-10T10:00:01.000Z',
    source: { system: toSystemId(system), connector: `${system}-test`, reference: null, sequence },
    lane: 'REALTIME',
    stale: false,
    degraded: false,
    inputs: [],
    ...rest,
  };
}

/** A profile with nothing but a name; `system` defaults to `crm`. */
export function aProfile(
  over: Partial<Omit<ProfileRecord, 'system'>> & {
    readonly system?: string;
    readonly asOf?: string | null;
    readonly sequence?: string;
  } = {},
): ProfileRecord {
  const { system = 'crm', asOf, sequence, ...rest } = over;
  return {
    system: toSystemId(system),
    externalId: 'p1',
    kind: 'PROFILE',
    givenName: 'Ada',
    familyName: 'Byron',
    email: null,
    emailVerified: false,
    phone: null,
    addresses: [],
    birthDate: null,
    preferences: null,
    loyaltyNumber: null,
    country: 'GB',
    isTest: false,
    doNotLink: false,
    createdAt: null,
    provenance: aProvenance(system, {
      ...(asOf === undefined ? {} : { asOf }),
      ...(sequence === undefined ? {} : { sequence }),
    }),
    ...rest,
  };
}

export function aLoyaltyAccount(over: Partial<LoyaltyRecord> = {}): LoyaltyRecord {
  return {
    system: toSystemId('pos'),
    externalId: 'account-1',
    customerExternalId: 'p1',
    number: null,
    tier: 'GOLD',
    points: 120,
    provenance: aProvenance('pos'),
    ...over,
  };
}

/** An order of one line worth 20.00 GBP; `system` defaults to `erp`. */
export function anOrder(over: Partial<Omit<OrderRecord, 'system'>> & { readonly system?: string } = {}): OrderRecord {
  const { system = 'erp', ...rest } = over;
  return {
    system: toSystemId(system),
    externalId: 'o1',
    orderNumber: null,
    state: 'RECEIVED',
    vendorState: 'open',
    channel: 'web',
    placedAt: '2026-01-05T09:00:00.000Z',
    customerExternalId: null,
    buyer: null,
    locationExternalId: null,
    lines: [{ code: 'SKU-1', title: 'Kettle', quantity: 2, unitPrice: { amount: '10.00', currency: 'GBP' } }],
    total: { amount: '20.00', currency: 'GBP' },
    updatedAt: '2026-01-05T09:00:00.000Z',
    provenance: aProvenance(system),
    ...rest,
  };
}

/** A feed that is only named: sinks read its ids, never its pages. */
export function aFeed<V>(system: string, feed: string): FeedSource<V> {
  return {
    system: toSystemId(system),
    connector: `${system}-test`,
    feed,
    intervalMs: 1_000,
    readPage: async () => ({ changes: [], cursor: null, done: true }),
  };
}

/** A feed's last page with these records. */
export function aPage<V>(...values: readonly V[]): FeedPage<V> {
  return { changes: values.map((value) => ({ kind: 'upsert', value })), cursor: 'next', done: true };
}
