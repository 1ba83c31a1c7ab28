import { LRUCache } from 'lru-cache';

import { type TraceRecord, traceRecord } from './trace-record.ts';
import { luaScript, type RedisDoor } from '#platform/redis.ts';

/** How long a request can be asked for. */
export const TRACE_TTL_MS = 15 * 60_000;
/** Requests that carried one id, newest first: callers choose ids, and may choose the same. */
const SAME_ID = 5;

/** Recent requests by their id. Bounded in number, in bytes and in time. */
export interface TraceStore {
  /** Best effort, never in the way of an answer. */
  readonly keep: (record: TraceRecord) => void;
  /** Newest first; empty: unknown, or too long ago. Never rejects. */
  readonly find: (requestId: string) => Promise<readonly TraceRecord[]>;
  readonly close: () => Promise<void>;
}

const MAX_BYTES = 16 * 2 ** 20;
const MAX_IDS = 20_000;
/** Whoever has no token must not push out what others did. */
const MAX_STRANGERS = 500;

/** Kept in this process, as text: it costs what it is long. */
export function createMemoryTraces(): TraceStore {
  const bounds = { ttl: TRACE_TTL_MS, ttlResolution: 1_000, sizeCalculation: lengthOf };
  const known = new LRUCache<string, readonly string[]>({ max: MAX_IDS, maxSize: MAX_BYTES, ...bounds });
  const strangers = new LRUCache<string, readonly string[]>({ max: MAX_STRANGERS, maxSize: MAX_BYTES / 16, ...bounds });
  return {
    keep: (record) => {
      const texts = record.client === null ? strangers : known;
      const before = texts.peek(record.requestId) ?? [];
      texts.set(record.requestId, [JSON.stringify(record), ...before.slice(0, SAME_ID - 1)]);
    },
    find: (requestId) =>
      Promise.resolve([...(known.peek(requestId) ?? []), ...(strangers.peek(requestId) ?? [])].flatMap(readRecord)),
    close: () => Promise.resolve(),
  };
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 1);
}

/** What lies in Redis is checked like any other input. */
function readRecord(text: string): readonly TraceRecord[] {
  try {
    return [traceRecord.parse(JSON.parse(text))];
  } catch {
    return [];
  }
}

/** All keys in one slot of a cluster, so that one script may touch them. */
const PREFIX = 'mortar:{trace}:';
const MAX_SHARED = 5_000;
const FLUSH_MS = 200;
const MAX_WAITING = 500;

// The list of all keys, oldest first, bounds their number: what is pushed beyond it takes the oldest record along.
const KEEP = luaScript(`
  local ttl, same, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
  for at = 2, #KEYS do
    redis.call('lpush', KEYS[at], ARGV[at + 2])
    redis.call('ltrim', KEYS[at], 0, same - 1)
    redis.call('pexpire', KEYS[at], ttl)
    redis.call('rpush', KEYS[1], KEYS[at])
  end
  redis.call('pexpire', KEYS[1], ttl)
  for _ = 1, redis.call('llen', KEYS[1]) - most do redis.call('rpop', redis.call('lpop', KEYS[1])) end
  return 1`);
const FIND = luaScript(`return redis.call('lrange', KEYS[1], 0, -1)`);

/**
 * The same for several processes: each keeps its own requests, and writes them to Redis a moment later, many in one step.
 * While Redis is away each process answers for itself.
 */
export function createSharedTraces(redis: RedisDoor): TraceStore {
  const own = createMemoryTraces();
  let waiting: TraceRecord[] = [];
  const flush = async (): Promise<void> => {
    if (waiting.length === 0) return;
    const records = waiting;
    waiting = [];
    const keys = records.map(({ requestId }) => PREFIX + requestId);
    const bounds = [TRACE_TTL_MS, SAME_ID, MAX_SHARED].map(String);
    await redis.evaluate(
      KEEP,
      [`${PREFIX}*`, ...keys],
      [...bounds, ...records.map((record) => JSON.stringify(record))],
    );
  };
  const timer = setInterval(() => void flush(), FLUSH_MS).unref();
  return {
    keep: (record) => {
      own.keep(record);
      // More than that in a moment: this process still answers for them.
      if (record.client !== null && waiting.length < MAX_WAITING) waiting.push(record);
    },
    find: async (requestId) => {
      const found = await redis.evaluate(FIND, [PREFIX + requestId], []);
      const texts = Array.isArray(found) ? found.filter((text): text is string => typeof text === 'string') : [];
      const all = [...(await own.find(requestId)), ...texts.flatMap(readRecord)];
      const distinct = new Map(all.map((record) => [JSON.stringify(record), record]));
      return [...distinct.values()].toSorted((a, b) => (a.at < b.at ? 1 : -1)).slice(0, SAME_ID);
    },
    close: async () => {
      clearInterval(timer);
      await flush();
      await redis.close();
    },
  };
}
