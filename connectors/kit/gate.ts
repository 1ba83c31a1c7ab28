import { upstreamError } from './failure.ts';

/** Lets a limited number of calls through at once; the others wait in a bounded line, first come first served. */
export interface Gate {
  /** Resolves to the release function. Rejects when the line is full or the signal aborts first. */
  readonly enter: (signal: AbortSignal) => Promise<() => void>;
}

export function createGate(concurrency: number, maxWaiting: number): Gate {
  let running = 0;
  const waiting = new Set<() => void>();
  const release = (): void => {
    running -= 1;
    const [next] = waiting;
    if (next !== undefined) {
      waiting.delete(next);
      next();
    }
  };
  const admit = (): (() => void) => {
    running += 1;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      release();
    };
  };
  return {
    enter: (signal) => {
      if (signal.aborted) return Promise.reject(canceled());
      if (running < concurrency) return Promise.resolve(admit());
      if (waiting.size >= maxWaiting) {
        return Promise.reject(
          upstreamError('UPSTREAM_UNAVAILABLE', { message: 'Too many calls wait for this system.' }),
        );
      }
      return new Promise((resolve, reject) => {
        const proceed = (): void => {
          signal.removeEventListener('abort', leave);
          resolve(admit());
        };
        const leave = (): void => {
          waiting.delete(proceed);
          reject(canceled());
        };
        signal.addEventListener('abort', leave, { once: true });
        waiting.add(proceed);
      });
    },
  };
}

function canceled(): Error {
  return upstreamError('UPSTREAM_TIMEOUT', { message: 'The call waited too long for its turn.' });
}
