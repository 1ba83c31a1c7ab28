import type { BoundDomains } from './bound-domains.ts';
import type { SubgraphName } from './config-schema.ts';
import type { Feeds, FeedSinks } from './feeds.ts';
import type { SystemStatusSource } from '#domain/catalog/system-status.ts';
import type { Changes } from '#platform/changes.ts';
import type { Cursors } from '#platform/cursors.ts';
import type { Logger } from '#platform/log.ts';
import type { Subgraph } from '#platform/subgraph.ts';
import type { ConsentDeciders } from '#schema/model/consent.ts';
import type { ConnectedSystem } from '#schema/model/sources.ts';
import { createCatalogSubgraph } from '#subgraphs/catalog/subgraph.ts';
import { createConsentSubgraph } from '#subgraphs/consent/subgraph.ts';
import { createCustomersSubgraph } from '#subgraphs/customers/subgraph.ts';
import { createInventorySubgraph } from '#subgraphs/inventory/subgraph.ts';
import { createOrdersSubgraph } from '#subgraphs/orders/subgraph.ts';

/** What every subgraph is made of besides its domains. */
export interface SubgraphShared {
  readonly systems: readonly ConnectedSystem[];
  readonly status: () => SystemStatusSource;
  readonly feeds: Feeds;
  readonly cursors: Cursors;
  readonly changes: Changes;
  readonly deciders: ConsentDeciders;
  readonly logger: Logger;
}

interface SubgraphPart {
  /** Where the feeds go that its process reads. */
  readonly sinks: (domains: BoundDomains) => FeedSinks;
  readonly create: (domains: BoundDomains, shared: SubgraphShared) => Subgraph;
  /** Its process imports past decisions. @default false */
  readonly importsDecisions?: boolean;
}

/** Each subgraph with the feeds that belong to it: alone in a process, or all together in one. */
export const SUBGRAPH_PARTS: Readonly<Record<SubgraphName, SubgraphPart>> = {
  catalog: {
    sinks: ({ catalog }) => ({ items: catalog().catalog.itemSink }),
    create: ({ catalog }, { status, cursors, deciders, logger }) =>
      createCatalogSubgraph({ catalog: catalog().catalog, systems: status(), cursors, deciders, logger }),
  },
  inventory: {
    sinks: ({ stock }) => ({ stock: stock().stockSink }),
    create: ({ catalog, stock, stockWatch }, { changes, cursors, deciders, logger }) =>
      createInventorySubgraph({
        stock: stock(),
        stockWatch: stockWatch(),
        catalog: catalog().catalog,
        changes,
        cursors,
        deciders,
        logger,
      }),
  },
  customers: {
    sinks: ({ identity }) => ({ profiles: identity().profileSink, loyalty: identity().loyaltySink }),
    create: ({ identity }, { systems, feeds, changes, deciders, logger }) => {
      const { directory, profiles, trusted } = identity();
      // Buyers come with the orders.
      const loadingSystems = () =>
        feeds.loading(systems.flatMap(({ profileFeed, orderFeed }) => [profileFeed ?? [], orderFeed ?? []].flat()));
      return createCustomersSubgraph({ directory, profiles, trusted, loadingSystems, changes, deciders, logger });
    },
  },
  orders: {
    sinks: ({ order }) => ({ orders: order().sink }),
    create: ({ order, identity }, { systems, feeds, deciders, logger }) => {
      const { directory, values } = order();
      const loadingSystems = () => feeds.loading(systems.flatMap(({ orderFeed }) => orderFeed ?? []));
      const customers = identity().directory;
      return createOrdersSubgraph({ directory, values, customers, loadingSystems, deciders, logger });
    },
  },
  consent: {
    sinks: () => ({}),
    create: ({ consent, identity }, { deciders, logger }) =>
      createConsentSubgraph({ consent: consent().service, customers: identity().directory, deciders, logger }),
    importsDecisions: true,
  },
};
