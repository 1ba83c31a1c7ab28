import { Gauge, type Registry } from 'prom-client';

/** What the metrics show of one connected system. */
export interface SystemFacts {
  readonly id: string;
  readonly state: 'UP' | 'DEGRADED' | 'DOWN';
  readonly feeds: readonly {
    readonly name: string;
    readonly lagSeconds: number | null;
    readonly leftOutRows: number;
  }[];
  /** By operation class. */
  readonly breakers: Readonly<Record<string, 'CLOSED' | 'HALF_OPEN' | 'OPEN'>>;
  readonly budgets: readonly { readonly name: string; readonly limit: number; readonly left: number }[];
  readonly unmatchedItems: number;
  readonly wrongCurrencyItems: number;
  readonly quarantinedRows: number;
}

const STATES = { UP: 1, DEGRADED: 0.5, DOWN: 0 } as const;
const BREAKERS = { CLOSED: 0, HALF_OPEN: 1, OPEN: 2 } as const;

/**
 * Gauges of the connected systems. The returned function brings them up to date: call it before each scrape. While the
 * systems' state cannot be read (the database is away) the gauges are absent, rather than what they were.
 */
export function addSystemMetrics(registry: Registry, read: () => Promise<readonly SystemFacts[]>): () => Promise<void> {
  const gauges = createGauges(registry);
  return async () => {
    let systems: readonly SystemFacts[] = [];
    try {
      systems = await read();
    } finally {
      for (const gauge of Object.values(gauges)) gauge.reset();
      for (const facts of systems) show(gauges, facts);
    }
  };
}

function createGauges(registry: Registry) {
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> =>
    new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] });
  return {
    state: gauge('mortar_system_state', 'A connected system: 1 up, 0.5 degraded, 0 down.', ['system']),
    lag: gauge('mortar_feed_lag_seconds', 'How far what a feed keeps lags behind its system.', ['system', 'feed']),
    leftOut: gauge('mortar_feed_left_out_rows', 'Rows of a feed that could not be read.', ['system', 'feed']),
    breaker: gauge('mortar_breaker_state', 'A breaker: 0 closed, 1 half-open, 2 open.', ['system', 'class']),
    limit: gauge('mortar_budget_limit', 'Calls or credits a rate of the vendor allows.', ['system', 'rate']),
    left: gauge('mortar_budget_left', 'Calls or credits left of a rate now.', ['system', 'rate']),
    unmatched: gauge('mortar_unmatched_items', 'Items that stand for no product.', ['system']),
    wrongCurrency: gauge(
      'mortar_wrong_currency_items',
      'Items whose price is in another currency than its channels sell in.',
      ['system'],
    ),
    quarantined: gauge('mortar_quarantined_rows', 'Stock figures that cannot be true and are not offered.', ['system']),
  };
}

function show(gauges: ReturnType<typeof createGauges>, facts: SystemFacts): void {
  const system = facts.id;
  gauges.state.set({ system }, STATES[facts.state]);
  gauges.unmatched.set({ system }, facts.unmatchedItems);
  gauges.wrongCurrency.set({ system }, facts.wrongCurrencyItems);
  gauges.quarantined.set({ system }, facts.quarantinedRows);
  for (const { name, lagSeconds, leftOutRows } of facts.feeds) {
    if (lagSeconds !== null) gauges.lag.set({ system, feed: name }, lagSeconds);
    gauges.leftOut.set({ system, feed: name }, leftOutRows);
  }
  for (const [name, state] of Object.entries(facts.breakers)) {
    gauges.breaker.set({ system, class: name }, BREAKERS[state]);
  }
  for (const { name, limit, left } of facts.budgets) {
    gauges.limit.set({ system, rate: name }, limit);
    gauges.left.set({ system, rate: name }, left);
  }
}
