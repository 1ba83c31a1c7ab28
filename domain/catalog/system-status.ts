/** What is known of one connected system; the composition root joins connector health, feed lags and the crosswalk. */
export interface SystemStatus {
  readonly id: string;
  readonly connector: string;
  readonly state: 'UP' | 'DEGRADED' | 'DOWN';
  /** Seconds since the slowest feed was last brought up to date; null: no feed, or none that ever ran. */
  readonly lagSeconds: number | null;
  readonly capabilities: readonly string[];
  /** Items of the system that stand for no product. */
  readonly unmatchedItems: number;
}

/** Port: every configured system, in configured order. */
export interface SystemStatusSource {
  readonly systems: () => Promise<readonly SystemStatus[]>;
}
