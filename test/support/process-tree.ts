import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
}

/** Null: there is no such process, or it is a zombie that waits for its parent. */
function readProcess(pid: number): ProcessEntry | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may hold spaces and parentheses: the fields begin behind the last one.
    const [state = 'Z', parent = '0'] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? null : { pid, parent: Number(parent), state };
  } catch {
    return null;
  }
}

/** Every living descendant of a process, itself not included; needs /proc. */
export function descendantsOf(pid: number): readonly number[] {
  const entries = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
  const found = new Set([pid]);
  for (let grew = true; grew;) {
    const next = entries.filter((entry) => found.has(entry.parent) && !found.has(entry.pid));
    for (const entry of next) found.add(entry.pid);
    grew = next.length > 0;
  }
  found.delete(pid);
  return [...found];
}

export function isAlive(pid: number): boolean {
  return readProcess(pid) !== null;
}

/** Waits until none of the processes lives; answers those that still do when the time is over. */
export async function waitForEnd(pids: readonly number[], withinMs: number): Promise<readonly number[]> {
  const until = Date.now() + withinMs;
  let alive = pids.filter(isAlive);
  while (alive.length > 0 && Date.now() < until) {
    await sleep(20);
    alive = alive.filter(isAlive);
  }
  return alive;
}

/** Resident memory of one process, in bytes. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) * 1024;
}
