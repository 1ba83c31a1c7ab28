import { z } from 'zod';

import type { FeedDefinition } from '#connectors/kit/definition.ts';
import { type FeedRun, startFeed } from '#connectors/kit/feed-runner.ts';
import { createItemFeedSink } from '#domain/catalog/item-feed.ts';
import { createMatchKeys } from '#domain/identity/match-keys.ts';
import { createProfileWriter } from '#domain/identity/profile-writer.ts';
import { createProfileSink } from '#domain/identity/sinks.ts';
import { createSubjectCipher } from '#domain/identity/subject-cipher.ts';
import { createSubjects } from '#domain/identity/subjects.ts';
import { createStockSnapshots } from '#domain/stock/snapshots.ts';
import { systemClock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { silentLogger } from '#platform/log.ts';
import type { FeedSource } from '#schema/model/sources.ts';
import { itemOf, profileOf, readingOf } from './feed-log.ts';
import { connect, definition } from './kit-system.ts';

export const FEED_NAMES = ['items', 'stock', 'people'] as const;
export type FeedName = (typeof FEED_NAMES)[number];

export const EMAIL_KEYS = createMatchKeys(new Uint8Array(32).fill(5));

const entry = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('upsert'), key: z.string(), sequence: z.int() }),
  z.strictObject({ kind: z.literal('delete'), key: z.string() }),
]);
const page = z.strictObject({ entries: z.array(entry), next: z.string(), done: z.boolean() });

/** A feed of the log served at `/name?cursor=`: its cursor is the number of entries read. */
function feedOf<D>(
  name: FeedName,
  toDraft: (key: string, sequence: number) => D,
): FeedDefinition<D, null, z.infer<typeof page>> {
  return {
    feed: name,
    intervalMs: 60_000,
    request: (cursor) => ({
      operation: `read_${name}`,
      method: 'GET',
      path: `/${name}`,
      query: { cursor: cursor ?? '0' },
    }),
    page,
    decode: ({ entries, next, done }) => ({
      changes: entries.map((change) =>
        change.kind === 'delete'
          ? { kind: 'delete', externalId: change.key }
          : { kind: 'upsert', value: toDraft(change.key, change.sequence) },
      ),
      cursor: next,
      done,
      rejected: 0,
    }),
  };
}

/** Reads the chosen feeds of the upstream into the database through the kit and the domains' own sinks. */
export function startFeedReaders(
  { database, url, feeds }: { readonly database: Database; readonly url: string; readonly feeds: readonly FeedName[] },
  signal: AbortSignal,
): readonly FeedRun[] {
  const clock = systemClock;
  const ports = {
    itemFeed: feedOf('items', itemOf),
    stockFeed: feedOf('stock', readingOf),
    profileFeed: feedOf('people', profileOf),
  };
  const { system } = connect(url, { definition: { ports: { ...definition.ports, ...ports } } });
  const writer = createProfileWriter({
    subjects: createSubjects({ database }),
    cipher: createSubjectCipher({ database, clock, keyEncryptionKey: new Uint8Array(32).fill(3) }),
    matchKeys: EMAIL_KEYS,
    clock,
    country: 'GB',
    keepsSnapshot: () => false,
  });
  const sinks = {
    items: createItemFeedSink({ database, clock, canonicalSystem: system.system }),
    stock: createStockSnapshots({ database, clock }).sink,
    people: createProfileSink({ database, clock, writer }),
  };
  const shared = { clock, logger: silentLogger, signal };
  const runOf = (name: FeedName): FeedRun => {
    if (name === 'items') return startFeed({ ...shared, feed: present(system.itemFeed), sink: sinks.items });
    if (name === 'stock') return startFeed({ ...shared, feed: present(system.stockFeed), sink: sinks.stock });
    return startFeed({ ...shared, feed: present(system.profileFeed), sink: sinks.people });
  };
  return feeds.map(runOf);
}

function present<V>(feed: FeedSource<V> | undefined): FeedSource<V> {
  if (feed === undefined) throw new Error('the definition has the feed');
  return feed;
}
