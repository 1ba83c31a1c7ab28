import type { Config } from './config-schema.ts';
import type { GraphDeps } from './graph.ts';
import type { State } from './state.ts';
import { type Catalog, createCatalog } from '#domain/catalog/catalog.ts';
import { createConsentDeciders } from '#domain/consent/deciders.ts';
import { createConsentService } from '#domain/consent/service.ts';
import { createCustomerDirectory } from '#domain/identity/customer-directory.ts';
import { createCustomerChanges } from '#domain/identity/customer-changes.ts';
import { createMatchKeys } from '#domain/identity/match-keys.ts';
import { createProfileReader } from '#domain/identity/customer-values.ts';
import { createProfileWriter } from '#domain/identity/profile-writer.ts';
import { createLoyaltySink, createProfileSink } from '#domain/identity/sinks.ts';
import { createOrderDirectory } from '#domain/order/order-directory.ts';
import { createOrderSink } from '#domain/order/order-sink.ts';
import { createOrderValueReader } from '#domain/order/order-values.ts';
import { createStock, type Stock } from '#domain/stock/stock.ts';
import { type Changes, createChanges } from '#platform/changes.ts';
import type { Cursors } from '#platform/cursors.ts';
import { MortarError } from '#platform/errors.ts';
import { openRedisChanges } from '#platform/redis-changes.ts';
import { createRedisDoor } from '#platform/redis.ts';
import { createMemoryCache, createSharedCache, type ValueCache } from '#platform/value-cache.ts';
import type { SystemId } from '#schema/model/ids.ts';
import type { ConnectedSystem } from '#schema/model/sources.ts';

/** What every domain is made of. */
export interface Bound {
  readonly config: Config;
  readonly deps: GraphDeps;
  readonly state: State;
  readonly systems: readonly ConnectedSystem[];
  readonly cursors: Cursors;
  readonly changes: Changes;
}

/** What changed, told in this process and, with Redis, in all of them. */
export function changesOf({ config, deps, state }: Pick<Bound, 'config' | 'deps' | 'state'>): Changes {
  const { redisUrl: url } = config;
  const { logger } = deps;
  const onState = ({ up, reason }: { readonly up: boolean; readonly reason: string }): void => {
    if (up) logger.info({ reason }, 'changes are told between processes');
    else logger.warn({ reason }, 'changes are told in this process alone');
  };
  return createChanges({
    key: state.keys.changes,
    ...(url === null ? {} : { openLink: (events) => openRedisChanges({ url, onState, ...events }) }),
  });
}

const CACHE_BYTES = 32 * 1024 * 1024;

export interface BoundCatalog {
  readonly catalog: Catalog;
  readonly cache: ValueCache;
  readonly close: () => Promise<void>;
}

/** Catalog with its value cache: in memory, and shared over Redis where there is one. */
export function catalogOf({ config, deps, state, systems }: Bound): BoundCatalog {
  const { clock, logger } = deps;
  const memory = createMemoryCache(CACHE_BYTES);
  const redis =
    config.redisUrl === null
      ? null
      : createRedisDoor({
          url: config.redisUrl,
          onState: ({ up, reason }) =>
            (up ? logger.info : logger.warn)({ reason }, up ? 'Redis is back' : 'Redis is away'),
        });
  const cache = redis === null ? memory : createSharedCache({ memory, redis });
  const { channels, catalogSystem, codePrefixes, currency } = config.retail;
  if (!systems.some(({ system }) => system === catalogSystem)) {
    throw new MortarError('CONFIGURATION_INVALID', {
      message: `retail.catalogSystem names "${catalogSystem}", which is no configured system: name the system whose items are the products`,
    });
  }
  const catalog = createCatalog({
    database: state.database,
    clock,
    cache,
    channels,
    systems,
    canonicalSystem: catalogSystem,
    codePrefixes,
    currency,
  });
  return { catalog, cache, close: async () => redis?.close() };
}

export function stockOf({ config, deps, state, systems, changes }: Bound, { catalog, cache }: BoundCatalog): Stock {
  return createStock({
    database: state.database,
    clock: deps.clock,
    cache,
    catalog,
    retail: config.retail,
    systems,
    onChange: (skus) => changes.publish('stock', skus),
    onWriteError: (error) => deps.logger.warn({ err: error }, 'last-seen stock could not be stored'),
  });
}

export type BoundIdentity = ReturnType<typeof identityOf>;

/** Customers over every system with profiles. */
export function identityOf({ config, deps, state, systems, cursors, changes }: Bound) {
  const { database, subjects, cipher, keys } = state;
  const { clock } = deps;
  const { country } = config.retail;
  const matchKeys = createMatchKeys(keys.idHash);
  const readable = new Set(systems.filter(({ profiles }) => profiles !== undefined).map(({ system }) => system));
  const writer = createProfileWriter({
    subjects,
    cipher,
    matchKeys,
    clock,
    country,
    // What cannot be read again at request time must be kept.
    keepsSnapshot: ({ kind, system }) => kind !== 'PROFILE' || !readable.has(system),
  });
  const tellChange = createCustomerChanges({
    database,
    changes,
    onError: (error) => deps.logger.warn({ err: error }, 'all watchers of customers are told to look again'),
  });
  const directory = createCustomerDirectory({ database, matchKeys, cursors, country });
  const profiles = createProfileReader({
    database,
    cipher,
    profileSources: systems.flatMap((entry) => entry.profiles ?? []),
    loyaltySources: systems.flatMap((entry) => entry.loyalty ?? []),
  });
  return {
    writer,
    directory,
    profiles,
    trusted: byTrust(systems),
    tellChange,
    profileSink: createProfileSink({ database, clock, writer, onChanged: tellChange }),
    loyaltySink: createLoyaltySink({ database, clock, writer, subjects, matchKeys, country, onChanged: tellChange }),
  };
}

/** A system kept for people is trusted about them before one that meets them in passing. */
const PROFILE_TRUST = ['crm', 'loyalty', 'pos', 'storefront', 'marketplace'];

function byTrust(systems: readonly ConnectedSystem[]): readonly SystemId[] {
  const rankOf = ({ connector }: ConnectedSystem): number => {
    const rank = PROFILE_TRUST.indexOf(connector.split('-')[0] ?? '');
    return rank === -1 ? PROFILE_TRUST.length : rank;
  };
  return systems.toSorted((a, b) => rankOf(a) - rankOf(b)).map(({ system }) => system);
}

export type BoundOrder = ReturnType<typeof orderOf>;

/** Orders of every system that has them. */
export function orderOf(
  bound: Bound,
  { catalog, identity }: { readonly catalog: BoundCatalog; readonly identity: BoundIdentity },
) {
  const { config, deps, state, systems, cursors } = bound;
  const { database, subjects, cipher } = state;
  const readable = new Set(systems.filter(({ orders }) => orders !== undefined).map(({ system }) => system));
  const recipients = config.retail.recipients.flatMap(({ id, system }) => (system === undefined ? [] : [[system, id]]));
  const sink = createOrderSink({
    database,
    clock: deps.clock,
    subjects,
    profiles: identity.writer,
    cipher,
    policy: {
      precedence: systems.map(({ system }) => system),
      recipients: Object.fromEntries(recipients),
      returnDays: config.retail.returnDays,
    },
    keepsSnapshot: ({ system }) => !readable.has(system),
    onChanged: identity.tellChange,
  });
  return {
    sink,
    directory: createOrderDirectory({ database, cursors, identity: identity.directory }),
    values: createOrderValueReader({
      database,
      cipher,
      sources: systems.flatMap((entry) => entry.orders ?? []),
      precedence: systems.map(({ system }) => system),
      skus: catalog.catalog.crosswalk,
    }),
  };
}

export type BoundConsent = ReturnType<typeof consentOf>;

export function consentOf({ config, deps, state }: Bound, { directory, tellChange }: BoundIdentity) {
  const { database, cipher } = state;
  return {
    deciders: createConsentDeciders({
      database,
      subjects: directory,
      onFailure: (error, { requestId }) =>
        deps.logger.error({ err: error, requestId }, 'the consent ledger did not answer'),
      ...(deps.onDecisionRead === undefined ? {} : { onRead: deps.onDecisionRead }),
    }),
    service: createConsentService({
      database,
      members: directory,
      cipher,
      recipients: config.retail.recipients.map(({ id }) => id),
      onDecided: tellChange,
    }),
  };
}
