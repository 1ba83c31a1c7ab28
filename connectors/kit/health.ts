import type { Clock } from '#platform/clock.ts';
import type { ErrorCode } from '#platform/errors.ts';
import type { OperationClass, SystemHealth } from '#schema/model/sources.ts';

const WINDOW_MS = 60_000;
const DATED_EVERY_MS = 10_000;

/** What was seen of a system lately, apart for what the calls were for. */
export interface Vitals {
  readonly succeeded: (operationClass: OperationClass) => void;
  readonly failed: (operationClass: OperationClass, code: ErrorCode) => void;
  /** An answer that had come in time, and was counted as good, cannot be read. */
  readonly misread: (operationClass: OperationClass) => void;
  /** An answer's `date` header. */
  readonly dated: (header: string | undefined) => void;
  /**
   * DOWN when everything the system was asked for lately failed: feeds that fail beside reads that go well are DEGRADED.
   * A class whose breaker keeps calls away now counts as failed.
   */
  readonly health: (breakers: SystemHealth['breakers']) => Omit<SystemHealth, 'breakers'>;
}

interface Second {
  readonly atMs: number;
  ok: number;
  failed: number;
}

/** Health of the last minute. */
export function createVitals(clock: Clock): Vitals {
  const seconds: Record<OperationClass, Second[]> = { read: [], feed: [], write: [] };
  let lastErrorCode: ErrorCode | null = null;
  let clockAheadMs: number | null = null;
  let datedAtMs = Number.NEGATIVE_INFINITY;
  const bucket = (operationClass: OperationClass): Second => {
    const atMs = Math.floor(clock.nowMs() / 1000) * 1000;
    const known = seconds[operationClass];
    const last = known.at(-1);
    if (last?.atMs === atMs) return last;
    const made = { atMs, ok: 0, failed: 0 };
    seconds[operationClass] = [...known.filter((second) => second.atMs > atMs - WINDOW_MS), made];
    return made;
  };
  return {
    succeeded: (operationClass) => {
      bucket(operationClass).ok += 1;
    },
    failed: (operationClass, code) => {
      bucket(operationClass).failed += 1;
      lastErrorCode = code;
    },
    misread: (operationClass) => {
      const second = bucket(operationClass);
      second.ok = Math.max(0, second.ok - 1);
      second.failed += 1;
      lastErrorCode = 'UPSTREAM_CONTRACT';
    },
    dated: (header) => {
      // Clocks drift slowly: one reading in ten seconds is enough.
      if (header === undefined || clock.nowMs() - datedAtMs < DATED_EVERY_MS) return;
      const theirsMs = Date.parse(header);
      if (Number.isNaN(theirsMs)) return;
      datedAtMs = clock.nowMs();
      clockAheadMs = theirsMs - Math.floor(datedAtMs / 1000) * 1000;
    },
    health: (breakers) => {
      const since = clock.nowMs() - WINDOW_MS;
      const stateIn = (operationClass: OperationClass): readonly SystemHealth['state'][] => {
        const recent = seconds[operationClass].filter((second) => second.atMs > since);
        return recent.length === 0 ? [] : [stateOf(recent, breakers[operationClass] !== 'CLOSED')];
      };
      const states = CLASSES.flatMap(stateIn);
      const readsFail = stateIn('read').includes('DOWN');
      if (states.every((state) => state === 'UP')) return { state: 'UP', readsFail, lastErrorCode: null, clockAheadMs };
      const state = states.every((one) => one === 'DOWN') ? 'DOWN' : 'DEGRADED';
      return { state, readsFail, lastErrorCode, clockAheadMs };
    },
  };
}

const CLASSES = ['read', 'feed', 'write'] as const satisfies readonly OperationClass[];

function stateOf(recent: readonly Second[], rests: boolean): SystemHealth['state'] {
  const count = (pick: (second: Second) => number): number => recent.reduce((sum, second) => sum + pick(second), 0);
  if (count(({ failed }) => failed) === 0) return 'UP';
  return rests || count(({ ok }) => ok) === 0 ? 'DOWN' : 'DEGRADED';
}
