import type { Clock } from '#platform/clock.ts';
import type { ErrorCode } from '#platform/errors.ts';
import type { SystemHealth } from '#schema/model/sources.ts';

const WINDOW_MS = 60_000;

/** What was seen of a system lately. */
export interface Vitals {
  readonly succeeded: () => void;
  readonly failed: (code: ErrorCode) => void;
  /** `rests`: a breaker keeps calls away now. */
  readonly health: (rests: boolean) => SystemHealth;
}

/** Health of the last minute. */
export function createVitals(clock: Clock): Vitals {
  let seconds: { atMs: number; ok: number; failed: number }[] = [];
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
    },
    failed: (code) => {
      bucket().failed += 1;
      lastError = { code, atMs: clock.nowMs() };
    },
    health: (rests) => {
      const since = clock.nowMs() - WINDOW_MS;
      const recent = seconds.filter((second) => second.atMs > since);
      const failed = recent.reduce((sum, second) => sum + second.failed, 0);
      const ok = recent.reduce((sum, second) => sum + second.ok, 0);
      if (failed === 0 || lastError === null) return { state: 'UP', lastErrorCode: null };
      const down = ok === 0 || rests;
      return { state: down ? 'DOWN' : 'DEGRADED', lastErrorCode: lastError.code };
    },
  };
}
