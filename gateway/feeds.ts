import type { FeedShare, FeedWork } from './feed-share.ts';
import type { FeedStates } from './feed-states.ts';
import type { LoadProgress } from './graph.ts';
import { type FeedRun, startFeed } from '#connectors/kit/feed-runner.ts';
import type { Clock } from '#platform/clock.ts';
import type { FeedName } from '#platform/feed-leases.ts';
import type { Logger } from '#platform/log.ts';
import type { SystemId } from '#schema/model/ids.ts';
import type { ItemRecord, LoyaltyRecord, OrderRecord, ProfileRecord, StockReading } from '#schema/model/records.ts';
import type { ConnectedSystem, FeedSink, FeedSource } from '#schema/model/sources.ts';

/** Where each kind of feed goes; absent: another process reads it. */
export interface FeedSinks {
  readonly items?: FeedSink<ItemRecord>;
  readonly stock?: FeedSink<StockReading>;
  readonly profiles?: FeedSink<ProfileRecord>;
  readonly loyalty?: FeedSink<LoyaltyRecord>;
  readonly orders?: FeedSink<OrderRecord>;
}

export interface Feeds {
  /** Of the feeds this process may read. */
  readonly progress: () => LoadProgress;
  /** Seconds since the system's slowest feed was last complete; null: it has no feed, or one never was. */
  readonly lagSeconds: (system: string) => number | null;
  /** The systems of those feeds that were never read to the end, each once. */
  readonly loading: (feeds: readonly Pick<FeedSource<unknown>, 'system' | 'feed'>[]) => readonly SystemId[];
}

export interface FeedsOptions {
  readonly systems: readonly ConnectedSystem[];
  readonly sinks: FeedSinks;
  readonly share: FeedShare;
  readonly states: FeedStates;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Entry extends FeedName {
  readonly system: SystemId;
  /** This process reads it when it holds it. */
  readonly own: boolean;
  /** The last run of this process. */
  run: FeedRun | null;
}

/** Has every feed of every system that has a sink here read as long as this process holds it. */
export function addFeeds(options: FeedsOptions): Feeds {
  const { sinks, share, states, clock, logger } = options;
  const entries: Entry[] = [];
  const add = <V>(feed: FeedSource<V> | undefined, sink: FeedSink<V> | undefined): void => {
    if (feed === undefined) return;
    const entry: Entry = { system: feed.system, feed: feed.feed, own: sink !== undefined, run: null };
    entries.push(entry);
    if (sink === undefined) return;
    const work: FeedWork = async ({ signal, fence }) => {
      entry.run = startFeed({ feed, sink: fenced(sink, fence), clock, logger, signal });
      await entry.run.stopped;
    };
    share.add(entry, work, () => entry.run?.nudge());
  };
  for (const system of options.systems) {
    add(system.itemFeed, sinks.items);
    add(system.profileFeed, sinks.profiles);
    add(system.loyaltyFeed, sinks.loyalty);
    add(system.orderFeed, sinks.orders);
    add(system.stockFeed, sinks.stock);
  }
  const isDone = (entry: Entry): boolean => entry.run?.status().loaded === true || states.find(entry)?.loaded === true;
  const lagOf = (entry: Entry): number | null => {
    const { completedAtMs = null } = states.find(entry) ?? {};
    const stored = completedAtMs === null ? null : Math.max(0, Math.round((clock.nowMs() - completedAtMs) / 1000));
    const own = entry.run?.status().lagSeconds ?? null;
    return own === null || stored === null ? (own ?? stored) : Math.min(own, stored);
  };
  return {
    progress() {
      const own = entries.filter((entry) => entry.own);
      const feeds = own.map((entry) => ({
        system: entry.system,
        feed: entry.feed,
        rows: entry.run?.status().rowsTotal ?? 0,
        done: isDone(entry),
      }));
      return { done: feeds.every(({ done }) => done), feeds };
    },
    lagSeconds(system) {
      const lags = entries.filter((entry) => entry.system === system).map(lagOf);
      return lags.length === 0 || lags.includes(null) ? null : Math.max(...lags.map(Number));
    },
    loading(feeds) {
      const isOpen = ({ system, feed }: FeedName): boolean =>
        entries.some((entry) => entry.system === system && entry.feed === feed && !isDone(entry));
      return [...new Set(feeds.filter(isOpen).map(({ system }) => system))];
    },
  };
}

/** The sink of a process that may lose the feed: each page says by which right it is written. */
function fenced<V>(sink: FeedSink<V>, fence: number | null): FeedSink<V> {
  if (fence === null) return sink;
  return { readCursor: sink.readCursor, writePage: (feed, page) => sink.writePage(feed, { ...page, fence }) };
}
