import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { type ChangeLinkEvents, type ChangeMessage, type Changes, createChanges } from './changes.ts';
import { openRedisChanges } from './redis-changes.ts';
import { startRedis } from '#test/support/redis-server.ts';
import { serviceOrSkip } from '#test/support/services.ts';

const key = new Uint8Array(32).fill(7);
type Heard = (readonly string[] | null)[];

function hear(changes: Changes, keys: readonly string[], topic: 'customer' | 'stock' = 'stock') {
  const heard: Heard = [];
  return { heard, stop: changes.watch(topic, keys, (changed) => void heard.push(changed)) };
}

describe('changes', () => {
  test('reach who watches one of the keys, with its own keys alone, and nobody else', () => {
    const changes = createChanges({ key });
    const both = hear(changes, ['a', 'b']);
    const other = hear(changes, ['c']);
    const people = hear(changes, ['a'], 'customer');
    changes.publish('stock', ['a', 'x', 'a', 'b']);
    changes.publish('stock', ['a']);
    expect(both.heard).toEqual([['a', 'b'], ['a']]);
    expect([other.heard, people.heard]).toEqual([[], []]);
  });

  test('of unknown keys, or of more than 1,000, reach every watcher of the topic as "any"', () => {
    const changes = createChanges({ key });
    const stock = hear(changes, ['a']);
    const people = hear(changes, ['a'], 'customer');
    changes.publish('stock', null);
    changes.publish(
      'stock',
      Array.from({ length: 1_001 }, (_, index) => `s${index}`),
    );
    changes.publish('stock', []);
    expect([stock.heard, people.heard]).toEqual([[null, null], []]);
  });

  test('leave nothing behind a watcher that stopped, however often it stops', () => {
    const changes = createChanges({ key });
    const first = hear(changes, ['a', 'b']);
    const second = hear(changes, ['a']);
    expect([changes.isHeard(), changes.watcherCount()]).toEqual([true, 2]);
    first.stop();
    first.stop();
    changes.publish('stock', ['a', 'b']);
    expect([first.heard, second.heard]).toEqual([[], [['a']]]);
    second.stop();
    expect([changes.isHeard(), changes.watcherCount()]).toEqual([false, 0]);
  });

  test('leave the process hashed, and come in hashed', () => {
    const sent: ChangeMessage[] = [];
    let events: ChangeLinkEvents | undefined;
    const openLink = (given: ChangeLinkEvents) => {
      events = given;
      return { send: (message: ChangeMessage) => void sent.push(message), close: () => Promise.resolve() };
    };
    const changes = createChanges({ key, openLink });
    const { heard } = hear(changes, ['cus_ada'], 'customer');
    changes.publish('customer', ['cus_ada']);
    expect(JSON.stringify(sent)).not.toContain('cus_ada');
    expect(sent[0]?.hashes?.[0]).toMatch(/^[\w-]{22}$/);
    events?.onMessage(sent[0]!);
    events?.onMessage({ topic: 'customer', hashes: ['x'.repeat(22)] });
    events?.onGap();
    expect(heard).toEqual([['cus_ada'], ['cus_ada'], null]);
    const stranger = createChanges({ key: new Uint8Array(32), openLink });
    stranger.publish('customer', ['cus_ada']);
    expect(sent[1]?.hashes).not.toEqual(sent[0]?.hashes);
  });
});

const available = await serviceOrSkip('redis-server', async () => {
  await using probe = await startRedis();
  return probe.url;
});

describe.skipIf(!available)('changes over Redis', () => {
  const join = (url: string) => {
    const states: boolean[] = [];
    const changes = createChanges({
      key,
      openLink: (events) => openRedisChanges({ url, onState: ({ up }) => void states.push(up), ...events }),
    });
    return { changes, states, [Symbol.asyncDispose]: () => changes.close() };
  };
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await sleep(5);
  };
  /** Publishes until the others are joined; answers when the first message came through. */
  const connected = async (from: Changes, heard: Heard) => {
    while (heard.length === 0) {
      from.publish('stock', ['a']);
      await sleep(10);
    }
    heard.length = 0;
  };

  test('reach another process once, and the own one not twice', async () => {
    await using redis = await startRedis();
    await using one = join(redis.url);
    await using two = join(redis.url);
    const there = hear(two.changes, ['a', 'b']);
    await connected(one.changes, there.heard);
    await until(() => one.states.includes(true));
    const here = hear(one.changes, ['b']);
    one.changes.publish('stock', ['b']);
    await until(() => there.heard.some((keys) => keys?.includes('b') === true));
    expect(here.heard).toEqual([['b']]);
    expect(there.heard.filter((keys) => keys?.includes('b') === true)).toEqual([['b']]);
  });

  test('after Redis was away every watcher is told that it may have missed something', async () => {
    const redis = await startRedis();
    await using one = join(redis.url);
    await using two = join(redis.url);
    const there = hear(two.changes, ['a']);
    await connected(one.changes, there.heard);
    await redis.stop();
    await until(() => two.states.at(-1) === false);
    there.heard.length = 0;
    one.changes.publish('stock', ['a']);
    expect(there.heard).toEqual([]);
    await using again = await startRedis(Number(new URL(redis.url).port));
    expect(again.url).toBe(redis.url);
    await until(() => there.heard.includes(null));
  }, 20_000);
});
