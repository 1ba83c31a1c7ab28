import { randomUUID } from 'node:crypto';

import { nowIso } from '#platform/clock.ts';
import type { Clock } from '#platform/clock.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';
import type { Provenance } from '#schema/model/figures.ts';
import { toSystemId } from '#schema/model/ids.ts';
import type { SystemId } from '#schema/model/ids.ts';
import type { ItemRecord, LoyaltyRecord, ProfileRecord, StockReading } from '#schema/model/records.ts';
import type { ConnectedSystem, LocationSource } from '#schema/model/sources.ts';

import { createAuthorizer } from './auth.ts';
import { bindBatchRead } from './batch.ts';
import { createAccountBudget } from './budget.ts';
import type { BudgetStore } from './budget.ts';
import { createMemoryBudgets } from './budget-memory.ts';
import { createCaller } from './caller.ts';
import type { CallTrace } from './caller.ts';
import type { ConnectorDefinition, LocationsDefinition, Ports } from './definition.ts';
import { seal, sealLocation, sealOrder } from './draft.ts';
import type { Draft, Origin } from './draft.ts';
import { toUpstreamError } from './failure.ts';
import { bindFeed } from './feed.ts';
import { createVitals } from './health.ts';
import type { Vitals } from './health.ts';
import { createLanes } from './lanes.ts';
import type { Lanes } from './lanes.ts';
import { readPages } from './pages.ts';
import type { KitLogger, Runtime } from './runtime.ts';
import { shareFlights } from './single-flight.ts';
import { fetchTransport, poolTransport } from './transport.ts';
import type { Transport } from './transport.ts';

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
  return {
    system: runtime.system,
    connector: runtime.connector,
    capabilities: definition.capabilities,
    ...bindPorts(definition.ports, runtime),
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

function bindPorts<S>(
  ports: Ports<S>,
  runtime: Runtime<S>,
): Omit<ConnectedSystem, 'system' | 'connector' | 'capabilities' | 'health' | 'close'> {
  const { system, connector } = runtime;
  const named = { system, connector };
  return {
    ...(ports.items && { items: { ...named, itemsByCode: bindBatchRead(ports.items, runtime, seal<ItemRecord>) } }),
    ...(ports.stock && {
      stock: { ...named, stockByItem: bindBatchRead(ports.stock, runtime, sealAll<StockReading>) },
    }),
    ...(ports.locations && { locations: bindLocations(ports.locations, runtime) }),
    ...(ports.profiles && {
      profiles: { ...named, profilesById: bindBatchRead(ports.profiles, runtime, seal<ProfileRecord>) },
    }),
    ...(ports.loyalty && {
      loyalty: { ...named, loyaltyByCustomer: bindBatchRead(ports.loyalty, runtime, sealAll<LoyaltyRecord>) },
    }),
    ...(ports.orders && { orders: { ...named, ordersById: bindBatchRead(ports.orders, runtime, sealOrder) } }),
    ...(ports.itemFeed && { itemFeed: bindFeed(ports.itemFeed, runtime, seal<ItemRecord>) }),
    ...(ports.stockFeed && { stockFeed: bindFeed(ports.stockFeed, runtime, seal<StockReading>) }),
    ...(ports.profileFeed && { profileFeed: bindFeed(ports.profileFeed, runtime, seal<ProfileRecord>) }),
    ...(ports.loyaltyFeed && { loyaltyFeed: bindFeed(ports.loyaltyFeed, runtime, seal<LoyaltyRecord>) }),
    ...(ports.orderFeed && { orderFeed: bindFeed(ports.orderFeed, runtime, sealOrder) }),
  };
}

function sealAll<V extends { readonly system: SystemId; readonly provenance: Provenance }>(
  drafts: readonly Draft<V>[],
  origin: Origin,
): readonly V[] {
  return drafts.map((draft) => seal(draft, origin));
}

// The page type is the definition's own affair.
// eslint-disable-next-line typescript/no-explicit-any
function bindLocations<S>(definition: LocationsDefinition<S, any>, runtime: Runtime<S>): LocationSource {
  const { system, connector } = runtime;
  return {
    system,
    connector,
    locations: async (scope) => {
      const context = runtime.context();
      const first = definition.request(context);
      try {
        const more = definition.more;
        const next = more && ((body: unknown, previous: typeof first) => more(body, previous, context));
        const bodies = await readPages(runtime, { first, page: definition.page, more: next }, scope);
        return definition.decode(bodies, context).map((draft) => sealLocation(draft, system));
      } catch (thrown) {
        throw toUpstreamError(thrown, system, first.operation);
      }
    },
  };
}

function numberOption(config: SystemConfig, name: string): number | null {
  const value = config.options[name];
  return typeof value === 'number' ? value : null;
}
