import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** What is measured has a core of its own; what makes its load has the others. */
export interface Cores extends Disposable {
  /** For `fork`: starts a process on the core of what is measured. */
  readonly measured: (execArgv: readonly string[]) => { readonly execPath?: string; readonly execArgv: string[] };
  /** For people: how the cores were divided, or why not. */
  readonly told: string;
}

/**
 * Divides the cores until disposed of: this process and those it forks plainly leave core 0 to what is measured. Without
 * that the scheduler moves processes about, and CPU times of one round say little of the next. Needs taskset and two cores;
 * else nothing is divided.
 */
export function divideCores(): Cores {
  const count = availableParallelism();
  const undivided = (told: string): Cores => ({
    measured: (execArgv) => ({ execArgv: [...execArgv] }),
    told,
    [Symbol.dispose]: () => undefined,
  });
  if (count < 2) return undivided('one core for all');
  const move = (cores: string): void => {
    execFileSync('taskset', ['-a', '-c', '-p', cores, String(process.pid)], { stdio: 'ignore' });
  };
  try {
    move(`1-${count - 1}`);
  } catch {
    return undivided('cores not divided: there is no taskset that may');
  }
  return {
    measured: (execArgv) => ({ execPath: 'taskset', execArgv: ['-c', '0', process.execPath, ...execArgv] }),
    told: `what is measured on core 0, its load on the other${count === 2 ? '' : `s (1-${count - 1})`}`,
    [Symbol.dispose]: () => move(`0-${count - 1}`),
  };
}
