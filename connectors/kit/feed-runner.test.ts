import { describe, expect, it } from 'vitest';

import { MortarError } from '#platform/errors.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { FeedPage, FeedSink, FeedSource } from '#schema/model/sources.ts';

import { startFeed } from './feed-runner.ts';
import type { FeedStatus } from './feed-runner.ts';

const system = toSystemId('crm');
type Step = FeedPage<string> | Error;

/** A feed that plays its steps one after the other and then stays done. */
function feedOf(steps: readonly Step[]): { feed: FeedSource<string>; asked: (string | null)[] } {
  const asked: (string | null)[] = [];
  const feed: FeedSource<string> = {
    system,
    connector: 'test',
    feed: 'people',
    intervalMs: 1_000,
    readPage: async (cursor) => {
      const step = steps[asked.length] ?? { changes: [], cursor, done: true };
      asked.push(cursor);
      if (step instanceof Error) throw step;
      return step;
    },
  };
  return { feed, asked };
}

function pageOf(values: readonly string[], cursor: string, done: boolean): FeedPage<string> {
  return { changes: values.map((value) => ({ kind: 'upsert', value })), cursor, done };
}

function memorySink(start: string | null = null): {
  sink: FeedSink<string>;
  stored: { cursor: string | null; rows: string[] };
} {
  const stored: { cursor: string | null; rows: string[] } = { cursor: start, rows: [] };
  const sink: FeedSink<string> = {
    readCursor: async () => stored.cursor,
    writePage: async (_feed, page) => {
      stored.rows.push(...page.changes.flatMap((change) => (change.kind === 'upsert' ? [change.value] : [])));
      stored.cursor = page.cursor;
    },
  };
  return { sink, stored };
}

interface RunSetup {
  readonly steps: readonly Step[];
  readonly start?: string | null;
  /** Stops after so many waits. */
  readonly waits: number;
  readonly sink?: FeedSink<string>;
}

async function runFeed(setup: RunSetup) {
  const { feed, asked } = feedOf(setup.steps);
  const { sink, stored } = memorySink(setup.start);
  const controller = new AbortController();
  const waited: number[] = [];
  const reports: FeedStatus[] = [];
  const warnings: object[] = [];
  const errors: object[] = [];
  let nowMs = 1_000_000;
  const run = startFeed({
    feed,
    sink: setup.sink ?? sink,
    clock: { nowMs: () => nowMs },
    logger: {
      debug: () => {},
      info: () => {},
      warn: (facts) => warnings.push(facts),
      error: (facts) => errors.push(facts),
    },
    signal: controller.signal,
    random: () => 0.5,
    onProgress: (status) => reports.push(status),
    wait: async (ms) => {
      waited.push(ms);
      nowMs += ms;
      if (waited.length >= setup.waits) controller.abort();
    },
  });
  await run.stopped;
  await run.firstLoad;
  return { asked, stored, waited, reports, warnings, errors, status: run.status() };
}

describe('a feed', () => {
  it('reads page after page without waiting, then rests for its interval', async () => {
    const { asked, stored, waited, status } = await runFeed({
      steps: [pageOf(['a', 'b'], '1', false), pageOf(['c'], '2', true)],
      waits: 1,
    });
    expect(asked).toEqual([null, '1']);
    expect(stored).toEqual({ cursor: '2', rows: ['a', 'b', 'c'] });
    expect(waited).toEqual([1_000]);
    expect(status).toEqual({
      system,
      feed: 'people',
      loaded: true,
      lagSeconds: 1,
      rowsTotal: 3,
      pagesTotal: 2,
      lastError: null,
    });
  });

  it('goes on from the stored cursor', async () => {
    const { asked } = await runFeed({ steps: [pageOf([], '8', true)], start: '7', waits: 2 });
    expect(asked).toEqual(['7', '8']);
  });

  it('keeps its cursor when a page fails, waits longer each time, and recovers', async () => {
    const down = new MortarError('UPSTREAM_UNAVAILABLE', { system: 'crm' });
    const { asked, waited, reports, status } = await runFeed({
      steps: [pageOf(['a'], '1', false), down, down, pageOf(['b'], '2', true)],
      waits: 3,
    });
    expect(asked).toEqual([null, '1', '1', '1']);
    expect(waited).toEqual([375, 750, 1_000]);
    expect(reports.map(({ lastError }) => lastError)).toEqual([
      null,
      'UPSTREAM_UNAVAILABLE',
      'UPSTREAM_UNAVAILABLE',
      null,
    ]);
    expect(status.rowsTotal).toBe(2);
  });

  it('waits as long as the system asks', async () => {
    const limited = new MortarError('UPSTREAM_RATE_LIMITED', { retryAfterMs: 45_000 });
    const { waited } = await runFeed({ steps: [limited], waits: 1 });
    expect(waited).toEqual([45_000]);
  });

  it('reads a page again when it could not be written, and logs nothing of the row', async () => {
    const failing: FeedSink<string> = {
      readCursor: async () => '5',
      writePage: async () => {
        throw new Error('constraint failed: ada@example.com');
      },
    };
    const { asked, warnings, status } = await runFeed({ steps: [pageOf(['a'], '6', true)], waits: 2, sink: failing });
    expect(asked).toEqual(['5', '5']);
    expect(status).toMatchObject({ loaded: false, rowsTotal: 0, lastError: 'INTERNAL_SERVER_ERROR' });
    expect(JSON.stringify(warnings)).not.toContain('ada@example.com');
  });

  it('leaves out the rows its sink refuses from the third time on, and counts them', async () => {
    const { sink, stored } = memorySink('5');
    const pages: FeedPage<string>[] = [];
    const picky: FeedSink<string> = {
      ...sink,
      writePage: async (source, page) => {
        if (page.changes.some((change) => change.kind === 'upsert' && change.value.startsWith('bad'))) {
          throw new TypeError('ada@example.com');
        }
        pages.push(page);
        await sink.writePage(source, page);
      },
    };
    const page = { ...pageOf(['a', 'bad1', 'b', 'c', 'bad2'], '6', true), leftOut: 1 };
    const { asked, status, errors } = await runFeed({ steps: [page, page, page], waits: 3, sink: picky });
    expect(asked).toEqual(['5', '5', '5']);
    expect(stored).toEqual({ cursor: '6', rows: ['a', 'b', 'c'] });
    expect(pages.filter(({ cursor }) => cursor !== '5')).toMatchObject([{ changes: [], done: true, leftOut: 3 }]);
    expect(pages.slice(0, -1).every(({ leftOut, done }) => leftOut === 0 && !done)).toBe(true);
    expect(status).toMatchObject({ loaded: true, rowsTotal: 3, lastError: null });
    expect(errors).toEqual([{ system, feed: 'people', refused: 2 }]);
  });

  it('keeps a page of which its sink takes no row for some minutes before it leaves them out', async () => {
    const { sink, stored } = memorySink('5');
    const takesNoRow: FeedSink<string> = {
      ...sink,
      writePage: async (source, page) => {
        if (page.changes.length > 0) throw new Error('full');
        await sink.writePage(source, page);
      },
    };
    const page = pageOf(['a', 'b'], '6', true);
    const steps = Array.from({ length: 21 }, () => page);
    const early = await runFeed({ steps, waits: 20, sink: takesNoRow });
    expect([stored.cursor, early.status.lastError]).toEqual(['5', 'INTERNAL_SERVER_ERROR']);
    expect(early.waited.reduce((sum, ms) => sum + ms)).toBeGreaterThan(60_000);
    const late = await runFeed({ steps, waits: 21, sink: takesNoRow });
    expect([stored.cursor, late.status.lastError]).toEqual(['6', null]);
  });

  it('leaves out nothing while nothing can be stored', async () => {
    let written = 0;
    const down: FeedSink<string> = {
      readCursor: async () => '5',
      writePage: async () => {
        written += 1;
        throw new Error('down');
      },
    };
    const page = pageOf(['a', 'b'], '6', true);
    const { errors } = await runFeed({ steps: Array.from({ length: 30 }, () => page), waits: 30, sink: down });
    expect(errors).toEqual([]);
    // The page, and from the third time on the page and an empty one.
    expect(written).toBe(2 + 28 * 3);
  });

  it('calls a feed that does not move on broken instead of reading it forever', async () => {
    const { status } = await runFeed({ steps: [pageOf(['a'], '1', false), pageOf(['a'], '1', false)], waits: 1 });
    expect(status.lastError).toBe('UPSTREAM_CONTRACT');
  });
});
