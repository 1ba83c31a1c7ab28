import { randomUUID } from 'node:crypto';

import type { Clock } from '#platform/clock.ts';
import { MortarError } from '#platform/errors.ts';
import type { ErrorCode } from '#platform/errors.ts';
import type { SystemId } from '#schema/model/ids.ts';
import type { FeedSink, FeedSource } from '#schema/model/sources.ts';

import { pauseFor } from './deadline.ts';
import { upstreamError } from './failure.ts';
import { writePage } from './feed-write.ts';
import type { KitLogger } from './runtime.ts';

/** How far a feed has come. */
export interface FeedStatus {
  readonly system: SystemId;
  readonly feed: string;
  /** A run was completed since this process started (or before, when the caller knew). */
  readonly loaded: boolean;
  /** Seconds since the feed was last complete; null: it never was. */
  readonly lagSeconds: number | null;
  /** Rows and pages written since this process started. */
  readonly rowsTotal: number;
  readonly pagesTotal: number;
  /** Null: the last page went well. */
  readonly lastError: ErrorCode | null;
}

export interface FeedRun {
  readonly status: () => FeedStatus;
  /** Asks for the next run now instead of after the interval, but no sooner than a second after the last one began. */
  readonly nudge: () => void;
  /** Resolves when the first run is complete, or when the feed was stopped before. Never rejects. */
  readonly firstLoad: Promise<void>;
  /** Resolves when the feed has stopped: no page is being read or written any more. Never rejects. */
  readonly stopped: Promise<void>;
}

export interface FeedOptions<V> {
  readonly feed: FeedSource<V>;
  readonly sink: FeedSink<V>;
  readonly clock: Clock;
  readonly logger: KitLogger;
  /** Stops the feed after the page under way. */
  readonly signal: AbortSignal;
  /** Called after every page and every failure. */
  readonly onProgress?: (status: FeedStatus) => void;
  /** 0 <= x < 1, for jitter. @default Math.random */
  readonly random?: () => number;
  /** Waits, or returns early when the signal aborts. @default a timer */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Milliseconds one page may take, all waits included. */
const PAGE_DEADLINE_MS = 30_000;
/** However often a feed is nudged, its runs begin this far apart. */
const NUDGE_GAP_MS = 1_000;
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 10_000;

/**
 * Runs a feed from its stored cursor until it is done, then again after its interval (with up to 10 % jitter), until the
 * signal aborts. One page at a time; a page that could not be read or written is tried again, later each time; the cursor
 * moves only with the rows. From the third time on, rows that alone cannot be written are left out and counted.
 */
export function startFeed<V>(options: FeedOptions<V>): FeedRun {
  const { feed, sink, clock, logger, signal } = options;
  const wait = options.wait ?? pauseFor;
  const random = options.random ?? Math.random;
  const first = Promise.withResolvers<void>();
  let status: FeedStatus = {
    system: feed.system,
    feed: feed.feed,
    loaded: false,
    lagSeconds: null,
    rowsTotal: 0,
    pagesTotal: 0,
    lastError: null,
  };
  let completedAtMs: number | null = null;
  let failures = 0;
  const current = (): FeedStatus => ({
    ...status,
    lagSeconds: completedAtMs === null ? null : Math.max(0, Math.round((clock.nowMs() - completedAtMs) / 1000)),
  });
  const report = (change: Partial<FeedStatus>): void => {
    status = { ...status, ...change };
    options.onProgress?.(current());
  };

  async function movePage(cursor: string | null): Promise<{ readonly rows: number; readonly done: boolean }> {
    const deadlineAtMs = clock.nowMs() + PAGE_DEADLINE_MS;
    const page = await feed.readPage(cursor, { requestId: `feed-${randomUUID()}`, deadlineAtMs, signal });
    if (!page.done && page.cursor === cursor) {
      throw upstreamError('UPSTREAM_CONTRACT', { system: feed.system, message: `Feed ${feed.feed} does not move on.` });
    }
    const refused = await writePage({ feed, sink, page, cursor, failures });
    if (refused > 0) {
      const facts = { system: feed.system, feed: feed.feed, refused };
      logger.error(facts, 'feed rows left out: they could not be stored');
    }
    return { rows: page.changes.length - refused, done: page.done };
  }

  let nudged = false;
  let wake: () => void = () => {};
  const nudge = (): void => {
    nudged = true;
    wake();
  };

  /** Until the interval is over or somebody knows of a change; a nudge during the run before counts. */
  async function rest(startedAtMs: number): Promise<void> {
    // A stop while the last page was being written was heard by nobody yet.
    if (signal.aborted) return;
    const controller = new AbortController();
    wake = () => controller.abort();
    signal.addEventListener('abort', wake, { once: true });
    if (!nudged) await wait(feed.intervalMs * (0.95 + random() * 0.1), controller.signal);
    signal.removeEventListener('abort', wake);
    wake = () => {};
    if (nudged && !signal.aborted) await wait(startedAtMs + NUDGE_GAP_MS - clock.nowMs(), signal);
    nudged = false;
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const startedAtMs = clock.nowMs();
      try {
        const page = await movePage(await sink.readCursor(feed));
        failures = 0;
        if (page.done) completedAtMs = startedAtMs;
        report({
          loaded: status.loaded || page.done,
          rowsTotal: status.rowsTotal + page.rows,
          pagesTotal: status.pagesTotal + 1,
          lastError: null,
        });
        if (!page.done) continue;
        first.resolve();
        await rest(startedAtMs);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        const code = error instanceof MortarError ? error.code : 'INTERNAL_SERVER_ERROR';
        report({ lastError: code });
        const facts = { system: feed.system, feed: feed.feed, code, failures, err: loggable(error) };
        logger.warn(facts, 'feed page failed; trying again');
        await wait(backoffMs(failures, error, random), signal);
      }
    }
  }

  const stopped = run()
    .catch((error: unknown) =>
      logger.error({ system: feed.system, feed: feed.feed, err: loggable(error) }, 'feed stopped'),
    )
    .finally(() => first.resolve());
  return { status: current, nudge, firstLoad: first.promise, stopped };
}

function backoffMs(failures: number, error: unknown, random: () => number): number {
  const asked = error instanceof MortarError ? (error.retryAfterMs ?? 0) : 0;
  const most = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures, 10));
  return Math.max(asked, most * (0.5 + random() * 0.5));
}

/** Name and message of our own errors only: a driver's message may quote the row it could not write. */
function loggable(error: unknown): { readonly name: string; readonly message?: string } {
  if (error instanceof MortarError) return { name: error.name, message: error.message };
  return { name: error instanceof Error ? error.name : 'unknown' };
}
