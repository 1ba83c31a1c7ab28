import { findMissingPorts } from './config-references.ts';
import type { Config } from './config-schema.ts';
import { connectorOf, withRetailDefaults } from './connectors.ts';
import type { Feeds } from './feeds.ts';
import type { GraphDeps, SystemReport } from './graph.ts';
import type { BudgetStore } from '#connectors/kit/budget.ts';
import { createMemoryBudgets } from '#connectors/kit/budget-memory.ts';
import { createRedisBudgets } from '#connectors/kit/budget-redis.ts';
import { createSharedDeliveries, type DeliveryMemory } from '#connectors/kit/delivery-memory.ts';
import { connectSystem } from '#connectors/kit/connect-system.ts';
import { MortarError } from '#platform/errors.ts';
import { createRedisDoor, type RedisDoor } from '#platform/redis.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';
import type { ConnectedSystem } from '#schema/model/sources.ts';

const BUDGET_TIMEOUT_MS = 250;

/** What processes over one Redis know together of their systems. */
export interface SharedKnowledge {
  /** How much of the vendors' limits was used. */
  readonly budgets: BudgetStore;
  /** Which webhook deliveries were taken. */
  readonly deliveries: DeliveryMemory;
  /** What else they tell each other. */
  readonly door: RedisDoor;
}

/** Null without Redis: each process counts and remembers for itself. */
export function openSharedKnowledge({ redisUrl }: Config, { clock, logger }: GraphDeps): SharedKnowledge | null {
  if (redisUrl === null) return null;
  const door = createRedisDoor({
    url: redisUrl,
    // A slow count is better than each process counting for itself.
    commandTimeoutMs: BUDGET_TIMEOUT_MS,
    onState: ({ up, reason }) => {
      if (!up) logger.warn({ reason }, 'vendor limits are counted and deliveries remembered in this process alone');
    },
  });
  return { budgets: createRedisBudgets(door, clock.nowMs), deliveries: createSharedDeliveries(door, clock), door };
}

/** Binds every configured system, in configured order; opens no connection. @throws {MortarError} CONFIGURATION_INVALID */
export function connectSystems(
  config: Config,
  { clock, logger, onUpstreamCall, onDrift }: GraphDeps,
  shared: SharedKnowledge | null = null,
): readonly ConnectedSystem[] {
  const { systems, retail } = config;
  // Two systems may be one account at their vendor.
  const known = shared ?? { budgets: createMemoryBudgets(clock.nowMs) };
  const bind = (system: SystemConfig): ConnectedSystem =>
    connectSystem(connectorOf(system), {
      config: withRetailDefaults(system, retail),
      clock,
      logger,
      ...known,
      ...(onDrift && { onDrift }),
      trace(line) {
        logger.debug(line, 'upstream call');
        onUpstreamCall({
          system: line.system,
          operation: line.operation,
          status: line.errorCode ?? 'ok',
          elapsedMs: line.elapsedMs,
        });
      },
    });
  const connected = systems.map(bind);
  const missing = findMissingPorts(config, connected);
  if (missing.length === 0) return connected;
  throw new MortarError('CONFIGURATION_INVALID', { message: missing.map(({ message }) => message).join('\n') });
}

/** What the start-up summary and /readyz show: known without asking anybody. */
export function reportSystems(
  { systems: configured }: Config,
  systems: readonly ConnectedSystem[],
  feeds: Feeds,
): readonly SystemReport[] {
  const urls = new Map(configured.map(({ id, url }) => [id, url]));
  return systems.map((entry) => ({
    id: entry.system,
    connector: entry.connector,
    url: urls.get(entry.system) ?? '',
    state: entry.health().state,
    lagSeconds: feeds.lagSeconds(entry.system),
  }));
}
