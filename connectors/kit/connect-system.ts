import { randomUUID } from 'node:crypto';

import { nowIso } from '#platform/clock.ts';
import type { Clock } from '#platform/clock.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { ConnectedSystem, OperationClass } from '#schema/model/sources.ts';

import { accountOf } from './account.ts';
import { createAuthorizer } from './auth.ts';
import { bindPorts } from './bind-ports.ts';
import { createAccountBudget } from './budget.ts';
import type { AccountBudget, BudgetStore } from './budget.ts';
import { createMemoryBudgets } from './budget-memory.ts';
import { createCaller } from './caller.ts';
import type { CallTrace } from './caller.ts';
import { declaredPorts } from './declared-ports.ts';
import type { ConnectorDefinition } from './definition.ts';
import { createVitals } from './health.ts';
import type { Vitals } from './health.ts';
import { createMemoryDeliveries } from './delivery-memory.ts';
import type { DeliveryMemory } from './delivery-memory.ts';
import { toUpstreamError } from './failure.ts';
import { createLanes } from './lanes.ts';
import type { Lanes } from './lanes.ts';
import type { Drift, KitLogger, Runtime } from './runtime.ts';
import { readPages } from './pages.ts';
import { shareFlights } from './single-flight.ts';
import { fetchTransport, poolTransport } from './transport.ts';
import type { Transport } from './transport.ts';
import { bindSubscription } from './subscription.ts';
import { createWebhookReceiver } from './webhook.ts';
import type { WebhookDefinition } from './webhook.ts';

export interface ConnectOptions {
  readonly config: SystemConfig;
  readonly clock: Clock;
  readonly logger: KitLogger;
  /** Called once for every call to the system. */
  readonly trace: (line: CallTrace) => void;
  /** Where the limits of all accounts are counted. @default in this process, for this system */
  readonly budgets?: BudgetStore;
  /** Which webhook deliveries were taken already. @default in this process */
  readonly deliveries?: DeliveryMemory;
  /** Called when an answer is not what the vendor promises, though most of it can be read; must not throw. @default nobody is told */
  readonly onDrift?: (drift: Drift) => void;
  /** Instead of the kit's own keep-alive connections, for tests. */
  readonly fetch?: typeof fetch;
  /** 0 <= x < 1. @default Math.random */
  readonly random?: () => number;
}

const TIMEOUT_MS = 800;
/** Nobody waits for a feed's page. */
const FEED_TIMEOUT_MS = 10_000;

/** The option is of a usual call: where a definition knows a slower (or quicker) one, that is scaled by it. */
function timeoutsOf(optionMs: number | null): (operationClass: OperationClass, ownMs?: number) => number {
  const scale = (optionMs ?? TIMEOUT_MS) / TIMEOUT_MS;
  return (operationClass, ownMs) =>
    operationClass === 'feed' ? Math.max(ownMs ?? FEED_TIMEOUT_MS, optionMs ?? 0) : (ownMs ?? TIMEOUT_MS) * scale;
}

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
  const budget = createBudget(definition, settings, options);
  const runtime = createRuntime(definition, settings, { ...options, transport, vitals, lanes, budget });
  const webhook = definition.webhook && bindWebhook(definition.webhook, settings, runtime, options);
  return {
    system: runtime.system,
    connector: runtime.connector,
    capabilities: definition.capabilities,
    ...bindPorts(definition.ports, runtime),
    ...(definition.check && { check: bindCheck(definition.check, runtime) }),
    ...webhook,
    ports: declaredPorts(definition.ports),
    health: () => {
      const breakers = lanes.breakers();
      return { ...vitals.health(breakers), breakers };
    },
    budget: budget.report,
    close: transport.close,
  };
}

/** The check as the port's: it answers, in the shape of the vendor, to our credentials. */
function bindCheck<S>(
  { request, page }: NonNullable<ConnectorDefinition<S>['check']>,
  runtime: Runtime<S>,
): NonNullable<ConnectedSystem['check']> {
  return async (scope) => {
    const first = request(runtime.context());
    try {
      await readPages(runtime, { first, page, more: undefined, timeoutMs: undefined }, scope);
    } catch (thrown) {
      throw toUpstreamError(thrown, runtime.system, first.operation);
    }
  };
}

// oxlint-disable-next-line max-params -- what the vendor says, with which settings, over what
function bindWebhook<S>(
  definition: WebhookDefinition<S>,
  settings: S,
  runtime: Runtime<S>,
  { clock, deliveries = createMemoryDeliveries(clock) }: ConnectOptions,
): Pick<ConnectedSystem, 'webhook' | 'webhookSubscription'> {
  const webhook = createWebhookReceiver(definition, settings, { system: runtime.system, clock, deliveries });
  if (webhook === null) return {};
  const { subscription } = definition;
  return { webhook, ...(subscription && { webhookSubscription: bindSubscription(subscription, runtime) }) };
}

function createRuntime<S>(
  definition: ConnectorDefinition<S>,
  settings: S,
  deps: ConnectOptions & { transport: Transport; vitals: Vitals; lanes: Lanes; budget: AccountBudget },
): Runtime<S> {
  const { config, clock, transport, vitals } = deps;
  const system = toSystemId(config.id);
  const connector = definition.id;
  const feedSeconds = numberOption(config, 'feedIntervalSeconds');
  return {
    system,
    connector,
    timeoutOf: timeoutsOf(numberOption(config, 'timeoutMs')),
    feedIntervalMs: feedSeconds === null ? null : feedSeconds * 1000,
    logger: deps.logger,
    nowMs: clock.nowMs,
    context: () => ({ settings, nowMs: clock.nowMs(), uuid: randomUUID }),
    origin: (lane, freshnessMs) => ({ system, connector, lane, observedAt: nowIso(clock), freshnessMs }),
    unreadable: vitals.misread,
    drifted: (operation, kind) => deps.onDrift?.({ system, operation, kind }),
    call: shareFlights(
      createCaller({
        system: config.id,
        baseUrl: config.url,
        pauseMs: definition.limits.pauseMs,
        clock,
        transport,
        authorizer: createAuthorizer(definition.auth, settings, { clock, transport }),
        lanes: deps.lanes,
        budget: deps.budget,
        vitals,
        trace: deps.trace,
        random: deps.random ?? Math.random,
      }),
      { system: config.id, clock },
    ),
  };
}

function createBudget<S>(
  { limits, auth }: ConnectorDefinition<S>,
  settings: S,
  { config, clock, budgets }: ConnectOptions,
): AccountBudget {
  return createAccountBudget({
    account: accountOf(auth, settings, config),
    rules: limits.rules?.(settings) ?? [],
    factor: numberOption(config, 'rateFactor') ?? 1,
    store: budgets ?? createMemoryBudgets(clock.nowMs),
    nowMs: clock.nowMs,
    ...(limits.observe && { observe: limits.observe }),
  });
}

function numberOption(config: SystemConfig, name: string): number | null {
  const value = config.options[name];
  return typeof value === 'number' ? value : null;
}
