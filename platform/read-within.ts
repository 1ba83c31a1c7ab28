import type { CallScope } from '#schema/model/request.ts';
import type { Clock } from './clock.ts';
import { MortarError } from './errors.ts';

export interface ReadWithinOptions {
  readonly scope: CallScope;
  readonly clock: Clock;
  /** The most this read may take, in milliseconds; the request's own deadline less `reserveMs` may end it sooner. */
  readonly maxMs: number;
  /** What the request keeps for a fallback, in milliseconds. @default 100 */
  readonly reserveMs?: number;
  /** Named in the error. */
  readonly system: string;
}

/**
 * Runs an upstream read that must leave time for a fallback: its scope ends early, and the answer does not wait for a
 * source that ignores it.
 * @throws {MortarError} UPSTREAM_TIMEOUT when the time is up; whatever the read throws before.
 */
export async function readWithin<V>(options: ReadWithinOptions, read: (scope: CallScope) => Promise<V>): Promise<V> {
  const { scope, clock, maxMs, reserveMs = 100, system } = options;
  const leftMs = Math.min(maxMs, scope.deadlineAtMs - clock.nowMs() - reserveMs);
  if (leftMs <= 0 || scope.signal.aborted) throw new MortarError('UPSTREAM_TIMEOUT', { system });
  // One controller per call: AbortSignal.any with AbortSignal.timeout retains memory until the timers fire.
  const controller = new AbortController();
  const late = Promise.withResolvers<never>();
  const stop = (): void => {
    controller.abort();
    late.reject(new MortarError('UPSTREAM_TIMEOUT', { system }));
  };
  const timer = setTimeout(stop, leftMs);
  scope.signal.addEventListener('abort', stop, { once: true });
  try {
    const inner = { ...scope, deadlineAtMs: clock.nowMs() + leftMs, signal: controller.signal };
    return await Promise.race([read(inner), late.promise]);
  } finally {
    clearTimeout(timer);
    scope.signal.removeEventListener('abort', stop);
  }
}
