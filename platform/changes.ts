import { createHmac } from 'node:crypto';

/** What keys of a change name: customer ids, or the retailer's codes of items. */
export type ChangeTopic = 'customer' | 'stock';

/** Called with keys of the watcher's own that changed; null: any of them may have. Must not throw. */
export type ChangeListener = (keys: readonly string[] | null) => void;

/** What one process tells the others: hashed keys, never values. */
export interface ChangeMessage {
  readonly topic: ChangeTopic;
  /** Null: any key of the topic may have changed. */
  readonly hashes: readonly string[] | null;
}

/** Carries messages to other processes, at most once. See redis-changes.ts. */
export interface ChangeLink {
  /** Never rejects and never throws. */
  readonly send: (message: ChangeMessage) => void;
  readonly close: () => Promise<void>;
}

export interface ChangeLinkEvents {
  readonly onMessage: (message: ChangeMessage) => void;
  /** Messages may have been lost: whoever watches must look again. */
  readonly onGap: () => void;
}

/**
 * Tells who watches a key that what it stands for changed. Only that it changed: a watcher reads the value itself, by its
 * own rights. At most once across processes; after a gap every watcher is told that it may have missed something.
 */
export interface Changes {
  /** Nobody listens here and no other process is told: looking up keys to publish would be in vain. */
  readonly isHeard: () => boolean;
  /** Never throws. Null: any key of the topic may have changed. */
  readonly publish: (topic: ChangeTopic, keys: readonly string[] | null) => void;
  /** Answers how to stop. Cost: memory by key. */
  readonly watch: (topic: ChangeTopic, keys: readonly string[], listener: ChangeListener) => () => void;
  /** Watchers now. */
  readonly watcherCount: () => number;
  readonly close: () => Promise<void>;
}

export interface ChangesOptions {
  /** Keys are hashed with it, so that a message names nobody. */
  readonly key: Uint8Array;
  /** Opens the way to other processes; absent: there are none. */
  readonly openLink?: (events: ChangeLinkEvents) => ChangeLink;
}

/** More keys at once than this are told as "any of them": a mass change must not flood the link. */
const MAX_KEYS_A_MESSAGE = 1_000;

interface Watcher {
  readonly keyOf: ReadonlyMap<string, string>;
  readonly listener: ChangeListener;
}

export function createChanges({ key, openLink }: ChangesOptions): Changes {
  const byHash = new Map<string, Set<Watcher>>();
  const byTopic = new Map<ChangeTopic, Set<Watcher>>();
  const hashOf = (topic: ChangeTopic, name: string): string =>
    createHmac('sha256', key).update(`${topic}\n${name}`).digest('base64url').slice(0, 22);

  const deliver = ({ topic, hashes }: ChangeMessage): void => {
    if (hashes === null) {
      for (const { listener } of byTopic.get(topic) ?? []) listener(null);
      return;
    }
    const changed = new Map<Watcher, string[]>();
    for (const hash of hashes) {
      for (const watcher of byHash.get(hash) ?? []) {
        const keys = changed.get(watcher) ?? [];
        const name = watcher.keyOf.get(hash);
        if (name !== undefined) keys.push(name);
        changed.set(watcher, keys);
      }
    }
    for (const [{ listener }, keys] of changed) listener(keys);
  };
  const link = openLink?.({
    onMessage: deliver,
    onGap: () => {
      for (const topic of byTopic.keys()) deliver({ topic, hashes: null });
    },
  });
  const watcherCount = (): number => [...byTopic.values()].reduce((sum, { size }) => sum + size, 0);
  const isHeard = (): boolean => link !== undefined || watcherCount() > 0;

  return {
    isHeard,
    watcherCount,
    publish(topic, keys) {
      if (!isHeard() || keys?.length === 0) return;
      const names = keys === null || keys.length > MAX_KEYS_A_MESSAGE ? null : [...new Set(keys)];
      const message = { topic, hashes: names?.map((name) => hashOf(topic, name)) ?? null };
      deliver(message);
      link?.send(message);
    },
    watch(topic, keys, listener) {
      const watcher: Watcher = { keyOf: new Map(keys.map((name) => [hashOf(topic, name), name])), listener };
      addTo(byTopic, topic, watcher);
      for (const hash of watcher.keyOf.keys()) addTo(byHash, hash, watcher);
      return () => {
        removeFrom(byTopic, topic, watcher);
        for (const hash of watcher.keyOf.keys()) removeFrom(byHash, hash, watcher);
      };
    },
    close: async () => link?.close(),
  };
}

function addTo<K>(sets: Map<K, Set<Watcher>>, key: K, watcher: Watcher): void {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set.add(watcher));
}

function removeFrom<K>(sets: Map<K, Set<Watcher>>, key: K, watcher: Watcher): void {
  const set = sets.get(key);
  set?.delete(watcher);
  if (set?.size === 0) sets.delete(key);
}
