import { randomUUID } from 'node:crypto';

import { connectorOf } from '#gateway/connectors.ts';
import type { BudgetStore } from '#connectors/kit/budget.ts';
import type { CallTrace } from '#connectors/kit/caller.ts';
import { connectSystem } from '#connectors/kit/connect-system.ts';
import type { Clock } from '#platform/clock.ts';
import { MortarError } from '#platform/errors.ts';
import { silentLogger } from '#platform/log.ts';
import type { SystemConfig } from '#schema/model/configuration.ts';
import { toSku } from '#schema/model/ids.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { ServicePointQuery } from '#schema/model/shipping.ts';
import type { BudgetReport, ConnectedSystem, FeedSource, PortName, Slot } from '#schema/model/sources.ts';

/** One port that was asked once. */
export interface Probe {
  /** `credentials`: the cheapest read of no key, where no port has one. */
  readonly port: PortName | 'credentials';
  readonly how: 'live' | 'feed';
  /** Null: it answered. */
  readonly failure: MortarError | null;
}

/** What a system answered to a few reads. Values are kept for as long as the check runs and never shown. */
export interface ProbedSystem {
  readonly config: SystemConfig;
  readonly system: ConnectedSystem;
  readonly probes: Probe[];
  /** Every call made. */
  readonly calls: CallTrace[];
  readonly budgetBefore: BudgetReport;
  /** Codes and ids to ask for, by what was seen. */
  readonly items: { readonly code: string; readonly externalId: string }[];
  readonly profileIds: string[];
  readonly orderIds: string[];
  /** The system's own ids of its places; null: it describes none, or could not be asked. */
  places: readonly string[] | null;
  /** Places its stock was stated for. */
  readonly stockPlaces: Set<string>;
}

export interface ProbeOptions {
  readonly clock: Clock;
  /** Shared limits, so that the check takes its calls from what the gateway may make; null: counted here. */
  readonly budgets: BudgetStore | null;
  /** Ends every call. */
  readonly signal: AbortSignal;
  /** Milliseconds one read may take. */
  readonly readMs: number;
  /** Where to look for service points; empty: carriers are not asked for them. */
  readonly areas: readonly ServicePointQuery[];
}

const SAMPLE = 5;
/** A feed may begin with pages that hold no row (the list of what to ask). */
const MOST_PAGES = 3;

/** A system bound to a trace of its own; asks nothing yet. @throws {MortarError} CONFIGURATION_INVALID */
export async function connectToProbe(config: SystemConfig, { clock, budgets }: ProbeOptions): Promise<ProbedSystem> {
  const calls: CallTrace[] = [];
  const trace = (line: CallTrace): void => void calls.push(line);
  const logger = silentLogger;
  const system = connectSystem(connectorOf(config), { config, clock, logger, trace, ...(budgets && { budgets }) });
  const seen = { items: [], profileIds: [], orderIds: [], places: null, stockPlaces: new Set<string>() };
  return { config, system, calls, probes: [], budgetBefore: await system.budget(), ...seen };
}

/** Reads the first page of every feed, from its start, and keeps nothing. Cost: up to three calls a feed. */
export async function probeFeeds(probed: ProbedSystem, options: ProbeOptions): Promise<void> {
  const { system, probes } = probed;
  const read = async <V>(port: PortName, feed: FeedSource<V> | undefined): Promise<readonly V[]> => {
    if (feed === undefined) return [];
    try {
      const values = await firstRows(feed, () => scopeOf(options));
      probes.push({ port, how: 'feed', failure: null });
      return values;
    } catch (thrown) {
      probes.push({ port, how: 'feed', failure: failureOf(thrown) });
      return [];
    }
  };
  const [items, stock, profiles, orders] = await Promise.all([
    read('items', system.itemFeed),
    read('stock', system.stockFeed),
    read('profiles', system.profileFeed),
    read('orders', system.orderFeed),
    read('loyalty', system.loyaltyFeed),
    read('signals', system.signalFeed),
  ]);
  probed.items.push(
    ...items.flatMap(({ code, externalId }) => (code === null ? [] : [{ code, externalId }])).slice(0, SAMPLE),
  );
  probed.profileIds.push(...profiles.map(({ externalId }) => externalId).slice(0, SAMPLE));
  probed.orderIds.push(...orders.map(({ externalId }) => externalId).slice(0, SAMPLE));
  for (const { locationExternalId } of stock) probed.stockPlaces.add(locationExternalId);
}

async function firstRows<V>(feed: FeedSource<V>, scope: () => CallScope): Promise<readonly V[]> {
  let cursor: string | null = null;
  for (let pages = 1; ; pages += 1) {
    const page = await feed.readPage(cursor, scope());
    const values = page.changes.flatMap((change) => (change.kind === 'upsert' ? [change.value] : []));
    if (values.length > 0 || page.done || pages === MOST_PAGES) return values;
    cursor = page.cursor;
  }
}

/**
 * Asks every port that answers while a request runs, with keys its feeds have just named. Ports without a known key are
 * left out. Cost: one call a port.
 * @param codes the retailer's own codes, for systems that list no items
 */
export async function probeReads(probed: ProbedSystem, codes: readonly string[], options: ProbeOptions): Promise<void> {
  const { system, items, profileIds, orderIds, probes } = probed;
  const named = items.length > 0 ? items : codes.map((code) => ({ code, externalId: code }));
  const read = async <V>(
    port: PortName,
    keys: readonly unknown[],
    call: (scope: CallScope) => Promise<readonly Slot<V>[]> | undefined,
  ): Promise<readonly V[]> => {
    const answer = keys.length === 0 ? undefined : call(scopeOf(options));
    if (answer === undefined) return [];
    const slots = await answer;
    const failed = slots.find((slot) => slot instanceof Error);
    probes.push({ port, how: 'live', failure: failed === undefined ? null : failureOf(failed) });
    return slots.flatMap((slot) => (slot === null || slot instanceof Error ? [] : [slot]));
  };
  await probeCredentials(probed, options);
  const itemCodes = named.map(({ code }) => code);
  const stockKeys = named.map(({ code, externalId }) => ({ sku: toSku(code), externalId }));
  const [readings] = await Promise.all([
    read('stock', stockKeys, (scope) => system.stock?.stockByItem(stockKeys, scope)),
    read('items', itemCodes, (scope) => system.items?.itemsByCode(itemCodes, scope)),
    read('profiles', profileIds, (scope) => system.profiles?.profilesById(profileIds, scope)),
    read('loyalty', profileIds, (scope) => system.loyalty?.loyaltyByCustomer(profileIds, scope)),
    read('marketingConsents', profileIds, (scope) => system.marketingConsents?.consentsByProfile(profileIds, scope)),
    read('orders', orderIds, (scope) => system.orders?.ordersById(orderIds, scope)),
    read('servicePoints', options.areas, (scope) => system.servicePoints?.servicePointsNear(options.areas, scope)),
    probePlaces(probed, options),
  ]);
  for (const { locationExternalId } of readings.flat()) probed.stockPlaces.add(locationExternalId);
}

async function probeCredentials({ system, probes }: ProbedSystem, options: ProbeOptions): Promise<void> {
  if (system.check === undefined) return;
  try {
    await system.check(scopeOf(options));
    probes.push({ port: 'credentials', how: 'live', failure: null });
  } catch (thrown) {
    probes.push({ port: 'credentials', how: 'live', failure: failureOf(thrown) });
  }
}

async function probePlaces(probed: ProbedSystem, options: ProbeOptions): Promise<void> {
  const { locations } = probed.system;
  if (locations === undefined) return;
  try {
    probed.places = (await locations.locations(scopeOf(options))).map(({ externalId }) => externalId);
    probed.probes.push({ port: 'locations', how: 'live', failure: null });
  } catch (thrown) {
    probed.probes.push({ port: 'locations', how: 'live', failure: failureOf(thrown) });
  }
}

function scopeOf({ clock, signal, readMs }: ProbeOptions): CallScope {
  return { requestId: `doctor-${randomUUID()}`, deadlineAtMs: clock.nowMs() + readMs, signal };
}

function failureOf(thrown: unknown): MortarError {
  return thrown instanceof MortarError ? thrown : new MortarError('INTERNAL_SERVER_ERROR', { cause: thrown });
}
