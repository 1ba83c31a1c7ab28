import type { Config } from './config-schema.ts';
import type { Feeds } from './feeds.ts';
import type { GraphDeps, SystemReport } from './graph.ts';
import { carrierShipengine } from '#connectors/carrier-shipengine/connector.ts';
import { crmHubspot } from '#connectors/crm-hubspot/connector.ts';
import { emailKlaviyo } from '#connectors/email-klaviyo/connector.ts';
import { erpBusinessCentral } from '#connectors/erp-business-central/connector.ts';
import type { BudgetStore } from '#connectors/kit/budget.ts';
import { createRedisBudgets } from '#connectors/kit/budget-redis.ts';
import { connectSystem, type ConnectOptions } from '#connectors/kit/connect-system.ts';
import { marketplaceAmazon } from '#connectors/marketplace-amazon/connector.ts';
import { posSquare } from '#connectors/pos-square/connector.ts';
import { socialPinterest } from '#connectors/social-pinterest/connector.ts';
import { wmsConnect } from '#connectors/wms-connect/connector.ts';
import type { Crosswalk } from '#domain/catalog/crosswalk.ts';
import type { SystemStatusSource } from '#domain/catalog/system-status.ts';
import { MortarError } from '#platform/errors.ts';
import { createRedisDoor } from '#platform/redis.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';
import type { ConnectedSystem } from '#schema/model/sources.ts';

type Connect = (options: ConnectOptions) => ConnectedSystem;

/** Every connector by the name a configuration uses. */
const CONNECTORS: Readonly<Record<string, Connect>> = {
  'erp-business-central': (options) => connectSystem(erpBusinessCentral, options),
  'wms-connect': (options) => connectSystem(wmsConnect, options),
  'pos-square': (options) => connectSystem(posSquare, options),
  'crm-hubspot': (options) => connectSystem(crmHubspot, options),
  'marketplace-amazon': (options) => connectSystem(marketplaceAmazon, options),
  'carrier-shipengine': (options) => connectSystem(carrierShipengine, options),
  'email-klaviyo': (options) => connectSystem(emailKlaviyo, options),
  'social-pinterest': (options) => connectSystem(socialPinterest, options),
};

/** Where the processes of one Redis count the vendors' limits together; null without Redis: each system counts for itself. */
export function openBudgets({ redisUrl }: Config, { clock, logger }: GraphDeps): BudgetStore | null {
  if (redisUrl === null) return null;
  const door = createRedisDoor({
    url: redisUrl,
    onState: ({ up, reason }) => {
      if (!up) logger.warn({ reason }, 'vendor limits are counted in this process alone');
    },
  });
  return createRedisBudgets(door, clock.nowMs);
}

/** Binds every configured system, in configured order; opens no connection. @throws {MortarError} CONFIGURATION_INVALID */
export function connectSystems(
  { systems }: Config,
  { clock, logger, onUpstreamCall }: GraphDeps,
  budgets: BudgetStore | null = null,
): readonly ConnectedSystem[] {
  const bind = (config: SystemConfig): ConnectedSystem => {
    const connect = Object.hasOwn(CONNECTORS, config.connector) ? CONNECTORS[config.connector] : undefined;
    if (connect === undefined) {
      throw new MortarError('CONFIGURATION_INVALID', {
        message: `system ${config.id} names the unknown connector "${config.connector}"; known are ${Object.keys(CONNECTORS).join(', ')}`,
      });
    }
    return connect({
      config,
      clock,
      logger,
      ...(budgets && { budgets }),
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
  };
  return systems.map(bind);
}

export interface SystemStatusOptions {
  readonly config: Config;
  readonly systems: readonly ConnectedSystem[];
  readonly feeds: Feeds;
  readonly crosswalk: Crosswalk;
}

/** Joins what the kit saw, how far the feeds are and what the crosswalk could not match. */
export function createSystemStatus(
  options: SystemStatusOptions,
): SystemStatusSource & { readonly reports: () => readonly SystemReport[] } {
  const { config, systems, feeds, crosswalk } = options;
  const urls = new Map(config.systems.map(({ id, url }) => [id, url]));
  return {
    async systems() {
      const unmatched = await crosswalk.unmatchedCounts();
      return systems.map((entry) => ({
        id: entry.system,
        connector: entry.connector,
        state: entry.health().state,
        lagSeconds: feeds.lagSeconds(entry.system),
        capabilities: entry.capabilities,
        unmatchedItems: unmatched.get(entry.system) ?? 0,
      }));
    },
    reports: () =>
      systems.map((entry) => ({
        id: entry.system,
        connector: entry.connector,
        url: urls.get(entry.system) ?? '',
        state: entry.health().state,
        lagSeconds: feeds.lagSeconds(entry.system),
      })),
  };
}
