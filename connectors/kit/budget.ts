import type { BudgetReport } from '#schema/model/sources.ts';

import type { LimitRule, Observed } from './definition.ts';
import type { WireRequest, WireResponse } from './wire.ts';

// How many calls a vendor lets us make. One budget an account, whoever calls: reads, feeds, writes, retries. Requests for
// tokens are not counted: vendors have limits of their own for them, and a 429 of theirs pauses the account too.

/** A rate as the stores count it: `window` lets `limit` through in any `windowMs`; `bucket` fills up one unit each `intervalMs`. */
export type RateShape =
  | { readonly kind: 'window'; readonly limit: number; readonly windowMs: number }
  | { readonly kind: 'bucket'; readonly intervalMs: number; readonly burst: number };

/** Windows are counted in so many slices: a call is counted up to one slice too long, never too short. */
export const SLICES = 20;

export const sliceMsOf = ({ windowMs }: Extract<RateShape, { kind: 'window' }>): number => Math.ceil(windowMs / SLICES);

/** What one call takes from one rate. */
export interface Claim {
  /** Unique in the account. */
  readonly name: string;
  readonly shape: RateShape;
  /** Calls or credits; more than the rate ever has counts as all it has. */
  readonly cost: number;
}

/** `granted` false: the wait would be longer than the caller can wait, and nothing was taken. */
export interface Grant {
  readonly granted: boolean;
  /** Milliseconds until the call may go. */
  readonly waitMs: number;
}

/** Where budgets are counted: in this process, or for several processes. Never rejects. */
export interface BudgetStore {
  /** Takes the claims together, at the earliest moment all of them allow: who asks first goes first. */
  readonly take: (account: string, claims: readonly Claim[], mostMs: number) => Promise<Grant>;
  /** No call of the account goes for so long, whatever its budgets say. */
  readonly pause: (account: string, ms: number) => Promise<void>;
  /** A call that was granted `lateMs` ago has only now reached the vendor, whose windows count it from here on. */
  readonly late: (account: string, claims: readonly Claim[], lateMs: number) => Promise<void>;
  /** What the vendor says is left of a rate, where that is less than we think. */
  readonly observe: (account: string, claim: Omit<Claim, 'cost'>, remaining: number) => Promise<void>;
  /** What is left of each rate, in order, and how long the account is paused. Takes nothing. */
  readonly peek: (account: string, rates: readonly Omit<Claim, 'cost'>[]) => Promise<Balance>;
  readonly close: () => Promise<void>;
}

export interface Balance {
  readonly pausedMs: number;
  /** Whole units that may go now, and milliseconds until all of the rate may. */
  readonly rates: readonly { readonly left: number; readonly resetsMs: number }[];
}

/** The budget of one connected system. */
export interface AccountBudget {
  readonly take: (request: WireRequest, mostMs: number) => Promise<Grant>;
  readonly pause: (ms: number) => Promise<void>;
  /**
   * A call granted for `bookedAtMs` has ended: the vendor may have counted it as late as now. A busy process or a slow
   * vendor would otherwise have the windows of both sides drift apart.
   */
  readonly ended: (request: WireRequest, bookedAtMs: number) => void;
  /** Reads what the vendor tells of its limits in an answer. */
  readonly answered: (request: WireRequest, response: WireResponse) => void;
  /**
   * Whether a call may book a moment ahead without holding back others: its narrower rates have room, so that it waits in
   * the line everyone waits in, or there is no wider one it could hold up.
   */
  readonly mayBook: (request: WireRequest) => Promise<boolean>;
  /** Milliseconds this process knows the account to be paused. */
  readonly pausedMs: () => number;
  /** Milliseconds the account is paused, whichever process was told. */
  readonly pausedNowMs: () => Promise<number>;
  /** All rates as they stand now, in declared order. */
  readonly report: () => Promise<BudgetReport>;
}

interface AccountOptions {
  readonly account: string;
  readonly rules: readonly LimitRule[];
  /** Published rates times this: below 1 where others use the account too, above 1 where the vendor granted more. */
  readonly factor: number;
  readonly store: BudgetStore;
  readonly nowMs: () => number;
  readonly observe?: (response: WireResponse) => readonly Observed[];
}

/** Told remainders are written down when less than this share is left: before, our own count is good enough. */
const SCARCE_SHARE = 0.25;

export function createAccountBudget({ account, rules, factor, store, nowMs, observe }: AccountOptions): AccountBudget {
  const shapes = new Map(rules.map((rule) => [rule.name, shapeOf(rule, factor)]));
  const concerned = (request: WireRequest): readonly LimitRule[] =>
    rules.filter(({ operations }) => operations?.includes(request.operation) ?? true);
  const shapeNamed = (rule: LimitRule): RateShape => shapes.get(rule.name) ?? shapeOf(rule, factor);
  const claimsOf = (request: WireRequest): readonly Claim[] =>
    concerned(request).map((rule) => ({
      name: rule.name,
      shape: shapeNamed(rule),
      cost: Math.max(1, rule.cost?.(request) ?? 1),
    }));
  let pausedUntilMs = 0;
  const note = (rule: LimitRule, { limit, perSecond, remaining }: Observed): void => {
    // The vendor knows better than its documents, but for the share we were told to leave to others.
    if (perSecond !== undefined && rule.kind === 'bucket')
      shapes.set(rule.name, shapeOf({ ...rule, perSecond }, factor));
    if (limit !== undefined && rule.kind === 'window') shapes.set(rule.name, shapeOf({ ...rule, limit }, factor));
    const shape = shapeNamed(rule);
    const most = shape.kind === 'window' ? shape.limit : shape.burst;
    if (remaining === undefined) return;
    // By the same measure as the limit: otherwise a factor above 1 would make every answer look like scarcity.
    const left = Math.floor(remaining * (rule.kind === 'window' ? factor : Math.max(1, factor)));
    if (left < most * SCARCE_SHARE) void store.observe(account, { name: rule.name, shape }, left);
  };
  return {
    take: async (request, mostMs) => await store.take(account, claimsOf(request), mostMs),
    ended: (request, bookedAtMs) => {
      const lateMs = nowMs() - bookedAtMs;
      const late = claimsOf(request).filter(({ shape }) => shape.kind === 'window' && lateMs > sliceMsOf(shape));
      if (late.length > 0) void store.late(account, late, lateMs);
    },
    pause: async (ms) => {
      // "Retry-After: 0" asks for none, and Redis keeps nothing for no time.
      if (ms <= 0) return;
      pausedUntilMs = Math.max(pausedUntilMs, nowMs() + ms);
      await store.pause(account, ms);
    },
    answered: (request, response) => {
      for (const seen of observe?.(response) ?? []) {
        const rule = concerned(request).find(({ name }) => name === seen.rule);
        if (rule !== undefined) note(rule, seen);
      }
    },
    mayBook: async (request) => {
      const counting = concerned(request);
      const narrow = counting.filter(({ operations }) => operations !== undefined);
      if (narrow.length === 0 || narrow.length === counting.length) return true;
      const named = narrow.map((rule) => ({ name: rule.name, shape: shapeNamed(rule) }));
      const { rates } = await store.peek(account, named);
      return rates.every(({ left }) => left > 0);
    },
    pausedMs: () => Math.max(0, pausedUntilMs - nowMs()),
    pausedNowMs: async () => (await store.peek(account, [])).pausedMs,
    report: async () => {
      const named = rules.map((rule) => ({ name: rule.name, shape: shapeNamed(rule) }));
      const balance = await store.peek(account, named);
      const atMs = nowMs();
      return {
        pausedUntilMs: balance.pausedMs > 0 ? atMs + balance.pausedMs : null,
        rates: rules.map((rule, index) => {
          const { limit, periodMs } = sizeOf(named[index]?.shape ?? shapeNamed(rule));
          const { left, resetsMs } = balance.rates[index] ?? { left: limit, resetsMs: 0 };
          return {
            name: rule.name,
            operations: rule.operations ?? [],
            limit,
            periodMs,
            left,
            resetsAtMs: atMs + resetsMs,
          };
        }),
      };
    },
  };
}

/** Units at once, and the time in which as many come back. */
function sizeOf(shape: RateShape): { readonly limit: number; readonly periodMs: number } {
  return shape.kind === 'window'
    ? { limit: shape.limit, periodMs: shape.windowMs }
    : { limit: shape.burst, periodMs: shape.burst * shape.intervalMs };
}

function shapeOf(rule: LimitRule, factor: number): RateShape {
  if (rule.kind === 'window') {
    return { kind: 'window', limit: Math.max(1, Math.floor(rule.limit * factor)), windowMs: rule.windowMs };
  }
  // One unit of a burst is kept back: a call that overtakes another on its way must not find the bucket empty.
  const burst = Math.max(1, Math.floor(rule.burst * Math.max(1, factor)) - 1);
  const intervalMs = Math.max(0.001, 1_000 / (Math.max(1e-6, rule.perSecond) * factor));
  return { kind: 'bucket', intervalMs, burst };
}
