import { randomUUID } from 'node:crypto';

import { nowIso } from '#platform/clock.ts';
import type { Clock } from '#platform/clock.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { ConnectedSystem } from '#schema/model/sources.ts';

import { createAuthorizer } from './auth.ts';
import { bindPorts } from './bind-ports.ts';
import { createAccountBudget } from './budget.ts';
import type { BudgetStore } from './budget.ts';
import { createMemoryBudgets } from './budget-memory.ts';
import { createCaller } from './caller.ts';
import type { CallTrace } from './caller.ts';
import type { ConnectorDefinition } from './definition.ts';
import { createVitals } from './health.ts';
import type { Vitals } from './health.ts';
import { createLanes } from './lanes.ts';
import type { Lanes } from './lanes.ts';
import type { KitLogger, Runtime } from './runtime.ts';
import { shareFlights } from './single-flight.ts';
import { fetchTransport, poolTransport } from './transport.ts';
import type { Transport } from './transport.ts';
import { createWebhookReceiver } from './webhook.ts';

export interface ConnectOptions {
  readonly config: SystemConfig;
  readonly clock: Clock;
  readonly logger: KitLogger;
  /** Called once for every call to the system. */
  readonly trace: (line: CallTrace) => void;
  /** Where the account's limits are counted. @default in this process, for this system */
  readonly budgets?: BudgetStore;
  /** Instead of the kit's own keep-alive connections, for tests. */
  readonly fetch?: typeof fetch;
  /** 0 <= x < 1. @default Math.random */
  readonly random?: () => number;
}

const TIMEOUT_MS = 800;
const FEED_TIMEOUT_MS = 10_000;

/**
 * Everything one configured system offers, by its connector's definition. Opens no connection until the first call.
 * @throws {MortarError} CONFIGURATION_INVALID when options or credentials do not fit the connector
 * @example
 * const crm = connectSystem(crmHubspot, { config, clock: systemClock, logger, trace: () => {} });
 * const [contact] = await crm.profiles!.profilesById(['101'], scope);
 */
export function connectSystem<S>(definition: ConnectorDefinition<S>, options: ConnectOptions): ConnectedSystem {
  const settings = definition.settings(options.config);
  const concurrency = numberOption(options.config, 'concurrency') ?? definition.limits.concurrency;
  const transport = options.fetch === undefined ? poolTransport(concurrency) : fetchTransport(options.fetch);
  const vitals = createVitals(options.clock);
  const lanes = createLanes(concurrency, options.random ?? Math.random);
  const runtime = createRuntime(definition, settings, { ...options, transport, vitals, lanes });
  const webhook = definition.webhook && createWebhookReceiver(definition.webhook, settings, options.clock);
  return {
    system: runtime.system,
    connector: runtime.connector,
    capabilities: definition.capabilities,
    ...bindPorts(definition.ports, runtime),
    ...(webhook && { webhook }),
    health: () => vitals.health(lanes.rests()),
    close: transport.close,
  };
}

function createRuntime<S>(
  definition: ConnectorDefinition<S>,
  settings: S,
  deps: ConnectOptions & { transport: Transport; vitals: Vitals; lanes: Lanes },
): Runtime<S> {
  const { config, clock, transport, vitals } = deps;
  const system = toSystemId(config.id);
  const connector = definition.id;
  const feedSeconds = numberOption(config, 'feedIntervalSeconds');
  return {
    system,
    connector,
    timeoutMs: numberOption(config, 'timeoutMs') ?? TIMEOUT_MS,
    feedTimeoutMs: Math.max(FEED_TIMEOUT_MS, numberOption(config, 'timeoutMs') ?? 0),
    feedIntervalMs: feedSeconds === null ? null : feedSeconds * 1000,
    logger: deps.logger,
    nowMs: clock.nowMs,
    context: () => ({ settings, nowMs: clock.nowMs(), uuid: randomUUID }),
    origin: (lane, freshnessMs) => ({ system, connector, lane, observedAt: nowIso(clock), freshnessMs }),
    unreadable: () => vitals.failed('UPSTREAM_CONTRACT'),
    call: shareFlights(
      createCaller({
        system: config.id,
        baseUrl: config.url,
        pauseMs: definition.limits.pauseMs,
        clock,
        transport,
        authorizer: createAuthorizer(definition.auth, settings, { clock, transport }),
        lanes: deps.lanes,
        budget: createAccountBudget({
          account: config.id,
          rules: definition.limits.rules?.(settings) ?? [],
          factor: numberOption(config, 'rateFactor') ?? 1,
          store: deps.budgets ?? createMemoryBudgets(clock.nowMs),
          nowMs: clock.nowMs,
          ...(definition.limits.observe && { observe: definition.limits.observe }),
        }),
        vitals,
        trace: deps.trace,
        random: deps.random ?? Math.random,
      }),
    ),
  };
}

function numberOption(config: SystemConfig, name: string): number | null {
  const value = config.options[name];
  return typeof value === 'number' ? value : null;
}
