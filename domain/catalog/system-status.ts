import type { BreakerState, OperationClass, PortName } from '#schema/model/sources.ts';

/** What is known of one connected system; the composition root joins connector, feeds, crosswalk and quarantine. */
export interface SystemStatus {
  readonly id: string;
  readonly connector: string;
  readonly state: 'UP' | 'DEGRADED' | 'DOWN';
  /** Code of the last failed call of the last minute; null: none failed. */
  readonly lastErrorCode: string | null;
  /** Seconds since the slowest feed was last brought up to date; null: no feed, or one that never was. */
  readonly lagSeconds: number | null;
  readonly capabilities: readonly string[];
  /** The capabilities that ask, and those that change something. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Items of the system that stand for no product. */
  readonly unmatchedItems: number;
  /** Items whose price is in a currency no channel of the system's prices sells in. */
  readonly wrongCurrencyItems: number;
  readonly feeds: readonly FeedLag[];
  readonly breakers: Readonly<Record<OperationClass, BreakerState>>;
  /** ISO 8601; null: calls are not paused. */
  readonly pausedUntil: string | null;
  readonly budgets: readonly BudgetLine[];
  readonly coverage: readonly PortCoverage[];
  /** Stock figures quarantined now. */
  readonly quarantinedRows: number;
  /** Newest first, at most 20. */
  readonly quarantine: readonly QuarantineLine[];
}

export interface FeedLag {
  readonly name: string;
  readonly loaded: boolean;
  /** Null: never complete. */
  readonly lagSeconds: number | null;
  /** Rows left out because they could not be read. */
  readonly leftOutRows: number;
}

export interface BudgetLine {
  readonly name: string;
  readonly operations: readonly string[];
  readonly limit: number;
  readonly periodSeconds: number;
  readonly left: number;
  /** ISO 8601. */
  readonly resetsAt: string;
}

/** Where a value of the port comes from now. LIVE: asked while the request runs. SNAPSHOT: as the feed last said. MISSING: from nowhere. */
export type Coverage = 'LIVE' | 'SNAPSHOT' | 'MISSING';

export interface PortCoverage {
  readonly port: PortName;
  readonly coverage: Coverage;
  readonly freshnessSeconds: number | null;
  readonly nets: readonly string[];
}

export interface QuarantineLine {
  readonly code: string;
  readonly location: string;
  readonly reason: string;
  /** ISO 8601. */
  readonly asOf: string;
}

/** Port: every configured system, in configured order. */
export interface SystemStatusSource {
  readonly systems: () => Promise<readonly SystemStatus[]>;
}
