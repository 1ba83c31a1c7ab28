import { catalogOf, consentOf, identityOf, orderOf, stockOf } from './domains.ts';
import { startFeeds } from './feeds.ts';
import type { CreateGraph, ImportConsentFile } from './graph.ts';
import { importDecisions, importDecisionsOnce, openState } from './state.ts';
import { connectSystems, createSystemStatus } from './systems.ts';
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
  const systems = connectSystems(config, deps);
  const bound = { config, deps, state, systems, cursors };
  const catalog = catalogOf(bound);
  const stock = stockOf(bound, catalog);
  const identity = identityOf(bound);
  const order = orderOf(bound, { catalog, identity });
  const consent = consentOf(bound, identity);
  const { deciders } = consent;
  const { directory } = identity;

  const importing = importAll();
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
  let consentsImported = false;

  async function importAll(): Promise<void> {
    for (const file of config.imports.consents) {
      const report = await importDecisionsOnce(state, { config, file, clock });
      if (report !== null) {
        const { read, recorded, known, refused } = report;
        logger.info({ file, read, recorded, known, refused }, 'past decisions imported');
      }
    }
    consentsImported = true;
  }
  // Not ready until it succeeded: governed fields stay closed, and the reason is in the log.
  importing.catch((error: unknown) => logger.error({ error }, 'past decisions could not be imported'));

  let closing: Promise<void> | null = null;
  async function close(): Promise<void> {
    await feeds.stop();
    await importing.catch(() => undefined);
    await stock.close();
    await Promise.all(systems.map(async (system) => system.close()));
    await catalog.close();
    await state.database.close();
  }

  const status = createSystemStatus({ config, systems, feeds, crosswalk: catalog.catalog.crosswalk });
  return {
    subgraphs: [
      createCatalogSubgraph({ catalog: catalog.catalog, cursors, systems: status, deciders, logger }),
      createInventorySubgraph({ stock, catalog: catalog.catalog, cursors, deciders, logger }),
      createCustomersSubgraph({ directory, profiles: identity.profiles, trusted: identity.trusted, deciders, logger }),
      createOrdersSubgraph({
        directory: order.directory,
        values: order.values,
        customers: directory,
        deciders,
        logger,
      }),
      createConsentSubgraph({ consent: consent.service, customers: directory, deciders, logger }),
    ],
    systems: status.reports,
    readiness: () => ({ consentsImported, firstLoadDone: feeds.progress().done }),
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
