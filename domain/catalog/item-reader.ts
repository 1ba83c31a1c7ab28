import type { Clock } from '#platform/clock.ts';
import { MortarError } from '#platform/errors.ts';
import { readWithin } from '#platform/read-within.ts';
import { createTypedCache, type ValueCache } from '#platform/value-cache.ts';
import type { ItemRecord } from '#schema/model/records.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { ItemSource, Slot } from '#schema/model/sources.ts';
import { z } from 'zod';

import { itemRecordSchema } from './item-codec.ts';

/** How old a cached item may be; within it the value counts as read at request time, and `observedAt` tells its age. */
const CACHE_TTL_MS = 30_000;
/** How long "the system does not know this code" is believed. */
const ABSENT_TTL_MS = 10_000;

export interface ItemReaderOptions {
  readonly source: ItemSource;
  readonly cache: ValueCache;
  readonly clock: Clock;
  /** The most a read may take before the snapshot answers, in milliseconds. @default 1500 */
  readonly maxReadMs?: number | undefined;
  /** Snapshots by code, in order, with the provenance of a fallback; null where there is none. */
  readonly snapshots: (codes: readonly string[]) => Promise<readonly (ItemRecord | null)[]>;
}

/** Items of one system by code, read at request time; never rejects. */
export type ItemReader = (codes: readonly string[], scope: CallScope) => Promise<readonly Slot<ItemRecord>[]>;

/**
 * Reads through the value cache; what the source does not answer in time comes from the snapshot, flagged. A code the
 * source denies is null even when a snapshot remembers it. Cost: one batch call for the codes the cache lacks.
 */
export function createItemReader(options: ItemReaderOptions): ItemReader {
  const { source, cache, clock, maxReadMs = 1_500, snapshots } = options;
  const { system } = source;
  const present = createTypedCache({
    cache,
    clock,
    name: `item1:${system}`,
    schema: itemRecordSchema,
    ttlMs: CACHE_TTL_MS,
  });
  const absent = createTypedCache({
    cache,
    clock,
    name: `item1-none:${system}`,
    schema: z.literal(true),
    ttlMs: ABSENT_TTL_MS,
  });

  const readSource = async (codes: readonly string[], scope: CallScope): Promise<readonly Slot<ItemRecord>[]> => {
    try {
      const slots = await readWithin({ scope, clock, maxMs: maxReadMs, system }, (inner) =>
        source.itemsByCode(codes, inner),
      );
      // Systems compare codes without regard to case; another item than the one asked for is no answer.
      return codes.map((code, at) => {
        const slot = slots[at] ?? null;
        return slot === null || slot instanceof Error || slot.code === code ? slot : null;
      });
    } catch (error) {
      const failure = error instanceof Error ? error : new MortarError('UPSTREAM_UNAVAILABLE', { system });
      return codes.map(() => failure);
    }
  };
  const remember = async (codes: readonly string[], slots: readonly Slot<ItemRecord>[]): Promise<void> => {
    const found = slots.filter((slot): slot is ItemRecord => slot !== null && !(slot instanceof Error));
    await present.setMany(found.map((value) => ({ key: value.code ?? '', value })));
    const denied = codes.filter((_, at) => slots[at] === null);
    await absent.setMany(denied.map((key) => ({ key, value: true as const })));
  };
  const fallBack = async (codes: readonly string[], slots: readonly Slot<ItemRecord>[]) => {
    const failed = codes.filter((_, at) => slots[at] instanceof Error);
    if (failed.length === 0) return slots;
    const stored = new Map((await snapshots(failed)).map((record, at) => [failed[at], record]));
    return codes.map((code, at) => stored.get(code) ?? slots[at] ?? null);
  };

  return async (codes, scope) => {
    const [known, denied] = await Promise.all([present.getMany(codes, scope.trace), absent.getMany(codes)]);
    const missing = codes.filter((_, at) => known[at] === undefined && denied[at] === undefined);
    if (missing.length === 0) return codes.map((_, at) => known[at] ?? null);
    const read = await readSource(missing, scope);
    await remember(missing, read);
    const answers = new Map((await fallBack(missing, read)).map((slot, at) => [missing[at], slot]));
    return codes.map((code, at) => known[at] ?? answers.get(code) ?? null);
  };
}
