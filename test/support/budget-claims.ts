import type { Claim } from '#connectors/kit/budget.ts';

export const windowClaim = (limit: number, windowMs: number, cost = 1): Claim => ({
  name: `w${limit}-${windowMs}`,
  shape: { kind: 'window', limit, windowMs },
  cost,
});
export const bucketClaim = (intervalMs: number, burst: number): Claim => ({
  name: `b${intervalMs}-${burst}`,
  shape: { kind: 'bucket', intervalMs, burst },
  cost: 1,
});
