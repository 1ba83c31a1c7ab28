import { readFeedStates } from '#platform/feed-cursors.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import type { Logger } from '#platform/log.ts';
import { type FeedRun, startFeed } from '#connectors/kit/feed-runner.ts';
import type { ItemRecord, LoyaltyRecord, OrderRecord, ProfileRecord, StockReading } from '#schema/model/records.ts';
import type { ConnectedSystem, FeedSink, FeedSource } from '#schema/model/sources.ts';
import type { SystemId } from '#schema/model/ids.ts';
import type { LoadProgress } from './graph.ts';

/** Where each kind of feed goes. */
export interface FeedSinks {
  readonly items: FeedSink<ItemRecord>;
  readonly stock: FeedSink<StockReading>;
  readonly profiles: FeedSink<ProfileRecord>;
  readonly loyalty: FeedSink<LoyaltyRecord>;
  readonly orders: FeedSink<OrderRecord>;
}

export interface Feeds {
  readonly progress: () => LoadProgress;
  /** Seconds since the system's slowest feed was last complete; null: it has no feed, or one never was. */
  readonly lagSeconds: (system: string) => number | null;
  /** The systems of those feeds that were never read to the end, each once. */
  readonly loading: (feeds: readonly Pick<FeedSource<unknown>, 'system' | 'feed'>[]) => readonly SystemId[];
  /** Reads feeds of a system now; names it does not have are ignored. */
  readonly nudge: (system: string, feeds: readonly string[]) => void;
  readonly stop: () => Promise<void>;
}

export interface FeedsOptions {
  readonly database: Database;
  readonly systems: readonly ConnectedSystem[];
  readonly sinks: FeedSinks;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Running {
  readonly system: string;
  readonly feed: string;
  readonly run: FeedRun;
}

/** Runs every feed of every system until stopped. */
export async function startFeeds(options: FeedsOptions): Promise<Feeds> {
  const { systems, sinks, clock, logger } = options;
  const controller = new AbortController();
  const running: Running[] = [];
  const start = <V>(feed: FeedSource<V> | undefined, sink: FeedSink<V>): void => {
    if (feed === undefined) return;
    const run = startFeed({ feed, sink, clock, logger, signal: controller.signal });
    running.push({ system: feed.system, feed: feed.feed, run });
  };
  for (const system of systems) {
    start(system.itemFeed, sinks.items);
    start(system.profileFeed, sinks.profiles);
    start(system.loyaltyFeed, sinks.loyalty);
    start(system.orderFeed, sinks.orders);
    start(system.stockFeed, sinks.stock);
  }
  // What an earlier process completed need not be waited for again.
  const before = await readFeedStates(options.database);
  const loadedBefore = new Set(before.filter(({ loaded }) => loaded).map(({ system, feed }) => `${system}\n${feed}`));
  const isDone = ({ system, feed, run }: Running): boolean =>
    run.status().loaded || loadedBefore.has(`${system}\n${feed}`);

  return {
    progress: () => ({
      done: running.every(isDone),
      feeds: running.map((entry) => ({
        system: entry.system,
        feed: entry.feed,
        rows: entry.run.status().rowsTotal,
        done: isDone(entry),
      })),
    }),
    lagSeconds(system) {
      const lags = running.filter((entry) => entry.system === system).map(({ run }) => run.status().lagSeconds);
      return lags.length === 0 || lags.includes(null) ? null : Math.max(...lags.map(Number));
    },
    loading(feeds) {
      const open = running.filter((entry) => !isDone(entry));
      const isOpen = ({ system, feed }: Pick<FeedSource<unknown>, 'system' | 'feed'>): boolean =>
        open.some((entry) => entry.system === system && entry.feed === feed);
      return [...new Set(feeds.filter(isOpen).map(({ system }) => system))];
    },
    nudge(system, feeds) {
      for (const entry of running) if (entry.system === system && feeds.includes(entry.feed)) entry.run.nudge();
    },
    async stop() {
      controller.abort();
      await Promise.all(running.map(async ({ run }) => run.stopped));
    },
  };
}
