import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { CatalogTables } from '#domain/catalog/migrations.ts';
import type { IdentityTables } from '#domain/identity/tables.ts';
import type { StockTables } from '#domain/stock/migrations.ts';
import { STATE_MIGRATIONS } from '#gateway/state.ts';
import { openDatabase } from '#platform/open-database.ts';
import type { ItemRecord, StockReading } from '#schema/model/records.ts';
import type { Evidence, Reporter } from '#test/support/evidence.ts';
import { createLog, type LogEntry, type LogTruth } from '#test/support/feed-log.ts';
import { EMAIL_KEYS, FEED_NAMES, type FeedName } from '#test/support/feed-reader.ts';
import { PROJECT } from '#test/support/mortar-process.ts';
import { administer, createPostgres } from '#test/support/postgres.ts';
import { createRandom } from '#test/support/random.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';
import { serviceOrSkip } from '#test/support/services.ts';
import type { FeedsJob } from './feeds-child.ts';
import { sabotageArguments } from './sabotage.ts';

const CHILD = fileURLToPath(new URL('feeds-child.ts', import.meta.url));
const PAGE_ROWS = 50;
/** A kill comes within this time after some page was asked for: somewhere between that one and the next few. */
const KILL_WITHIN_MS = 20;

export const feeds: Evidence = {
  name: 'feeds',
  summary: 'feeds in disorder, with repeats, killed at random points: the snapshots equal the truth',
  sabotages: ['newest-item'],
  run: async (report) => {
    const folder = mkdtempSync(join(tmpdir(), 'mortar-proof-'));
    try {
      await prove('SQLite', { kind: 'sqlite', file: join(folder, 'feeds.sqlite') }, report);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    if (report.sabotage !== null || !(await serviceOrSkip('PostgreSQL', () => administer('select 1')))) return;
    await using postgres = await createPostgres();
    await prove('PostgreSQL', { kind: 'postgres', url: postgres.url }, report);
  },
};

type Location = FeedsJob['location'];

async function prove(name: string, location: Location, report: Reporter): Promise<void> {
  const random = createRandom(report.seed);
  const isShort = report.short || report.sabotage !== null;
  const size = isShort ? { keys: 400, changes: 3_000 } : { keys: 3_000, changes: 30_000 };
  const logs = new Map(FEED_NAMES.map((feed) => [feed, createLog({ ...size, deletes: feed !== 'stock', random })]));
  const asked = { count: 0, until: 0, enough: Promise.withResolvers<void>() };
  await using upstream = await startUpstream(({ url }, response) => {
    upstream.forget();
    asked.count += 1;
    if (asked.count >= asked.until) asked.enough.resolve();
    sendJson(response, pageOf(url, logs));
  });
  const job: FeedsJob = { url: upstream.url, location };
  let kills = 0;
  const most = isShort ? 6 : 40;
  // By pages and not by the clock, so that a fast machine is not done before it was killed.
  const pages = (FEED_NAMES.length * size.changes) / PAGE_ROWS;
  while (kills < most) {
    asked.enough = Promise.withResolvers();
    asked.until = asked.count + 1 + Math.floor(random() * (pages / (most + 1)));
    const killing = { asked: asked.enough.promise, afterMs: random() * KILL_WITHIN_MS };
    const isDone = await runUntilKilled(job, killing, report);
    if (isDone) break;
    kills += 1;
  }
  await runToEnd(job, report);
  const wrong = await differences(location, logs);
  report.progress(
    `${name}: ${kills} kills, ${asked.count} pages, ${wrong.length} wrong rows ${wrong.slice(0, 3).join(' ')}`,
  );
  const rows = [...logs.values()].reduce((sum, { truth }) => sum + truth.size, 0);
  const shared = { name: 'feeds', median: null, spread: null };
  report.row({
    ...shared,
    metric: `${name}: rows that are not what the source last said`,
    value: wrong.length,
    unit: 'rows',
    n: rows,
    target: 0,
    ok: wrong.length === 0,
  });
  report.row({ ...shared, metric: `${name}: kills`, value: kills, unit: 'kills', n: kills, ok: kills >= 3 });
}

function pageOf(url: string, logs: ReadonlyMap<FeedName, { readonly log: readonly LogEntry[] }>) {
  const { pathname, searchParams } = new URL(url, 'http://upstream');
  const log = logs.get(pathname.slice(1) as FeedName)?.log ?? [];
  const from = Number(searchParams.get('cursor'));
  const to = Math.min(log.length, from + PAGE_ROWS);
  return { entries: log.slice(from, to), next: String(to), done: to === log.length };
}

interface Killing {
  /** The child asked for as many pages as it may. */
  readonly asked: Promise<void>;
  readonly afterMs: number;
}

/** Whether the child came to the end before it was killed. */
async function runUntilKilled(job: FeedsJob, { asked, afterMs }: Killing, report: Reporter): Promise<boolean> {
  const child = startChild(job, report);
  const ended = new Promise<boolean>((resolve) => child.once('close', (code) => resolve(code === 0)));
  await Promise.race([asked, ended]);
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  const isDone = await ended;
  clearTimeout(timer);
  return isDone;
}

async function runToEnd(job: FeedsJob, report: Reporter): Promise<void> {
  const child = startChild(job, report);
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the feeds ended with code ${String(code)}`);
}

function startChild(job: FeedsJob, { sabotage }: Reporter) {
  return spawn(process.execPath, [...sabotageArguments(sabotage), CHILD, JSON.stringify(job)], {
    cwd: PROJECT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Keys whose stored version is not the newest of the source; looked up in the tables themselves. */
async function differences(
  location: Location,
  logs: ReadonlyMap<FeedName, { readonly truth: LogTruth }>,
): Promise<readonly string[]> {
  const database = await openDatabase({ location, migrations: STATE_MIGRATIONS });
  try {
    const items = await database.as<CatalogTables>().read.selectFrom('item_reference').selectAll().execute();
    const stock = await database.as<StockTables>().read.selectFrom('stock_snapshot').selectAll().execute();
    const people = await database.as<IdentityTables>().read.selectFrom('source_profile').selectAll().execute();
    const stored: Record<FeedName, ReadonlyMap<string, string | null>> = {
      items: new Map(items.map((row) => [row.external_id, (JSON.parse(row.record) as ItemRecord).title])),
      stock: new Map(stock.map((row) => [row.item_key, `version ${(JSON.parse(row.reading) as StockReading).onHand}`])),
      people: new Map(people.flatMap((row) => (row.deleted_at === null ? [[row.external_id, row.email_hash]] : []))),
    };
    return FEED_NAMES.flatMap((feed) =>
      compare(feed, stored[feed], logs.get(feed)?.truth ?? new Map<string, number>()),
    );
  } finally {
    await database.close();
  }
}

function compare(feed: FeedName, stored: ReadonlyMap<string, string | null>, truth: LogTruth): readonly string[] {
  const expected = (key: string): string | null | undefined => {
    const sequence = truth.get(key) ?? null;
    if (sequence === null) return undefined;
    return feed === 'people' ? EMAIL_KEYS.email(`${key}.${sequence}@example.com`) : `version ${sequence}`;
  };
  const keys = new Set([...stored.keys(), ...truth.keys()]);
  return [...keys].filter((key) => stored.get(key) !== expected(key)).map((key) => `${feed}/${key}`);
}
