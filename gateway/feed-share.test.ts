import { expect, test } from 'vitest';

import { silentLogger } from '#platform/log.ts';
import { feedLeaseMigrations } from '#platform/feed-leases.ts';
import { describeDatabases } from '#test/support/databases.ts';
import { createLeasedShare, type FeedWork } from './feed-share.ts';

const items = { system: 'erp', feed: 'items' };
const HOUR_MS = 3_600_000;

/** A share whose next claim comes when the test says so. */
function aShare(database: Parameters<typeof createLeasedShare>[0]['database'], leaseMs = HOUR_MS) {
  let go = (): void => undefined;
  const share = createLeasedShare({
    database,
    logger: silentLogger,
    leaseMs,
    pause: (signal) =>
      new Promise((resolve) => {
        go = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      }),
  });
  return { share, claimAgain: () => go() };
}

/** Work that tells when it starts and ends, and lasts until it is told to end. */
function aWork() {
  const began = Promise.withResolvers<number | null>();
  const ended = Promise.withResolvers<void>();
  let running = 0;
  const work: FeedWork = async ({ signal, fence }) => {
    running += 1;
    began.resolve(fence);
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    running -= 1;
    ended.resolve();
  };
  return { work, began: began.promise, ended: ended.promise, running: () => running };
}

describeDatabases('a share of feeds', (open) => {
  test('lets one process of two read a feed, and the other when the first stops', async () => {
    await using opened = await open(feedLeaseMigrations);
    const [one, other] = [aShare(opened.database), aShare(opened.database)];
    const [first, second] = [aWork(), aWork()];
    one.share.add(items, first.work);
    other.share.add(items, second.work);
    await one.share.start();
    await other.share.start();
    expect(await first.began).toBe(1);
    expect(second.running()).toBe(0);
    await one.share.stop();
    expect(first.running()).toBe(0);
    other.claimAgain();
    expect(await second.began).toBe(2);
    await other.share.stop();
    expect(second.running()).toBe(0);
  });

  test('stops reading what another process has taken since', async () => {
    await using opened = await open(feedLeaseMigrations);
    const [late, other] = [aShare(opened.database, -1), aShare(opened.database)];
    const [first, second] = [aWork(), aWork()];
    late.share.add(items, first.work);
    other.share.add(items, second.work);
    await late.share.start();
    await first.began;
    await other.share.start();
    expect(await second.began).toBe(2);
    late.claimAgain();
    await first.ended;
    await Promise.all([late.share.stop(), other.share.stop()]);
  });

  test('has whoever holds a feed read it now, whichever process hears of the change', async () => {
    await using opened = await open(feedLeaseMigrations);
    const [one, other] = [aShare(opened.database), aShare(opened.database)];
    const nudged: string[] = [];
    one.share.add(items, aWork().work, () => void nudged.push('one'));
    other.share.add(items, aWork().work, () => void nudged.push('other'));
    await one.share.start();
    await other.share.start();
    one.share.nudge('erp', ['items', 'none']);
    expect(nudged).toEqual(['one']);
    other.share.nudge('erp', ['items']);
    await expect
      .poll(() => {
        one.claimAgain();
        return nudged;
      })
      .toEqual(['one', 'one']);
    await Promise.all([one.share.stop(), other.share.stop()]);
  });

  test('does work that ended by itself no second time', async () => {
    await using opened = await open(feedLeaseMigrations);
    const { share, claimAgain } = aShare(opened.database);
    let runs = 0;
    const other = aWork();
    share.add(items, async () => {
      runs += 1;
      await Promise.resolve();
    });
    await share.start();
    share.add({ system: 'erp', feed: 'orders' }, other.work);
    claimAgain();
    await other.began;
    expect(runs).toBe(1);
    await share.stop();
  });
});
