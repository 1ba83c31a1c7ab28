import { randomUUID } from 'node:crypto';

import { pauseFor } from '#connectors/kit/deadline.ts';
import type { Database } from '#platform/database.ts';
import { claimFeeds, type FeedName, nudgeFeeds, releaseFeeds } from '#platform/feed-leases.ts';
import type { Logger } from '#platform/log.ts';

/** What reads a feed until the signal aborts. `fence`: the right it writes by; null: nobody else can write. Never rejects. */
export type FeedWork = (right: { readonly signal: AbortSignal; readonly fence: number | null }) => Promise<void>;

/** Sees to it that of all processes over one database one does the work of a feed at a time. */
export interface FeedShare {
  /**
   * Work to do whenever, and as long as, this process holds the feed. Before `start`.
   * @param onNudge called when the feed should be read now; only while it is held
   */
  readonly add: (name: FeedName, work: FeedWork, onNudge?: () => void) => void;
  /**
   * Has whoever holds them read feeds of a system now: at once in this process, within two seconds in another. Returns at
   * once and never throws.
   */
  readonly nudge: (system: string, feeds: readonly string[]) => void;
  /** Resolves when what can be had at once was taken. */
  readonly start: () => Promise<void>;
  /** Resolves when no work is done any more and everything held is given back. Never rejects. */
  readonly stop: () => Promise<void>;
}

/** A right lasts this long after it was claimed; so long, at most, nobody reads the feeds of a process that was killed. */
const LEASE_MS = 10_000;
const CLAIM_EVERY_MS = 2_000;

/** SQLite: no other process has the database open (see home-lock.ts), so everything is held from start to stop. */
function createSoleShare(): FeedShare {
  const controller = new AbortController();
  const works: (FeedName & { readonly work: FeedWork; readonly onNudge: () => void })[] = [];
  let running: readonly Promise<void>[] = [];
  return {
    add: (name, work, onNudge = () => undefined) => void works.push({ ...name, work, onNudge }),
    nudge: (system, feeds) => {
      for (const entry of works) if (entry.system === system && feeds.includes(entry.feed)) entry.onNudge();
    },
    start: async () => {
      running = works.map(async ({ work }) => work({ signal: controller.signal, fence: null }));
      await Promise.resolve();
    },
    stop: async () => {
      controller.abort();
      await Promise.all(running);
    },
  };
}

interface Job {
  readonly name: FeedName;
  readonly work: FeedWork;
  readonly onNudge: () => void;
  /** Those already acted on. */
  nudges: number;
  running: { readonly fence: number; readonly controller: AbortController; readonly ended: Promise<void> } | null;
}

export interface LeasedShareOptions {
  readonly database: Database;
  readonly logger: Logger;
  /** @default 10 seconds */
  readonly leaseMs?: number;
  /** Waits between two claims, or returns early when the signal aborts. @default 2 seconds */
  readonly pause?: (signal: AbortSignal) => Promise<void>;
}

/**
 * PostgreSQL: rights are rows that end by themselves. A process claims all its feeds in one statement every two seconds; it
 * stops reading what it no longer holds, and a page it was about to write is refused by its fence.
 */
export function createLeasedShare(options: LeasedShareOptions): FeedShare {
  const { database, logger, leaseMs = LEASE_MS } = options;
  const pause = options.pause ?? ((signal: AbortSignal) => pauseFor(CLAIM_EVERY_MS, signal));
  const holder = randomUUID();
  const controller = new AbortController();
  const jobs: Job[] = [];
  let claiming = Promise.resolve();

  const begin = (job: Job, fence: number): void => {
    const own = new AbortController();
    const ended = job.work({ signal: own.signal, fence }).finally(() => {
      // Held on, when it ended by itself: it is done, and nobody has to do it again.
      if (own.signal.aborted) job.running = null;
    });
    job.running = { fence, controller: own, ended };
  };
  const claim = async (): Promise<void> => {
    const held = await claimFeeds(database, { holder, leaseMs, feeds: jobs.map(({ name }) => name) });
    const claimed = new Map(held.map((entry) => [`${entry.system}\n${entry.feed}`, entry]));
    for (const job of jobs) {
      const { fence, nudges = 0 } = claimed.get(`${job.name.system}\n${job.name.feed}`) ?? {};
      if (job.running !== null && job.running.fence !== fence) job.running.controller.abort();
      else if (job.running !== null && nudges > job.nudges) job.onNudge();
      // A run that begins reads at once.
      job.nudges = nudges;
      if (job.running === null && fence !== undefined && !controller.signal.aborted) begin(job, fence);
    }
  };
  const nudge = async (system: string, feeds: readonly string[]): Promise<void> => {
    const isHere = (feed: string): boolean => {
      const job = jobs.find(({ name, running }) => name.system === system && name.feed === feed && running !== null);
      job?.onNudge();
      return job !== undefined;
    };
    await nudgeFeeds(
      database,
      system,
      feeds.filter((feed) => !isHere(feed)),
    );
  };
  const claimOn = async (): Promise<void> => {
    while (!controller.signal.aborted) {
      await pause(controller.signal);
      if (controller.signal.aborted) return;
      // What is held may run out meanwhile: then its pages are refused, not written twice.
      await claim().catch((error: unknown) => logger.warn({ err: error }, 'feeds could not be claimed; trying again'));
    }
  };
  return {
    add: (name, work, onNudge = () => undefined) => void jobs.push({ name, work, onNudge, nudges: 0, running: null }),
    nudge: (system, feeds) =>
      void nudge(system, feeds).catch((error: unknown) =>
        logger.warn({ err: error, system }, 'feeds could not be nudged: they are read after their interval'),
      ),
    start: async () => {
      await claim();
      claiming = claimOn();
    },
    stop: async () => {
      controller.abort();
      await claiming;
      for (const { running } of jobs) running?.controller.abort();
      await Promise.all(jobs.flatMap(({ running }) => running?.ended ?? []));
      await releaseFeeds(database, holder).catch((error: unknown) =>
        logger.warn({ err: error }, 'feeds could not be given back: others take them when the lease ends'),
      );
    },
  };
}

export function createFeedShare(database: Database, logger: Logger): FeedShare {
  return database.dialect === 'postgres' ? createLeasedShare({ database, logger }) : createSoleShare();
}
