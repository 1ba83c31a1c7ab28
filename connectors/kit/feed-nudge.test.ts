import { expect, it } from 'vitest';

import { toSystemId } from '#schema/model/ids.ts';
import type { FeedSink, FeedSource } from '#schema/model/sources.ts';

import { startFeed } from './feed-runner.ts';

/** A feed that is done after every page, on a clock that moves only with its waits. */
function runNudged(onWait: (ms: number, nudge: () => void, waits: number) => 'interval' | 'nudged') {
  const controller = new AbortController();
  const waited: number[] = [];
  let nowMs = 1_000_000;
  const feed: FeedSource<string> = {
    system: toSystemId('crm'),
    connector: 'test',
    feed: 'people',
    intervalMs: 60_000,
    readPage: async (cursor) => {
      nowMs += 100;
      return await Promise.resolve({ changes: [], cursor, done: true });
    },
  };
  const sink: FeedSink<string> = { readCursor: async () => await Promise.resolve(null), writePage: async () => {} };
  const run = startFeed({
    feed,
    sink,
    clock: { nowMs: () => nowMs },
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    signal: controller.signal,
    random: () => 0.5,
    wait: async (ms, signal) => {
      waited.push(ms);
      if (waited.length >= 6) controller.abort();
      else if (onWait(ms, run.nudge, waited.length) === 'interval') nowMs += ms;
      else if (!signal.aborted) throw new Error('the nudge does not end the wait');
      await Promise.resolve();
    },
  });
  return { run, waited };
}

it('begins the next run when nudged, a second after the last one began', async () => {
  const { run, waited } = runNudged((ms, nudge, waits) => {
    if (ms < 60_000 || waits > 2) return 'interval';
    nudge();
    return 'nudged';
  });
  await run.stopped;
  expect(waited).toEqual([60_000, 900, 60_000, 60_000, 60_000, 60_000]);
});

it('begins one run more, however often it is nudged', async () => {
  const { run, waited } = runNudged((ms, nudge, waits) => {
    if (ms < 60_000 || waits > 1) return 'interval';
    for (let index = 0; index < 1_000; index += 1) nudge();
    return 'nudged';
  });
  await run.stopped;
  expect(waited).toEqual([60_000, 900, 60_000, 60_000, 60_000, 60_000]);
});

it('stops at once when it was stopped while its last page was written', async () => {
  const controller = new AbortController();
  const feed: FeedSource<string> = {
    system: toSystemId('crm'),
    connector: 'test',
    feed: 'people',
    intervalMs: 3_600_000,
    readPage: async (cursor) => await Promise.resolve({ changes: [], cursor, done: true }),
  };
  const run = startFeed({
    feed,
    sink: {
      readCursor: async () => await Promise.resolve(null),
      writePage: async () => {
        controller.abort();
        await Promise.resolve();
      },
    },
    clock: { nowMs: () => 0 },
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    signal: controller.signal,
  });
  await run.stopped;
  expect(run.status().pagesTotal).toBe(1);
});
