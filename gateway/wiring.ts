import { catalogOf, consentOf, identityOf, orderOf, stockOf } from './domains.ts';
import { startFeeds } from './feeds.ts';
import type { CreateGraph, ImportConsentFile } from './graph.ts';
import { importPastDecisions } from './past-decisions.ts';
import { importDecisions, openState } from './state.ts';
import { connectSystems, createSystemStatus, openBudgets } from './systems.ts';
import { createCursors } from '#platform/cursors.ts';
import { createCatalogSubgraph } from '#subgraphs/catalog/subgraph.ts';
import { createConsentSubgraph } from '#subgraphs/consent/subgraph.ts';
import { createCustomersSubgraph } from '#subgraphs/customers/subgraph.ts';
import { createInventorySubgraph } from '#subgraphs/inventory/subgraph.ts';
import { createOrdersSubgraph } from '#subgraphs/orders/subgraph.ts';

/** Binds connectors to ports and domains to subgraphs: the only place that knows them all. */
export const createGraph: CreateGraph = async (config, deps) => {
  const { clock, logger } = deps;
  const state = await openState(config, clock);
  const cursors = createCursors(state.keys.cursor);
  const budgets = openBudgets(config, deps);
  const systems = connectSystems(config, deps, budgets);
  const bound = { config, deps, state, systems, cursors };
  const catalog = catalogOf(bound);
  const stock = stockOf(bound, catalog);
  const identity = identityOf(bound);
  const order = orderOf(bound, { catalog, identity });
  const consent = consentOf(bound, identity);
  const past = await importPastDecisions(state, { config, clock, logger });
  const deciders = past.guard(consent.deciders);
  const { directory } = identity;

  const feeds = await startFeeds({
    database: state.database,
    systems,
    sinks: {
      items: catalog.catalog.itemSink,
      stock: stock.stockSink,
      profiles: identity.profileSink,
      loyalty: identity.loyaltySink,
      orders: order.sink,
    },
    clock,
    logger,
  });
  let closing: Promise<void> | null = null;
  async function close(): Promise<void> {
    await feeds.stop();
    await past.ended;
    await stock.close();
    await Promise.all(systems.map(async (system) => system.close()));
    await budgets?.close();
    await catalog.close();
    await state.database.close();
  }

  const status = createSystemStatus({ config, systems, feeds, crosswalk: catalog.catalog.crosswalk });
  return {
    subgraphs: [
      createCatalogSubgraph({ catalog: catalog.catalog, cursors, systems: status, deciders, logger }),
      createInventorySubgraph({ stock, catalog: catalog.catalog, cursors, deciders, logger }),
      createCustomersSubgraph({
        directory,
        profiles: identity.profiles,
        trusted: identity.trusted,
        // Buyers come with the orders.
        loadingSystems: () =>
          feeds.loading(systems.flatMap(({ profileFeed, orderFeed }) => [profileFeed ?? [], orderFeed ?? []].flat())),
        deciders,
        logger,
      }),
      createOrdersSubgraph({
        directory: order.directory,
        values: order.values,
        customers: directory,
        loadingSystems: () => feeds.loading(systems.flatMap(({ orderFeed }) => orderFeed ?? [])),
        deciders,
        logger,
      }),
      createConsentSubgraph({ consent: consent.service, customers: directory, deciders, logger }),
    ],
    webhooks: systems.flatMap(({ system, webhook }) =>
      webhook === undefined
        ? []
        : [{ id: system, receive: webhook, nudge: (names: readonly string[]) => feeds.nudge(system, names) }],
    ),
    systems: status.reports,
    readiness: () => ({ consentsImported: past.areImported(), firstLoadDone: feeds.progress().done }),
    loadProgress: feeds.progress,
    close: async () => (closing ??= close()),
  };
};

/** Opens the state of a configuration, imports one file into it and closes it again. */
export const importConsentFile: ImportConsentFile = async ({ config, file, clock, onProgress }) => {
  const state = await openState(config, clock);
  try {
    return await importDecisions(state, { config, file, clock, onProgress });
  } finally {
    await state.database.close();
  }
};
