import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { access, copyFile, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { z } from 'zod';

import { PROJECT } from '#test/support/mortar-process.ts';

const run = promisify(execFile);

export const DATABASE = 'mortar';
/** Of the user `admin`. */
export const ADMIN_PASSWORD = 'admin-of-a-test-database';
const MODULES = ['party', 'product', 'stock', 'sale', 'purchase'];
/** Databases made before, which git ignores: a new one takes half a minute. */
const CACHE = join(PROJECT, '.mortar', 'tryton');
const SEED = join(import.meta.dirname, 'seed.py');
// Debian's own interpreter: its packages are in no other.
const PYTHON = '/usr/bin/python3';
const ADMIN = '/usr/bin/trytond-admin';
export const SERVER = '/usr/bin/trytond';

const seeded = z.object({
  /** Ids Tryton gave. */
  company: z.int(),
  /** Warehouse by the retailer's site code. */
  warehouses: z.record(z.string(), z.int()),
  /** Party category of customers. */
  category: z.int(),
  customers: z.int(),
  lost: z.int(),
});
export type Seeded = z.infer<typeof seeded>;

/** @throws {Error} saying what is missing */
export async function requireTryton(): Promise<void> {
  await access(SERVER).catch(() => {
    throw new Error('tryton-server is not installed (as root: test/support/tryton/install.sh)');
  });
}

/** A configuration of trytond whose databases are files of a folder. */
export async function writeTrytonConfig(folder: string, port: number): Promise<string> {
  const file = join(folder, 'trytond.conf');
  const sections = [
    ['database', 'uri = sqlite://', `path = ${folder}`],
    ['web', `listen = 127.0.0.1:${port}`],
    ['session', 'authentications = password'],
    // Seeding reads the same records again and again.
    ['cache', 'record = 50000', 'field = 5000', 'model = 5000'],
  ];
  await writeFile(file, sections.map(([name, ...lines]) => [`[${name}]`, ...lines, ''].join('\n')).join('\n'));
  return file;
}

/**
 * Puts a database with the retailer into the folder and tells the ids in it. Made anew for other contents, another version
 * of Tryton and each day (planned moves are of tomorrow), otherwise copied; several processes make it once.
 */
export async function provideDatabase(folder: string, retailer: object): Promise<Seeded> {
  await mkdir(CACHE, { recursive: true });
  const { stdout: packages } = await run('dpkg-query', ['-W', '-f', '${Package} ${Version}\n', 'tryton-*']);
  const today = new Date().toISOString().slice(0, 10);
  const contents = JSON.stringify(retailer);
  const empty = join(CACHE, `modules-${digestOf(packages)}.sqlite`);
  const full = join(CACHE, `seeded-${digestOf(packages, contents, today, await readFile(SEED, 'utf8'))}.sqlite`);
  if (!(await exists(full))) {
    await withLock(join(CACHE, 'lock'), async () => {
      if (!(await exists(empty))) await make(empty, activate);
      if (!(await exists(full))) await make(full, (work) => fill(work, empty, { contents, full }));
      await forget([empty, full, `${full}.json`]);
    });
  }
  await copyFile(full, join(folder, `${DATABASE}.sqlite`));
  return seeded.parse(JSON.parse(await readFile(`${full}.json`, 'utf8')));
}

/** Makes a file in a folder of its own; it is there whole, or not at all. */
async function make(file: string, write: (work: string) => Promise<void>): Promise<void> {
  const work = `${file}.${process.pid}`;
  await rm(work, { recursive: true, force: true });
  await mkdir(work);
  try {
    await write(work);
    await rename(join(work, `${DATABASE}.sqlite`), file);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function activate(work: string): Promise<void> {
  const config = await writeTrytonConfig(work, 0);
  await writeFile(join(work, `${DATABASE}.sqlite`), '');
  const password = join(work, 'password');
  await writeFile(password, ADMIN_PASSWORD);
  const env = { ...process.env, TRYTONPASSFILE: password };
  const flags = ['--activate-dependencies', '--email', 'admin@example.com'];
  await run(ADMIN, ['-c', config, '-d', DATABASE, '-u', ...MODULES, ...flags], { env });
}

async function fill(
  work: string,
  empty: string,
  { contents, full }: { contents: string; full: string },
): Promise<void> {
  const config = await writeTrytonConfig(work, 0);
  await copyFile(empty, join(work, `${DATABASE}.sqlite`));
  const filling = run(PYTHON, ['-W', 'ignore', SEED, config, DATABASE]);
  filling.child.stdin?.end(contents);
  const { stdout } = await filling;
  await writeFile(`${full}.json`, stdout.trim().split('\n').at(-1) ?? '');
}

/** One process at a time; the lock of one that is gone counts for nothing. */
async function withLock(lock: string, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await writeFile(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch {
      const owner = Number(await readFile(lock, 'utf8').catch(() => '0'));
      if (owner > 0 && !isAlive(owner)) await rm(lock, { force: true });
      await sleep(200);
    }
  }
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Only what is used is kept. */
async function forget(kept: readonly string[]): Promise<void> {
  const files = (await readdir(CACHE)).map((name) => join(CACHE, name));
  const old = files.filter((file) => !kept.includes(file) && !file.endsWith('lock'));
  await Promise.all(old.map((file) => rm(file, { recursive: true, force: true })));
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

function digestOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
}
