import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { MortarError } from '#platform/errors.ts';

/** Holds a home folder for one process; `release` may be called twice. */
export interface HomeLock {
  readonly release: () => void;
}

/**
 * Takes the home folder for this process: two processes over one SQLite file and one sandbox log would disturb each other.
 * A lock whose process is gone is taken over.
 * @throws {MortarError} CONFIGURATION_INVALID when another process holds it, or the folder cannot be written
 */
export function lockHome(home: string, pid: number = process.pid): HomeLock {
  const file = join(home, 'mortar.pid');
  try {
    mkdirSync(home, { recursive: true });
    if (!tryWrite(file, pid)) {
      const holder = Number(readFileSync(file, 'utf8').trim());
      if (isRunning(holder) && holder !== pid) throw held(home, holder);
      rmSync(file, { force: true });
      if (!tryWrite(file, pid)) throw held(home, Number(readFileSync(file, 'utf8').trim()));
    }
  } catch (error) {
    if (error instanceof MortarError) throw error;
    throw new MortarError('CONFIGURATION_INVALID', {
      message: `cannot use the home folder ${home}: ${error instanceof Error ? error.message : 'unknown cause'}`,
      cause: error,
    });
  }
  return { release: () => rmSync(file, { force: true }) };
}

function held(home: string, holder: number): MortarError {
  return new MortarError('CONFIGURATION_INVALID', {
    message: `the home folder ${home} is in use by process ${holder}; stop it, or choose another with --home`,
  });
}

function tryWrite(file: string, pid: number): boolean {
  try {
    const descriptor = openSync(file, 'wx');
    writeSync(descriptor, `${pid}\n`);
    closeSync(descriptor);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Whether the process lives and is one of ours: after a crash its number may belong to another program. */
function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  try {
    return /node|mortar/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  } catch {
    // No /proc (macOS): a living process of that number counts as the holder.
    return true;
  }
}
