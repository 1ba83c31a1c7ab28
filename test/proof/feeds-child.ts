import { STATE_MIGRATIONS } from '#gateway/state.ts';
import { openDatabase } from '#platform/open-database.ts';
import { FEED_NAMES, startFeedReaders } from '#test/support/feed-reader.ts';

// Run by feeds.ts as `node feeds-child.ts JOB`: reads three feeds until they are at their end, or until it is killed.

export interface FeedsJob {
  readonly url: string;
  readonly location:
    | { readonly kind: 'sqlite'; readonly file: string }
    | { readonly kind: 'postgres'; readonly url: string };
}

const { url, location } = JSON.parse(process.argv[2] ?? '') as FeedsJob;
const database = await openDatabase({ location, migrations: STATE_MIGRATIONS });
const stop = new AbortController();
const runs = startFeedReaders({ database, url, feeds: FEED_NAMES }, stop.signal);
await Promise.all(runs.map(async ({ firstLoad }) => firstLoad));
process.stdout.write('done\n');
stop.abort();
await Promise.all(runs.map(async ({ stopped }) => stopped));
process.exit();
