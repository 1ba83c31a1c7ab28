import { SLICES, sliceMsOf } from './budget.ts';
import type { Balance, BudgetStore, Claim, Grant, RateShape } from './budget.ts';

interface Rate {
  /** Count by slice, of windows. */
  readonly slices: Map<number, number>;
  /** The latest moment given away: who comes later goes later. */
  tailMs: number;
  /** Units missing at that moment, of buckets. */
  missing: number;
}

interface Account {
  pausedUntilMs: number;
  readonly rates: Map<string, Rate>;
}

/** Counts in this process. The same arithmetic as the script of budget-redis.ts: a test holds them against each other. */
export function createMemoryBudgets(nowMs: () => number): BudgetStore {
  const accounts = new Map<string, Account>();
  const accountOf = (name: string): Account => {
    const known = accounts.get(name) ?? { pausedUntilMs: 0, rates: new Map<string, Rate>() };
    accounts.set(name, known);
    return known;
  };
  return {
    take: async (name, claims, mostMs) => await Promise.resolve(takeNow(accountOf(name), claims, mostMs, nowMs())),
    pause: async (name, ms) => {
      const account = accountOf(name);
      account.pausedUntilMs = Math.max(account.pausedUntilMs, nowMs() + ms);
      await Promise.resolve();
    },
    late: async (name, claims, lateMs) => {
      for (const claim of claims) recount(rateOf(accountOf(name), claim.name), claim, nowMs(), lateMs);
      await Promise.resolve();
    },
    observe: async (name, { name: rule, shape }, remaining) => {
      lower(rateOf(accountOf(name), rule), shape, remaining, nowMs());
      await Promise.resolve();
    },
    peek: async (name, rates) => {
      const account = accountOf(name);
      const atMs = nowMs();
      const left = rates.map(({ name: rule, shape }) => leftOf(rateOf(account, rule), shape, atMs));
      return await Promise.resolve({ pausedMs: Math.max(0, account.pausedUntilMs - atMs), rates: left });
    },
    close: async () => {},
  };
}

// oxlint-disable-next-line max-params -- the parts of one decision
function takeNow(account: Account, claims: readonly Claim[], mostMs: number, nowMs: number): Grant {
  let atMs = Math.max(nowMs, account.pausedUntilMs);
  // Later moments only make more room in each rate, so one pass over the others after a move is enough.
  for (let moved = true; moved;) {
    moved = false;
    for (const claim of claims) {
      const earliest = earliestOf(rateOf(account, claim.name), claim, atMs);
      if (earliest > atMs) [atMs, moved] = [earliest, true];
    }
  }
  const waitMs = Math.ceil(atMs - nowMs);
  if (waitMs > mostMs) return { granted: false, waitMs };
  for (const claim of claims) spend(rateOf(account, claim.name), claim, atMs);
  return { granted: true, waitMs };
}

function rateOf(account: Account, name: string): Rate {
  const known = account.rates.get(name) ?? { slices: new Map<number, number>(), tailMs: 0, missing: 0 };
  account.rates.set(name, known);
  return known;
}

function earliestOf(rate: Rate, { shape, cost }: Claim, atMs: number): number {
  const at = Math.max(atMs, rate.tailMs);
  if (shape.kind === 'bucket') {
    return Math.max(at, rate.tailMs + (rate.missing + costOf(shape, cost) - shape.burst) * shape.intervalMs);
  }
  const sliceMs = sliceMsOf(shape);
  let soonest = at;
  while (countAt(rate, shape, soonest) + costOf(shape, cost) > shape.limit) {
    soonest = (Math.floor(soonest / sliceMs) + 1) * sliceMs;
  }
  return soonest;
}

function spend(rate: Rate, { shape, cost }: Claim, atMs: number): void {
  if (shape.kind === 'bucket') {
    rate.missing = missingAt(rate, shape, atMs) + costOf(shape, cost);
    rate.tailMs = atMs;
    return;
  }
  const slice = Math.floor(atMs / sliceMsOf(shape));
  rate.tailMs = atMs;
  rate.slices.set(slice, (rate.slices.get(slice) ?? 0) + costOf(shape, cost));
  for (const old of rate.slices.keys()) if (old < slice - SLICES) rate.slices.delete(old);
}

/** The call counts from now, no longer from when it was granted. */
// oxlint-disable-next-line max-params -- the parts of one decision
function recount(rate: Rate, { shape, cost }: Claim, nowMs: number, lateMs: number): void {
  if (shape.kind === 'bucket') return;
  const units = costOf(shape, cost);
  const [granted, slice] = [nowMs - lateMs, nowMs].map((atMs) => Math.floor(atMs / sliceMsOf(shape))) as [
    number,
    number,
  ];
  const counted = rate.slices.get(granted) ?? 0;
  if (counted >= units) rate.slices.set(granted, counted - units);
  rate.slices.set(slice, (rate.slices.get(slice) ?? 0) + units);
}

function lower(rate: Rate, shape: RateShape, remaining: number, nowMs: number): void {
  const atMs = Math.max(nowMs, rate.tailMs);
  if (shape.kind === 'bucket') {
    rate.missing = Math.max(missingAt(rate, shape, atMs), shape.burst - remaining);
    rate.tailMs = atMs;
    return;
  }
  const slice = Math.floor(nowMs / sliceMsOf(shape));
  const missing = shape.limit - remaining - countAt(rate, shape, atMs);
  if (missing > 0) rate.slices.set(slice, (rate.slices.get(slice) ?? 0) + missing);
}

function leftOf(rate: Rate, shape: RateShape, nowMs: number): Balance['rates'][number] {
  if (shape.kind === 'bucket') {
    // Before the moment given away last, more is missing than then.
    const missing = missingAt(rate, shape, nowMs);
    return { left: Math.max(0, Math.floor(shape.burst - missing)), resetsMs: Math.ceil(missing * shape.intervalMs) };
  }
  const sliceMs = sliceMsOf(shape);
  const counted = [...rate.slices].flatMap(([index, units]) =>
    units > 0 && (index + SLICES + 1) * sliceMs > nowMs ? [{ index, units }] : [],
  );
  // Turns given away ahead are taken, though their moment is to come.
  const units = counted.reduce((sum, slice) => sum + slice.units, 0);
  const last = Math.max(0, ...counted.map(({ index }) => index));
  const resetsMs = counted.length === 0 ? 0 : Math.ceil((last + SLICES + 1) * sliceMs - nowMs);
  return { left: Math.max(0, shape.limit - units), resetsMs };
}

function missingAt(rate: Rate, { intervalMs }: { readonly intervalMs: number }, atMs: number): number {
  return Math.max(0, rate.missing - (atMs - rate.tailMs) / intervalMs);
}

function countAt(rate: Rate, shape: Extract<RateShape, { kind: 'window' }>, atMs: number): number {
  const slice = Math.floor(atMs / sliceMsOf(shape));
  let count = 0;
  for (const [index, units] of rate.slices) if (index >= slice - SLICES && index <= slice) count += units;
  return count;
}

function costOf(shape: RateShape, cost: number): number {
  return Math.min(cost, shape.kind === 'window' ? shape.limit : shape.burst);
}
