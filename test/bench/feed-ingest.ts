import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { STATE_MIGRATIONS } from '#gateway/state.ts';
import type { DatabaseLocation } from '#platform/open-database.ts';
import { openDatabase } from '#platform/open-database.ts';
import { type Evidence, type Reporter, summarize } from '#test/support/evidence.ts';
import { createLog } from '#test/support/feed-log.ts';
import { FEED_NAMES, type FeedName, startFeedReaders } from '#test/support/feed-reader.ts';
import { administer, createPostgres } from '#test/support/postgres.ts';
import { createRandom } from '#test/support/random.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';
import { serviceOrSkip } from '#test/support/services.ts';

const PAGE_ROWS = 500;
const LEAST_SQLITE = 5_000;
const LEAST_POSTGRES = 3_000;

/** `feed-ingest`: changes a second from the upstream's page to the committed rows, each feed alone, upstream in this process. */
export const feedIngest: Evidence = {
  name: 'feed-ingest',
  summary: 'changes a second that a feed writes into SQLite and into PostgreSQL',
  run: async (report) => {
    const rounds = report.short ? 1 : 5;
    for (const feed of FEED_NAMES) {
      const rates: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const folder = mkdtempSync(join(tmpdir(), 'mortar-bench-'));
        rates.push(await ingest(feed, { kind: 'sqlite', file: join(folder, 'feeds.sqlite') }, report));
        rmSync(folder, { recursive: true, force: true });
      }
      tell(`${feed} into SQLite`, rates, { least: LEAST_SQLITE, report });
    }
    if (!(await serviceOrSkip('PostgreSQL', () => administer('select 1')))) return;
    for (const feed of FEED_NAMES) {
      const rates: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        await using postgres = await createPostgres();
        rates.push(await ingest(feed, { kind: 'postgres', url: postgres.url }, report));
      }
      tell(`${feed} into PostgreSQL`, rates, { least: LEAST_POSTGRES, report });
    }
  },
};

/** Changes a second. */
async function ingest(feed: FeedName, location: DatabaseLocation, report: Reporter): Promise<number> {
  const size = report.short ? { keys: 2_000, changes: 5_000 } : { keys: 8_000, changes: 30_000 };
  const { log } = createLog({ ...size, deletes: feed !== 'stock', random: createRandom(report.seed) });
  await using upstream = await startUpstream(({ url }, response) => {
    upstream.forget();
    const from = Number(new URL(url, 'http://upstream').searchParams.get('cursor'));
    const to = Math.min(log.length, from + PAGE_ROWS);
    sendJson(response, { entries: log.slice(from, to), next: String(to), done: to === log.length });
  });
  const database = await openDatabase({ location, migrations: STATE_MIGRATIONS });
  const stop = new AbortController();
  const startedAtMs = performance.now();
  const [run] = startFeedReaders({ database, url: upstream.url, feeds: [feed] }, stop.signal);
  await run?.firstLoad;
  const seconds = (performance.now() - startedAtMs) / 1_000;
  stop.abort();
  await run?.stopped;
  await database.close();
  return log.length / seconds;
}

function tell(
  metric: string,
  rates: readonly number[],
  { least, report }: { readonly least: number; readonly report: Reporter },
): void {
  const { median, spread } = summarize(rates);
  report.progress(`${metric}: ${median.toFixed(0)} changes a second`);
  report.row({
    name: 'feed-ingest',
    metric,
    value: median,
    unit: 'changes/s',
    n: rates.length,
    median,
    spread,
    target: least,
    ok: median >= least,
  });
}
