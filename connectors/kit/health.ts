import type { Clock } from '#platform/clock.ts';
import type { ErrorCode } from '#platform/errors.ts';
import type { SystemHealth } from '#schema/model/sources.ts';

const WINDOW_MS = 60_000;
const OPEN_AFTER_FAILURES = 5;
const FIRST_REST_MS = 500;
const LONGEST_REST_MS = 2_000;

/** What was seen of a system lately, and whether it is worth asking now. */
export interface Vitals {
  readonly succeeded: () => void;
  readonly failed: (code: ErrorCode) => void;
  /** False while the system rests after repeated failures; then one call at a time is let through as a probe. */
  readonly mayAsk: () => boolean;
  readonly health: () => SystemHealth;
}

/**
 * Health of the last minute and a breaker: five failures in a row rest the system for 0.5 s, doubling to 2 s, so that a
 * dead system costs its callers nothing and is found back within seconds.
 */
export function createVitals(clock: Clock): Vitals {
  let seconds: { atMs: number; ok: number; failed: number }[] = [];
  let inARow = 0;
  let restMs = FIRST_REST_MS;
  let restUntilMs = 0;
  let lastError: { readonly code: ErrorCode; readonly atMs: number } | null = null;
  const bucket = (): { atMs: number; ok: number; failed: number } => {
    const atMs = Math.floor(clock.nowMs() / 1000) * 1000;
    const last = seconds.at(-1);
    if (last?.atMs === atMs) return last;
    const made = { atMs, ok: 0, failed: 0 };
    seconds = [...seconds.filter((second) => second.atMs > atMs - WINDOW_MS), made];
    return made;
  };
  return {
    succeeded: () => {
      bucket().ok += 1;
      inARow = 0;
      restMs = FIRST_REST_MS;
      restUntilMs = 0;
    },
    failed: (code) => {
      bucket().failed += 1;
      inARow += 1;
      lastError = { code, atMs: clock.nowMs() };
      if (inARow < OPEN_AFTER_FAILURES) return;
      restUntilMs = clock.nowMs() + restMs;
      restMs = Math.min(restMs * 2, LONGEST_REST_MS);
    },
    mayAsk: () => {
      if (inARow < OPEN_AFTER_FAILURES) return true;
      if (clock.nowMs() < restUntilMs) return false;
      // The probe: others are kept away until it has answered or this much time has passed.
      restUntilMs = clock.nowMs() + restMs;
      return true;
    },
    health: () => {
      const since = clock.nowMs() - WINDOW_MS;
      const recent = seconds.filter((second) => second.atMs > since);
      const failed = recent.reduce((sum, second) => sum + second.failed, 0);
      const ok = recent.reduce((sum, second) => sum + second.ok, 0);
      if (failed === 0 || lastError === null) return { state: 'UP', lastErrorCode: null };
      const down = ok === 0 || inARow >= OPEN_AFTER_FAILURES;
      return { state: down ? 'DOWN' : 'DEGRADED', lastErrorCode: lastError.code };
    },
  };
}
