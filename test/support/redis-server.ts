import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';

/** A Redis of a test's own, which it may freeze and end. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  /** Stops answering without closing a connection, as a swapping host does. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  readonly stop: () => Promise<void>;
  /** Every key with its value. */
  readonly dump: () => Promise<ReadonlyMap<string, string>>;
}

/** Starts redis-server on a free port, nothing on disk. @throws {Error} when it is not installed */
export async function startRedis(port?: number): Promise<TestRedis> {
  const chosen = port ?? (await freePort());
  const child = spawn(
    'redis-server',
    ['--port', String(chosen), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    {
      stdio: 'ignore',
    },
  );
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  const url = `redis://127.0.0.1:${chosen}`;
  await Promise.race([waitForAnswer(url), failed]);
  const stop = async (): Promise<void> => end(child);
  return {
    url,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    stop,
    dump: async () => {
      const client = new Redis(url);
      const keys = await client.keys('*');
      const valueOf = async (key: string): Promise<string> => JSON.stringify(await readAny(client, key));
      const values = await Promise.all(keys.map(async (key) => [key, await valueOf(key)] as const));
      client.disconnect();
      return new Map(values);
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** The whole value of a key, whatever kind it is of. */
async function readAny(client: Redis, key: string): Promise<unknown> {
  const kind = await client.type(key);
  if (kind === 'hash') return client.hgetall(key);
  if (kind === 'list') return client.lrange(key, 0, -1);
  if (kind === 'set') return client.smembers(key);
  if (kind === 'zset') return client.zrange(key, '0', '-1');
  return client.get(key);
}

async function waitForAnswer(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => 20 });
  client.on('error', () => undefined);
  try {
    for (let attempt = 0; attempt < 250; attempt += 1) {
      try {
        await client.ping();
        return;
      } catch {
        await sleep(20);
      }
    }
    throw new Error('redis-server does not answer');
  } finally {
    client.disconnect();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
