import type { Crosswalk } from '#domain/catalog/crosswalk.ts';
import type {
  Coverage,
  FeedLag,
  PortCoverage,
  SystemStatus,
  SystemStatusSource,
} from '#domain/catalog/system-status.ts';
import type { PriceCurrencies } from '#domain/catalog/price-currencies.ts';
import type { StockQuarantine, SystemQuarantine } from '#domain/stock/quarantine.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { type FeedState, readFeedStates } from '#platform/feed-cursors.ts';
import type { ConnectedSystem, DeclaredPort, SystemHealth } from '#schema/model/sources.ts';

export interface SystemStatusOptions {
  readonly systems: readonly ConnectedSystem[];
  readonly database: Database;
  readonly clock: Clock;
  readonly crosswalk: Pick<Crosswalk, 'unmatchedCounts'>;
  readonly currencies: Pick<PriceCurrencies, 'wrongItems'>;
  readonly quarantine: StockQuarantine;
}

/**
 * Joins what the kit saw, how far the feeds are (whichever process runs them), what the crosswalk could not match and what
 * is quarantined. Never asks a system. Cost: four reads of the database for all systems, and one of Redis a system.
 */
export function createSystemStatus(options: SystemStatusOptions): SystemStatusSource {
  const { systems, database, clock, crosswalk, currencies, quarantine } = options;
  return {
    async systems() {
      const [unmatched, wrongCurrency, states, quarantined] = await Promise.all([
        crosswalk.unmatchedCounts(),
        currencies.wrongItems(),
        readFeedStates(database),
        quarantine.bySystem(),
      ]);
      return await Promise.all(
        systems.map((entry) =>
          statusOf(entry, {
            nowMs: clock.nowMs(),
            states: states.filter(({ system }) => system === entry.system),
            unmatchedItems: unmatched.get(entry.system) ?? 0,
            wrongCurrencyItems: wrongCurrency.get(entry.system) ?? 0,
            quarantined: quarantined.get(entry.system) ?? { rows: 0, recent: [] },
          }),
        ),
      );
    },
  };
}

interface Known {
  readonly nowMs: number;
  readonly states: readonly FeedState[];
  readonly unmatchedItems: number;
  readonly wrongCurrencyItems: number;
  readonly quarantined: SystemQuarantine;
}

/** Signals have no directory yet: nobody runs their feed, so it cannot lag. */
const UNKEPT = 'signals';

async function statusOf(entry: ConnectedSystem, known: Known): Promise<SystemStatus> {
  const health = entry.health();
  const budget = await entry.budget();
  const feeds = entry.ports.flatMap(({ port, feed }) => (feed === null || port === UNKEPT ? [] : lagOf(feed, known)));
  const lags = feeds.map(({ lagSeconds }) => lagSeconds);
  const isWrite = (capability: string): boolean => !/:(read|feed|witness)$/.test(capability);
  return {
    id: entry.system,
    connector: entry.connector,
    state: health.state,
    lastErrorCode: health.lastErrorCode,
    breakers: health.breakers,
    lagSeconds: lags.length === 0 || lags.includes(null) ? null : Math.max(...lags.map(Number)),
    capabilities: entry.capabilities,
    reads: entry.capabilities.filter((capability) => !isWrite(capability)),
    writes: entry.capabilities.filter(isWrite),
    unmatchedItems: known.unmatchedItems,
    wrongCurrencyItems: known.wrongCurrencyItems,
    feeds,
    pausedUntil: budget.pausedUntilMs === null ? null : isoOf(budget.pausedUntilMs),
    budgets: budget.rates.map(({ periodMs, resetsAtMs, ...rate }) => ({
      ...rate,
      periodSeconds: periodMs / 1000,
      resetsAt: isoOf(resetsAtMs),
    })),
    coverage: entry.ports.map((port) => coverageOf(port, health, feeds)),
    quarantinedRows: known.quarantined.rows,
    quarantine: known.quarantined.recent.map(({ code, locationExternalId, reason, asOfMs }) => ({
      code,
      location: locationExternalId,
      reason,
      asOf: isoOf(asOfMs),
    })),
  };
}

function lagOf(feed: string, { states, nowMs }: Known): FeedLag {
  const state = states.find((entry) => entry.feed === feed);
  const completedAtMs = state?.completedAtMs ?? null;
  return {
    name: feed,
    loaded: state?.loaded ?? false,
    lagSeconds: completedAtMs === null ? null : Math.max(0, Math.round((nowMs - completedAtMs) / 1000)),
    leftOutRows: state?.leftOut ?? 0,
  };
}

/** Pure: what would answer for the port now. While reads rest or all fail, what a feed keeps stands in for them. */
function coverageOf(
  port: DeclaredPort,
  { breakers, readsFail }: SystemHealth,
  feeds: readonly FeedLag[],
): PortCoverage {
  const kept = feeds.some(({ name, loaded }) => name === port.feed && loaded);
  const standIn: Coverage = kept ? 'SNAPSHOT' : 'MISSING';
  return {
    port: port.port,
    coverage: port.live && breakers.read !== 'OPEN' && !readsFail ? 'LIVE' : standIn,
    freshnessSeconds: port.freshnessMs === null ? null : port.freshnessMs / 1000,
    nets: port.nets,
  };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
