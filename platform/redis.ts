import { createHash } from 'node:crypto';

import { Redis } from 'ioredis';

import { nextTurn } from './turns.ts';

/** Where the door tells that Redis went away or came back; called once per change of state, never per call. */
type RedisStateListener = (state: { readonly up: boolean; readonly reason: string }) => void;

export interface RedisDoorOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  readonly onState?: RedisStateListener;
  /** The most one call may wait, in milliseconds. @default 50 */
  readonly commandTimeoutMs?: number;
  /** Pause between attempts to see whether a closed door may open again, in milliseconds. @default 1000 */
  readonly probeIntervalMs?: number;
}

/** A Lua script, with the name Redis keeps it under. */
export interface LuaScript {
  readonly text: string;
  readonly sha1: string;
}

export function luaScript(text: string): LuaScript {
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

/**
 * A Redis that can never slow or break an answer: connects in the background; while it is not ready a call costs nothing
 * and answers null; the first call that fails or waits longer than `commandTimeoutMs` closes the door until a background
 * probe succeeds.
 */
export interface RedisDoor {
  /** Values in key order, null where absent; null when Redis cannot be asked. Never rejects. */
  readonly getMany: (keys: readonly string[]) => Promise<readonly (string | null)[] | null>;
  /** Best effort: nothing is written when Redis cannot be asked. Never rejects. */
  readonly setMany: (
    entries: readonly { readonly key: string; readonly value: string; readonly ttlMs: number }[],
  ) => Promise<void>;
  /** Runs a script in one step; null when Redis cannot be asked. Never rejects. */
  readonly evaluate: (script: LuaScript, keys: readonly string[], args: readonly string[]) => Promise<unknown>;
  readonly isOpen: () => boolean;
  /** Resolves when the first attempt to connect succeeded or failed, after 2 s at most. */
  readonly tried: Promise<void>;
  readonly close: () => Promise<void>;
}

// ioredis 6: `enableOfflineQueue: false` makes a call on a broken connection fail at once,
// `maxRetriesPerRequest: 1` stops replays.
export function createRedisDoor(options: RedisDoorOptions): RedisDoor {
  const { url, onState, commandTimeoutMs = 50, probeIntervalMs = 1_000 } = options;
  const client = new Redis(url, {
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    // The net below `inTime`: nothing of a server that never answers is kept for ever.
    commandTimeout: 4 * commandTimeoutMs,
    connectTimeout: 2_000,
    lazyConnect: true,
    retryStrategy: (times) => Math.min(100 * times, 2_000),
  });
  let up: boolean | null = null;
  let closed = false;
  let probe: NodeJS.Timeout | undefined;
  const first = Promise.withResolvers<void>();

  const tell = (now: boolean, reason: string): void => {
    first.resolve();
    if (up === now || closed) return;
    up = now;
    onState?.({ up: now, reason });
  };
  const shut = (error: unknown): void => {
    tell(false, reasonOf(error));
    if (probe !== undefined || closed) return;
    probe = setInterval(() => void tryOpen(), probeIntervalMs).unref();
  };
  const tryOpen = async (): Promise<void> => {
    if (client.status !== 'ready') return;
    try {
      await inTime(client.ping());
      clearInterval(probe);
      probe = undefined;
      tell(true, 'ready');
    } catch {
      // Still not answering: the next probe tries again.
    }
  };
  /**
   * A process that was busy for longer than the timeout has the answer in hand, unread: timers come before sockets, so it
   * is given one more turn of the event loop. Otherwise our own load would look like a Redis that is away.
   */
  const inTime = async <T>(command: Promise<T>): Promise<T> => {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      void nextTurn()
        .then(nextTurn)
        .then(() => reject(new Error(`no answer within ${commandTimeoutMs} ms`)));
    }, commandTimeoutMs);
    try {
      return await Promise.race([command, late]);
    } finally {
      clearTimeout(timer);
    }
  };
  const isOpen = (): boolean => up === true && client.status === 'ready';

  client.on('error', shut);
  client.on('close', () => shut(new Error('the connection was closed')));
  client.on('ready', () => void tryOpen());
  client.connect().catch(shut);

  return {
    isOpen,
    tried: first.promise,
    async getMany(keys) {
      if (keys.length === 0) return [];
      if (!isOpen()) return null;
      try {
        return await inTime(client.mget([...keys]));
      } catch (error) {
        shut(error);
        return null;
      }
    },
    async setMany(entries) {
      if (entries.length === 0 || !isOpen()) return;
      try {
        const pipeline = client.pipeline();
        for (const { key, value, ttlMs } of entries) pipeline.set(key, value, 'PX', Math.max(1, Math.ceil(ttlMs)));
        for (const [error] of (await inTime(pipeline.exec())) ?? []) if (error !== null) throw error;
      } catch (error) {
        shut(error);
      }
    },
    async evaluate({ text, sha1 }, keys, args) {
      if (!isOpen()) return null;
      try {
        const answer = client.evalsha(sha1, keys.length, ...keys, ...args).catch(async (error: unknown) => {
          if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
          return await client.eval(text, keys.length, ...keys, ...args);
        });
        return await inTime(answer);
      } catch (error) {
        shut(error);
        return null;
      }
    },
    async close() {
      closed = true;
      first.resolve();
      clearInterval(probe);
      client.disconnect();
      await Promise.resolve();
    },
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  // Connection errors of Node are aggregates without a message of their own.
  return error.message === '' && 'code' in error ? String(error.code) : error.message;
}
