import type { LimitRule } from '#connectors/kit/definition.ts';

/** A vendor that counts by its own clock, request by request: shares no arithmetic with the kit's budgets. */
export interface VendorLimit {
  /** Whether the request that arrives now is let through. */
  readonly admit: (nowMs: number) => boolean;
  /** Requests the rate would allow in so long. */
  readonly allowedIn: (ms: number) => number;
}

export function createVendorLimit(rule: LimitRule): VendorLimit {
  if (rule.kind === 'window') {
    const admitted: number[] = [];
    return {
      admit: (nowMs) => {
        while ((admitted[0] ?? nowMs) <= nowMs - rule.windowMs) admitted.shift();
        if (admitted.length >= rule.limit) return false;
        admitted.push(nowMs);
        return true;
      },
      allowedIn: (ms) => (rule.limit * ms) / rule.windowMs,
    };
  }
  let units = rule.burst;
  let atMs: number | null = null;
  return {
    admit: (nowMs) => {
      units = Math.min(rule.burst, units + ((nowMs - (atMs ?? nowMs)) / 1_000) * rule.perSecond);
      atMs = nowMs;
      if (units < 1) return false;
      units -= 1;
      return true;
    },
    allowedIn: (ms) => rule.burst + (rule.perSecond * ms) / 1_000,
  };
}
