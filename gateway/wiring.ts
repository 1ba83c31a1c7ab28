import { once } from 'node:events';

import { bindDomains } from './bound-domains.ts';
import { type Config, SUBGRAPH_NAMES, type SubgraphName } from './config-schema.ts';
import { changesOf } from './domains.ts';
import { createFeedShare } from './feed-share.ts';
import { watchFeedStates } from './feed-states.ts';
import { addFeeds, type FeedSinks } from './feeds.ts';
import type { CreateGraph, GraphDeps, ImportConsentFile } from './graph.ts';
import { importPastDecisions } from './past-decisions.ts';
import { createSharedHealth } from './shared-health.ts';
import { importDecisions, openState } from './state.ts';
import { SUBGRAPH_PARTS } from './subgraph-parts.ts';
import { createSystemStatus } from './system-status.ts';
import { connectSystems, openSharedKnowledge, reportSystems } from './systems.ts';
import { startRenewals } from './webhook-renewal.ts';
import { createCursors } from '#platform/cursors.ts';
import type { RedisDoor } from '#platform/redis.ts';
import type { ConnectedSystem } from '#schema/model/sources.ts';

/** Binds connectors to ports and domains to subgraphs, for the subgraphs of this process: the only place that knows them all. */
export const createGraph: CreateGraph = async (config, deps) => {
  const { clock, logger } = deps;
  const names = subgraphsOf(config);
  const parts = names.map((name) => SUBGRAPH_PARTS[name]);
  const { state, systems, shared: known, domains, cursors, changes, closeSources } = await openSources(config, deps);
  const health = watchHealth(config, { door: known?.door ?? null, systems });
  const share = createFeedShare(state.database, logger);
  const states = await watchFeedStates(state.database, logger);
  const imports = parts.some(({ importsDecisions }) => importsDecisions === true);
  const past = await importPastDecisions(state, {
    config,
    clock,
    logger,
    states,
    share: imports ? share : null,
    onImported: () => changes.publish('customer', null),
  });
  const sinks: FeedSinks = Object.assign({}, ...parts.map((part) => part.sinks(domains)));
  const feeds = addFeeds({ systems, sinks, share, states, clock, logger });
  const status = () =>
    createSystemStatus({
      systems: health.systems,
      database: state.database,
      clock,
      crosswalk: domains.catalog().catalog.crosswalk,
      currencies: domains.catalog().catalog.currencies,
      quarantine: domains.stock().quarantine,
    });
  const deciders = past.guard(domains.consent().deciders);
  const shared = { systems, status, feeds, cursors, changes, deciders, logger };
  const subgraphs = parts.map((part) => part.create(domains, shared));
  // One process of them all asks for webhooks.
  share.add({ system: 'webhooks', feed: 'renewals' }, async ({ signal }) => {
    const stopRenewals = startRenewals({ systems, publicUrl: config.publicUrl ?? null, logger });
    if (!signal.aborted) await once(signal, 'abort');
    await stopRenewals();
  });
  await share.start();
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    await share.stop();
    states.stop();
    health.stop();
    await closeSources();
  };
  return {
    subgraphs,
    webhooks: systems.flatMap(({ system, webhook }) =>
      webhook === undefined
        ? []
        : [{ id: system, receive: webhook, nudge: (feedNames: readonly string[]) => share.nudge(system, feedNames) }],
    ),
    systems: () => reportSystems(config, health.systems, feeds),
    // One process of them all tells of the systems.
    ...(names.includes('catalog') && { systemStatus: status().systems }),
    readiness: () => ({ consentsImported: past.areImported(), firstLoadDone: feeds.progress().done }),
    loadProgress: feeds.progress,
    close: async () => (closing ??= close()),
  };
};

function subgraphsOf({ role }: Config): readonly SubgraphName[] {
  return role.kind === 'subgraph' ? [role.name] : SUBGRAPH_NAMES;
}

const LOOK_EVERY_MS = 2_000;

/** The systems as all processes over one Redis see them; without one, as this one does. */
function watchHealth(
  { role }: Config,
  { door, systems }: { readonly door: RedisDoor | null; readonly systems: readonly ConnectedSystem[] },
) {
  if (door === null) return { systems, stop: () => undefined };
  const own = role.kind === 'subgraph' ? role.name : role.kind;
  const shared = createSharedHealth({ door, own, others: ['all', ...SUBGRAPH_NAMES], systems });
  const timer = setInterval(() => void shared.look(), LOOK_EVERY_MS).unref();
  return { systems: shared.systems, stop: () => clearInterval(timer) };
}

/** State, systems and the domains over them. */
async function openSources(config: Config, deps: GraphDeps) {
  const state = await openState(config, deps.clock);
  const cursors = createCursors(state.keys.cursor);
  const shared = openSharedKnowledge(config, deps);
  const systems = connectSystems(config, deps, shared);
  const changes = changesOf({ config, deps, state });
  const domains = bindDomains({ config, deps, state, systems, cursors, changes });
  return {
    state,
    cursors,
    changes,
    systems,
    shared,
    domains,
    closeSources: async (): Promise<void> => {
      await domains.close();
      await Promise.all(systems.map(async (system) => system.close()));
      await shared?.budgets.close();
      await changes.close();
      await state.database.close();
    },
  };
}

/** Opens the state of a configuration, imports one file into it and closes it again. */
export const importConsentFile: ImportConsentFile = async ({ config, file, clock, onProgress }) => {
  const state = await openState(config, clock);
  try {
    return await importDecisions(state, { config, file, clock, onProgress });
  } finally {
    await state.database.close();
  }
};
