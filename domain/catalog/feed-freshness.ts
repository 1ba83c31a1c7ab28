import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { type FeedState, readFeedStates } from '#platform/feed-cursors.ts';
import type { Provenance } from '#schema/model/figures.ts';

export interface FeedFreshness {
  /** Null: never ran. Cost: at most one read a second for all feeds together. */
  readonly stateOf: (system: string, feed: string) => Promise<FeedState | null>;
}

const MEMO_MS = 1_000;

export function createFeedFreshness(options: { readonly database: Database; readonly clock: Clock }): FeedFreshness {
  const { database, clock } = options;
  let memo: { readonly atMs: number; readonly states: Promise<ReadonlyMap<string, FeedState>> } | null = null;
  const load = async (): Promise<ReadonlyMap<string, FeedState>> => {
    const rows = await readFeedStates(database);
    return new Map(rows.map((row) => [`${row.system}\n${row.feed}`, row]));
  };
  return {
    async stateOf(system, feed) {
      const nowMs = clock.nowMs();
      if (memo === null || nowMs - memo.atMs >= MEMO_MS) {
        memo = { atMs: nowMs, states: load() };
        // A failed read is not remembered.
        memo.states.catch(() => (memo = null));
      }
      return (await memo.states).get(`${system}\n${feed}`) ?? null;
    },
  };
}

/** 15 minutes: the refresh promise of the retail brief. */
const SNAPSHOT_FRESH_MS = 15 * 60_000;

export interface SnapshotAge {
  readonly nowMs: number;
  /** The feed that keeps the snapshot; null: none, or it never ran. */
  readonly feed: Pick<FeedState, 'updatedAtMs'> | null;
  /** Served because the realtime read failed. */
  readonly fallback: boolean;
}

/**
 * The provenance of a value served from a snapshot: kept by a feed, and stale when neither the value nor its feed is
 * younger than 15 minutes, when the source dated it ahead of our clock, or when it stands in for a realtime read that failed (the source may have moved on).
 */
export function snapshotProvenance(stored: Provenance, { nowMs, feed, fallback }: SnapshotAge): Provenance {
  const seenMs = Math.max(Date.parse(stored.observedAt), feed?.updatedAtMs ?? 0);
  const isDatedAhead = stored.asOf === null && stored.stale;
  const stale = fallback || isDatedAhead || !(nowMs - seenMs <= SNAPSHOT_FRESH_MS);
  return { ...stored, lane: 'NEAR_REALTIME', stale, degraded: fallback };
}
