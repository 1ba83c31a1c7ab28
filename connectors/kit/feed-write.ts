import type { Change, FeedPage, FeedSink, FeedSource } from '#schema/model/sources.ts';

/** A page that fails so often is not waiting for a busy database. */
const SUSPECT_AFTER_FAILURES = 2;
/** Three minutes: a sink that takes none of several rows is rather broken itself. */
const GIVEN_UP_AFTER_FAILURES = 20;

interface PageWrite<V> {
  readonly feed: FeedSource<V>;
  readonly sink: FeedSink<V>;
  readonly page: FeedPage<V>;
  /** With which the page was read. */
  readonly cursor: string | null;
  /** How often the feed failed in a row before. */
  readonly failures: number;
}

/**
 * Commits a page's rows and cursor. A page the sink refuses again and again, though it takes a page without rows, is written
 * around the rows it refuses: those are counted as left out, for one bad row must not stop the feed for ever.
 * @returns the number of rows the sink refused
 * @throws what the sink throws, when it takes nothing at all
 */
export async function writePage<V>({ feed, sink, page, cursor, failures }: PageWrite<V>): Promise<number> {
  try {
    await sink.writePage(feed, page);
    return 0;
  } catch (error) {
    if (failures < SUSPECT_AFTER_FAILURES || page.changes.length === 0) throw error;
    const write = async (changes: readonly Change<V>[]): Promise<void> =>
      await sink.writePage(feed, { ...page, changes, cursor, done: false, leftOut: 0 });
    const refused = await writeAround(page.changes, write);
    if (refused === page.changes.length && failures < GIVEN_UP_AFTER_FAILURES) throw error;
    await sink.writePage(feed, { ...page, changes: [], leftOut: (page.leftOut ?? 0) + refused });
    return refused;
  }
}

/** Halves what cannot be written until single rows are left. @throws when a page without rows cannot be written either */
async function writeAround<V>(
  changes: readonly Change<V>[],
  write: (changes: readonly Change<V>[]) => Promise<void>,
): Promise<number> {
  try {
    await write(changes);
    return 0;
  } catch {
    // Is it the rows, or is nothing written now?
    await write([]);
    if (changes.length === 1) return 1;
    const middle = Math.ceil(changes.length / 2);
    // One after the other: later changes of a record must stay later.
    const first = await writeAround(changes.slice(0, middle), write);
    return first + (await writeAround(changes.slice(middle), write));
  }
}
