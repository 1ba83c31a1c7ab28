import { postgresAvailable } from './databases.ts';
import { startRedis } from './redis-server.ts';
import { serviceOrSkip } from './services.ts';

const redisAvailable = await serviceOrSkip('redis-server', async () => {
  await using probe = await startRedis();
  return probe.url;
});

/** Whether a graph in parts can be started: it needs PostgreSQL and Redis. Where not, the reason is printed. */
export const canSplit: boolean = postgresAvailable && redisAvailable;
