import type { Database } from '#platform/database.ts';
import { type FeedState, readFeedStates } from '#platform/feed-cursors.ts';
import type { FeedName } from '#platform/feed-leases.ts';
import type { Logger } from '#platform/log.ts';

/** How far every feed was when last looked, whichever process reads it. */
export interface FeedStates {
  /** Undefined: it never ran. */
  readonly find: (feed: FeedName) => FeedState | undefined;
  readonly stop: () => void;
}

const LOOK_EVERY_MS = 1_000;

/** Looks once a second where other processes may read feeds (PostgreSQL), else once: this process knows the rest itself. */
export async function watchFeedStates(database: Database, logger: Logger): Promise<FeedStates> {
  const load = async () =>
    new Map((await readFeedStates(database)).map((state) => [`${state.system}\n${state.feed}`, state]));
  let states = await load();
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      states = await load();
    } catch (error) {
      logger.warn({ err: error }, 'the progress of feeds could not be read; what was known stays');
    } finally {
      looking = false;
    }
  };
  const timer = database.dialect === 'postgres' ? setInterval(() => void look(), LOOK_EVERY_MS).unref() : undefined;
  return {
    find: ({ system, feed }) => states.get(`${system}\n${feed}`),
    stop: () => clearInterval(timer),
  };
}
