/** A signal of its own for one call: aborts with the caller, or after `timeoutMs`. Dispose it when the call ended. */
export interface CallLimit extends Disposable {
  readonly signal: AbortSignal;
  readonly timedOut: () => boolean;
}

/**
 * One controller and one cleared timer a call: `AbortSignal.any` over a long-lived signal keeps every call's timer in
 * memory until it fires (198 MB per 100,000 calls).
 */
export function limitCall(caller: AbortSignal, timeoutMs: number): CallLimit {
  const controller = new AbortController();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    controller.abort();
  }, timeoutMs);
  const cancel = (): void => controller.abort();
  if (caller.aborted) cancel();
  else caller.addEventListener('abort', cancel, { once: true });
  return {
    signal: controller.signal,
    timedOut: () => timedOut,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      caller.removeEventListener('abort', cancel);
    },
  };
}

/** Resolves after `ms`, or at once when the signal aborts; never rejects. */
export function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** The shared promise's value, unless this caller's own signal aborts first. */
export async function orAborted<T>(shared: Promise<T>, signal: AbortSignal): Promise<T> {
  // Others may still wait for it: its failure is theirs to handle when this caller has left.
  shared.catch(() => {});
  signal.throwIfAborted();
  const left = Promise.withResolvers<never>();
  const leave = (): void => left.reject(signal.reason as Error);
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([shared, left.promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
