import { readFileSync } from 'node:fs';

import { defineSubgraph, type SubgraphDefinition } from '#platform/define-subgraph.ts';
import type { Subgraph } from '#platform/subgraph.ts';
import type { ConsentDeciders } from '#schema/model/consent.ts';
import type { SystemId } from '#schema/model/ids.ts';
import { type OrderLoaderDependencies, type OrderLoaders, createOrderLoaders } from './loaders.ts';
import { createOrderResolvers } from './resolvers.ts';

export interface OrdersSubgraphDependencies extends OrderLoaderDependencies {
  /** Systems whose orders were never read to the end: the list has gaps. */
  readonly loadingSystems: () => readonly SystemId[];
  readonly deciders: ConsentDeciders;
  readonly logger?: SubgraphDefinition<OrderLoaders>['logger'];
}

const typeDefs = readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8');

/** Orders of all systems in one list, their lines and totals, and each customer's orders. */
export function createOrdersSubgraph(dependencies: OrdersSubgraphDependencies): Subgraph {
  return defineSubgraph<OrderLoaders>({
    name: 'orders',
    typeDefs,
    resolvers: createOrderResolvers(dependencies),
    createLoaders: (request) => createOrderLoaders(dependencies, request),
    deciders: dependencies.deciders,
    logger: dependencies.logger,
  });
}
