/** The only source of time: passed as an argument, replaced in tests. */
export interface Clock {
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };

/** ISO 8601 UTC of the clock's now. */
export function nowIso(clock: Clock): string {
  return new Date(clock.nowMs()).toISOString();
}
