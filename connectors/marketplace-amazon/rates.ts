import type { LimitRule, Observed } from '#connectors/kit/definition.ts';
import type { WireResponse } from '#connectors/kit/wire.ts';

/** Default usage plans, per seller and application. Source: the `x-amzn-api` models of Selling Partner API, each operation's table. */
const RATES = {
  searchListingsItems: { perSecond: 5, burst: 5 },
  getInventorySummaries: { perSecond: 2, burst: 2 },
  searchOrders: { perSecond: 0.0056, burst: 20 },
  updateShipmentStatus: { perSecond: 5, burst: 15 },
} as const;

export function amazonRates(): readonly LimitRule[] {
  return Object.entries(RATES).map(([operation, rate]) => ({
    kind: 'bucket',
    name: operation,
    operations: [operation],
    ...rate,
  }));
}

/** `x-amzn-RateLimit-Limit` is the seller's own rate of the operation answered, in calls a second; not what is left. */
export function observeAmazon({ headers }: WireResponse): readonly Observed[] {
  const text = headers['x-amzn-ratelimit-limit'] ?? '';
  const perSecond = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  return perSecond > 0 ? Object.keys(RATES).map((rule) => ({ rule, perSecond })) : [];
}
