import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { buildWorld } from '#sandbox/world/build.ts';
import type { World } from '#sandbox/world/types.ts';

import { serviceOrSkip } from '#test/support/services.ts';
import {
  ADMIN_PASSWORD,
  DATABASE,
  SERVER,
  type Seeded,
  provideDatabase,
  requireTryton,
  writeTrytonConfig,
} from './database.ts';
import { CRM_CODE_PREFIX, TRYTON_USER, toRetailer } from './retailer.ts';

/** A Tryton of a test's own, with the ERP's and the warehouses' part of the sandbox's retailer in it. */
export interface Tryton extends AsyncDisposable {
  readonly url: string;
  readonly credentials: { readonly login: string; readonly password: string };
  /** Options of `erp-tryton` for it. */
  readonly options: Readonly<Record<string, string | number | string[]>>;
  readonly ids: Seeded;
  /** What it was filled with. */
  readonly world: World;
  /** A call of the administrator, as somebody at a desk makes it; the last parameter is the context. */
  readonly rpc: (method: string, ...parameters: readonly unknown[]) => Promise<unknown>;
}

/** Time to fill a database that is in no cache, on a busy machine. */
export const TRYTON_WITHIN_MS = 300_000;

/** Whether Tryton is installed; where it is not, see {@link serviceOrSkip}. */
export async function trytonOrSkip(): Promise<boolean> {
  return serviceOrSkip('Tryton', requireTryton);
}

/** The day a world is built for that Tryton and the sandbox beside it share. */
export const trytonBuiltAt = (): string => `${new Date().toISOString().slice(0, 10)}T00:00:00.000Z`;

/** Starts trytond on a free loopback port over a database of its own. @throws {Error} with its last words */
export async function startTryton(): Promise<Tryton> {
  const world = await buildWorld({ seed: 1, scale: 'small', builtAt: trytonBuiltAt() });
  const folder = await mkdtemp(join(tmpdir(), 'mortar-tryton-'));
  const [ids, port] = await Promise.all([provideDatabase(folder, toRetailer(world)), freePort()]);
  const config = await writeTrytonConfig(folder, port);
  const log = join(folder, 'trytond.log');
  // Ends with us, however we end.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', SERVER, '-c', config, '-d', DATABASE], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = createWriteStream(log);
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  const stop = async (): Promise<void> => {
    await end(child);
    output.end();
    await rm(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await waitForAnswer(url, child);
  } catch (error) {
    const words = (await readFile(log, 'utf8')).slice(-2_000);
    await stop();
    throw new Error(`trytond did not start: ${words}`, { cause: error });
  }
  return {
    url,
    credentials: TRYTON_USER,
    options: {
      database: DATABASE,
      company: ids.company,
      warehouses: Object.values(ids.warehouses).map(String),
      customerCategory: ids.category,
      customerSystem: 'crm',
      customerCodePrefix: CRM_CODE_PREFIX,
      channelField: 'description',
      // Python shares the cores with everything else here.
      timeoutMs: 10_000,
    },
    ids,
    world,
    rpc: await logIn(url, ids),
    [Symbol.asyncDispose]: stop,
  };
}

async function logIn(url: string, { company }: Seeded): Promise<Tryton['rpc']> {
  const call = async (method: string, params: readonly unknown[], authorization?: string): Promise<unknown> => {
    const response = await fetch(`${url}/${DATABASE}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
      body: JSON.stringify({ method, params }),
    });
    if (!response.ok) throw new Error(`${method} answered ${response.status}: ${await response.text()}`);
    return response.json();
  };
  // The answer to a login: user and key.
  const session = (await call('common.db.login', ['admin', { password: ADMIN_PASSWORD }, 'en'])) as [number, string];
  const authorization = `Session ${Buffer.from(['admin', ...session].join(':')).toString('base64')}`;
  return (method, ...parameters) => {
    const context = parameters.at(-1) as object;
    return call(`model.${method}`, [...parameters.slice(0, -1), { company, ...context }], authorization);
  };
}

async function waitForAnswer(url: string, child: ChildProcess): Promise<void> {
  const body = JSON.stringify({ method: 'common.server.version', params: [] });
  const ask = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
  const until = Date.now() + 60_000;
  while (Date.now() < until && child.exitCode === null) {
    const response = await fetch(url, ask).catch(() => null);
    if (response?.ok === true) return;
    await sleep(50);
  }
  throw new Error('no answer');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(timer);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
