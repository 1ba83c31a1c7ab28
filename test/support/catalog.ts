import type { Provenance } from '#schema/model/figures.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { ItemRecord, StockReading } from '#schema/model/records.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { FeedPage, FeedSource } from '#schema/model/sources.ts';

/** 2026-11-23 12:00 UTC, a Monday. */
export const NOON_MS = Date.parse('2026-11-23T12:00:00.000Z');

/** A clock that stands still until moved. */
export function aClock(startMs = NOON_MS) {
  let nowMs = startMs;
  return { nowMs: () => nowMs, advance: (ms: number) => void (nowMs += ms) };
}

export function aProvenance(system: string, over: Partial<Provenance> = {}): Provenance {
  return {
    asOf: '2026-11-23T11:59:00.000Z',
    observedAt: '2026-11-23T12:00:00.000Z',
    source: { system: toSystemId(system), connector: `${system}-connector`, reference: null, sequence: null },
    lane: 'REALTIME',
    stale: false,
    degraded: false,
    inputs: [],
    ...over,
  };
}

/** An item named `code` in a system; its id differs from its code. */
export function anItem(system: string, code: string | null, over: Partial<ItemRecord> = {}): ItemRecord {
  return {
    system: toSystemId(system),
    externalId: `${system}:${code}`,
    code,
    kind: 'item',
    gtin: null,
    title: `Title of ${code}`,
    brand: 'Brand',
    category: 'CAT',
    productType: null,
    baseUnit: 'PIECE',
    hazardous: false,
    price: { amount: '9.50', currency: 'GBP' },
    publishedQuantity: null,
    companyQuantity: null,
    blocked: false,
    provenance: aProvenance(system),
    ...over,
  };
}

export function aReading(system: string, place: string, over: Partial<StockReading> = {}): StockReading {
  return {
    system: toSystemId(system),
    externalId: `${system}:A`,
    code: 'A',
    locationExternalId: place,
    onHand: 10,
    committed: 0,
    incoming: null,
    nets: [],
    provenance: aProvenance(system),
    ...over,
  };
}

export function aFeed<V>(system: string, feed: string): FeedSource<V> {
  return {
    system: toSystemId(system),
    connector: `${system}-connector`,
    feed,
    intervalMs: 60_000,
    readPage: () => Promise.reject(new Error('not read in tests')),
  };
}

/** A finished page that upserts these values. */
export function aPage<V>(values: readonly V[], cursor = 'c1'): FeedPage<V> {
  return { changes: values.map((value) => ({ kind: 'upsert' as const, value })), cursor, done: true };
}

export function aScope(nowMs = NOON_MS, leftMs = 3_000): CallScope {
  return { requestId: 'req-1', deadlineAtMs: nowMs + leftMs, signal: new AbortController().signal };
}
