/** The only source of time: passed as an argument, replaced in tests. */
export interface Clock {
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };

let second = Number.NaN;
let secondText = '';

/** ISO 8601 UTC of epoch milliseconds from 0 on; what many instants of one second share is written once. */
export function toIso(epochMs: number): string {
  const whole = Math.floor(epochMs / 1_000);
  if (whole !== second) {
    secondText = new Date(whole * 1_000).toISOString().slice(0, 20);
    second = whole;
  }
  return `${secondText}${String(Math.floor(epochMs) % 1_000).padStart(3, '0')}Z`;
}

/** ISO 8601 UTC of the clock's now. */
export function nowIso(clock: Clock): string {
  return new Date(clock.nowMs()).toISOString();
}
