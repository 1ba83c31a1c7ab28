import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, expect, it } from 'vitest';

import { skipsInSplitMode } from '#test/support/e2e-mode.ts';
import { createPostgres, postgresAvailable } from '#test/support/databases.ts';
import { startProduct } from '#test/support/product.ts';
import { runReadmeTour } from '#test/support/readme-tour.ts';
import { startRedis } from '#test/support/redis-server.ts';
import { serviceOrSkip } from '#test/support/services.ts';
import {
  hasProc,
  hasStrace,
  type SocketUse,
  type SocketWatch,
  strangers,
  TEMPTATION,
  watchSockets,
} from '#test/support/socket-watch.ts';

if (!hasStrace) process.stderr.write('skipped: strace is not available: sockets are seen by Node and /proc alone\n');
if (!hasProc) process.stderr.write('skipped: /proc is not available: sockets are seen by Node alone\n');
const redisAvailable = await serviceOrSkip('redis-server', async () => {
  await using probe = await startRedis();
  return probe.url;
});

const WATCHERS = ['hook', ...(hasStrace ? ['strace'] : []), ...(hasProc ? ['proc'] : [])] as const;

/** Starts the product, takes the tour, stops it. */
async function liveALife(
  watch: SocketWatch,
  services: Readonly<Record<string, string>> = {},
  preloads: readonly string[] = [],
) {
  const { nodeArguments, wrapper, environment } = watch.options;
  await using product = await startProduct({
    nodeArguments: [...nodeArguments, ...preloads.flatMap((preload) => ['--import', preload])],
    wrapper,
    environment: { ...environment, ...TEMPTATION, ...services },
  });
  watch.follow(product.process.pid);
  const { code } = await runReadmeTour(product);
  const ended = await product.stop();
  return { code, ended, urls: product.urls };
}

function byWatcher(uses: readonly SocketUse[], act: SocketUse['act']): readonly string[] {
  return [...new Set(uses.filter((use) => use.act === act).map(({ by }) => by))].toSorted();
}

describe.skipIf(skipsInSplitMode('sockets of one process are watched'))('phones nobody', () => {
  it('opens no socket but its own over start, tour and stop', async () => {
    using watch = watchSockets();
    const { code, ended, urls } = await liveALife(watch);
    expect([code, ended]).toEqual([0, 0]);
    expect(strangers(watch.seen(), urls)).toEqual([]);
    expect(byWatcher(watch.seen(), 'connect')).toEqual(WATCHERS.toSorted());
  }, 120_000);

  it.skipIf(!postgresAvailable || !redisAvailable)(
    'asks its own PostgreSQL and Redis beside, and nobody else',
    async () => {
      using watch = watchSockets();
      await using redis = await startRedis();
      await using database = await createPostgres();
      const services = { REDIS_URL: redis.url, DATABASE_URL: database.url };
      const { code, ended, urls } = await liveALife(watch, services);
      expect([code, ended]).toEqual([0, 0]);
      const strange = strangers(watch.seen(), urls).map(({ port }) => String(port));
      expect(new Set(strange)).toEqual(new Set(Object.values(services).map((text) => new URL(text).port)));
      expect(strangers(watch.seen(), urls, Object.values(services))).toEqual([]);
    },
    120_000,
  );

  it('would be caught: a connection that ends at once, one that is held, a name that is looked up', async () => {
    using watch = watchSockets();
    await using brief = await listener();
    await using held = await listener();
    const calls = `
      import { lookup } from 'node:dns';
      import { connect } from 'node:net';
      connect(${brief.port}, '127.0.0.1', function () { this.destroy(); });
      connect(${held.port}, '127.0.0.1').unref();
      lookup('phone-home.invalid', () => {});`;
    const { urls } = await liveALife(watch, {}, [`data:text/javascript,${encodeURIComponent(calls)}`]);
    const caught = strangers(watch.seen(), urls);
    const watchersOf = (found: (use: SocketUse) => boolean) => new Set(caught.filter(found).map(({ by }) => by));
    expect([...watchersOf(({ port }) => port === held.port)].toSorted()).toEqual(WATCHERS.toSorted());
    // Polled tables may miss what lives for a moment: the others must not.
    const [brieflySeen, exact] = [
      watchersOf(({ port }) => port === brief.port),
      WATCHERS.filter((by) => by !== 'proc'),
    ];
    for (const watcher of exact) expect(brieflySeen).toContain(watcher);
    expect(caught).toContainEqual({ by: 'hook', act: 'resolve', host: 'phone-home.invalid', port: 0 });
  }, 120_000);
});

async function listener(): Promise<AsyncDisposable & { readonly port: number }> {
  const server: Server = createServer((socket) => socket.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await Promise.resolve();
    },
  };
}
