import type { ItemDraft, ProfileDraft, StockDraft } from '#connectors/kit/draft.ts';

/** What a source's feed delivers, entry by entry. */
export type LogEntry =
  | { readonly kind: 'upsert'; readonly key: string; readonly sequence: number }
  | { readonly kind: 'delete'; readonly key: string };

/** The newest version of each key; null: deleted. */
export type LogTruth = ReadonlyMap<string, number | null>;

interface LogOptions {
  readonly keys: number;
  readonly changes: number;
  /** Whether keys are deleted: stock is not, an item that goes is told by the feed of items. */
  readonly deletes: boolean;
  readonly random: () => number;
}

/** An entry comes at most this many places away from where it belongs, and again within ten times as many. */
const DISORDER = 30;

/**
 * A change log as bad sources deliver it: every tenth entry twice, neighbors in any order. A deleted key never comes back,
 * because a delete carries no version to compare; but copies of its earlier versions arrive after it.
 */
export function createLog({ keys, changes, deletes, random }: LogOptions): {
  readonly log: LogEntry[];
  readonly truth: LogTruth;
} {
  const truth = new Map<string, number | null>();
  const placed: { readonly at: number; readonly entry: LogEntry }[] = [];
  for (let sequence = 1; sequence <= changes; sequence += 1) {
    const key = `k${Math.floor(random() * keys)}`;
    if (truth.get(key) === null) continue;
    // Only what was delivered can be deleted: its first entry lies well before.
    const isDelete = deletes && random() < 0.01 && (truth.get(key) ?? sequence) < sequence - 20 * DISORDER;
    const entry: LogEntry = isDelete ? { kind: 'delete', key } : { kind: 'upsert', key, sequence };
    truth.set(key, isDelete ? null : sequence);
    placed.push({ at: sequence + random() * DISORDER, entry });
    if (random() < 0.1) placed.push({ at: sequence + random() * 10 * DISORDER, entry });
  }
  return { log: placed.toSorted((a, b) => a.at - b.at).map(({ entry }) => entry), truth };
}

/** Later versions are later in time, a millisecond each. */
const stampOf = (sequence: number) => ({
  asOf: new Date(Date.UTC(2026, 0, 1) + sequence).toISOString(),
  reference: null,
  sequence: String(sequence),
});

export function itemOf(key: string, sequence: number): ItemDraft {
  return {
    externalId: key,
    code: `CODE-${key}`,
    kind: 'item',
    gtin: null,
    title: `version ${sequence}`,
    brand: 'Brand',
    category: 'CAT',
    productType: null,
    baseUnit: 'PIECE',
    hazardous: false,
    price: { amount: '9.50', currency: 'GBP' },
    publishedQuantity: null,
    companyQuantity: null,
    blocked: false,
    stamp: stampOf(sequence),
  };
}

export function readingOf(key: string, sequence: number): StockDraft {
  return {
    externalId: key,
    code: `CODE-${key}`,
    locationExternalId: 'L1',
    onHand: sequence,
    committed: 0,
    incoming: null,
    nets: [],
    stamp: stampOf(sequence),
  };
}

export function profileOf(key: string, sequence: number): ProfileDraft {
  return {
    externalId: key,
    kind: 'PROFILE',
    givenName: `Given ${key}`,
    familyName: `Family ${key}`,
    email: `${key}.${sequence}@example.com`,
    emailVerified: true,
    phone: null,
    addresses: [],
    birthDate: null,
    preferences: null,
    loyaltyNumber: null,
    country: 'GB',
    isTest: false,
    doNotLink: false,
    createdAt: null,
    stamp: stampOf(sequence),
  };
}
