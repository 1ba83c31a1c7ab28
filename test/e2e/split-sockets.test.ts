import { expect, it } from 'vitest';

import { createPostgres } from '#test/support/databases.ts';
import { startRedis } from '#test/support/redis-server.ts';
import { strangers, TEMPTATION, watchSockets } from '#test/support/socket-watch.ts';
import { startSplitProduct } from '#test/support/split-product.ts';
import { canSplit } from '#test/support/split-services.ts';

it.skipIf(!canSplit)(
  'gateway and subgraphs apart open no socket but to each other, their systems, issuer, database and Redis',
  async () => {
    using watch = watchSockets();
    await using redis = await startRedis();
    await using database = await createPostgres();
    if (redis === null) throw new Error('canSplit said there is one');
    // Inside each process alone: strace would write six of them over one another.
    const { nodeArguments, environment } = watch.options;
    const services = { REDIS_URL: redis.url, DATABASE_URL: database.url };
    await using product = await startSplitProduct({
      nodeArguments,
      environment: { ...environment, ...TEMPTATION, ...services },
    });
    const query = `{ products(first: 2) { nodes { sku availability(channel: "web") { quantity { value } } } }
      customers(first: 3) { nodes { id email orders(first: 1) { nodes { id } } } } }`;
    const { status } = await product.ask(query, { token: await product.token('marketer'), purpose: 'MARKETING' });
    expect(status).toBe(200);
    const parts = Object.values(product.subgraphs).map(({ base }) => base);
    expect(await product.stop()).toBe(0);
    const ports = new Set(watch.seen().map(({ port }) => String(port)));
    const isSeen = (url: string): boolean => ports.has(new URL(url).port);
    // The watch reached the gateway, which calls subgraphs, and subgraphs, which call the database.
    expect([parts.some(isSeen), isSeen(database.url)]).toEqual([true, true]);
    expect(strangers(watch.seen(), product.urls, [...Object.values(services), ...parts])).toEqual([]);
  },
  180_000,
);
