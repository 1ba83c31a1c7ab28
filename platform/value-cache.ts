import { LRUCache } from 'lru-cache';
import { z } from 'zod';

import type { Clock } from './clock.ts';
import type { TraceSink } from '#schema/model/trace.ts';
import type { RedisDoor } from './redis.ts';

interface CacheEntry {
  readonly key: string;
  readonly value: string;
  readonly ttlMs: number;
}

/**
 * Text by key, best effort: a value may be gone at any time, and no call rejects. Carries catalog and location values
 * only: never anything about a person.
 */
export interface ValueCache {
  /** Values in key order, null where absent. */
  readonly getMany: (keys: readonly string[]) => Promise<readonly (string | null)[]>;
  readonly setMany: (entries: readonly CacheEntry[]) => Promise<void>;
}

/** In this process, least recently used out first. @param maxBytes bound of keys and values together, two bytes a character */
export function createMemoryCache(maxBytes: number): ValueCache {
  const lru = new LRUCache<string, string>({
    maxSize: maxBytes,
    sizeCalculation: (value, key) => 2 * (value.length + key.length) + 1,
  });
  return {
    getMany: (keys) => Promise.resolve(keys.map((key) => lru.get(key) ?? null)),
    setMany(entries) {
      for (const { key, value, ttlMs } of entries) if (ttlMs > 0) lru.set(key, value, { ttl: Math.ceil(ttlMs) });
      return Promise.resolve();
    },
  };
}

export interface SharedCacheOptions {
  readonly memory: ValueCache;
  readonly redis: RedisDoor;
  /** Keeps several products or tests apart in one Redis. @default 'mortar:' */
  readonly prefix?: string;
  /** How long this process trusts what it copied from Redis, in milliseconds. @default 5000 */
  readonly copyTtlMs?: number;
}

/** Memory first, Redis for what memory lacks. Writes go to both; the caller never waits for Redis to store. */
export function createSharedCache({
  memory,
  redis,
  prefix = 'mortar:',
  copyTtlMs = 5_000,
}: SharedCacheOptions): ValueCache {
  return {
    async getMany(keys) {
      const near = await memory.getMany(keys);
      const missing = keys.filter((_, at) => near[at] === null);
      if (missing.length === 0) return near;
      const far = await redis.getMany(missing.map((key) => prefix + key));
      if (far === null) return near;
      const found = new Map(missing.map((key, at) => [key, far[at] ?? null]));
      const copies = [...found].flatMap(([key, value]) => (value === null ? [] : [{ key, value, ttlMs: copyTtlMs }]));
      await memory.setMany(copies);
      return keys.map((key, at) => near[at] ?? found.get(key) ?? null);
    },
    async setMany(entries) {
      await memory.setMany(entries);
      // Not awaited on purpose: storing for other processes must not delay this answer. The door never rejects.
      void redis.setMany(entries.map((entry) => ({ ...entry, key: prefix + entry.key })));
    },
  };
}

export interface TypedCacheOptions<V> {
  readonly cache: ValueCache;
  readonly clock: Clock;
  /** First part of every key; change it when the shape changes. */
  readonly name: string;
  readonly schema: z.ZodType<V>;
  readonly ttlMs: number;
}

/** One kind of value in the cache: what does not parse, is not of the kind or is older than `ttlMs` counts as absent. */
export interface TypedCache<V> {
  /** Values in key order, undefined where absent; what answered and how old it is goes to the request's trace. */
  readonly getMany: (keys: readonly string[], trace?: TraceSink) => Promise<readonly (V | undefined)[]>;
  readonly setMany: (entries: readonly { readonly key: string; readonly value: V }[]) => Promise<void>;
}

/** The content of a shared cache is hostile input: it is checked on every read, and its age is bounded by our own clock. */
export function createTypedCache<V>({ cache, clock, name, schema, ttlMs }: TypedCacheOptions<V>): TypedCache<V> {
  const envelope = z.object({ until: z.number(), value: schema });
  const read = (text: string | null): { readonly value: V; readonly ageMs: number } | undefined => {
    if (text === null) return undefined;
    const parsed = envelope.safeParse(parseJson(text));
    if (!parsed.success) return undefined;
    const leftMs = parsed.data.until - clock.nowMs();
    return leftMs > 0 && leftMs <= ttlMs ? { value: parsed.data.value, ageMs: ttlMs - leftMs } : undefined;
  };
  return {
    async getMany(keys, trace) {
      const found = (await cache.getMany(keys.map((key) => `${name}:${key}`))).map(read);
      const ages = found.flatMap((entry) => (entry === undefined ? [] : [entry.ageMs]));
      const oldestMs = ages.length === 0 ? null : Math.max(...ages);
      trace?.cache({ cache: name, hits: ages.length, misses: keys.length - ages.length, oldestMs });
      return found.map((entry) => entry?.value);
    },
    async setMany(entries) {
      const until = clock.nowMs() + ttlMs;
      await cache.setMany(
        entries.map(({ key, value }) => ({ key: `${name}:${key}`, value: JSON.stringify({ until, value }), ttlMs })),
      );
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
