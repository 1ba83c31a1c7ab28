/** Clocks of two machines may differ by so much. */
const SKEW_MS = 60_000;

/**
 * Whether a source's instant lies further ahead of our clock than clocks differ: then it says nothing of the value's age,
 * and must not win against what the source states later.
 * @param instant ISO 8601; null: the source says none, which is not ahead
 */
export function isAheadOf(nowMs: number, instant: string | null): boolean {
  return instant !== null && Date.parse(instant) > nowMs + SKEW_MS;
}
