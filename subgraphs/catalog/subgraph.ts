import { readFileSync } from 'node:fs';

import { defineSubgraph, type SubgraphDefinition } from '#platform/define-subgraph.ts';
import type { Subgraph } from '#platform/subgraph.ts';
import type { ConsentDeciders } from '#schema/model/consent.ts';
import { type CatalogLoaders, createCatalogLoaders } from './loaders.ts';
import { type CatalogResolverOptions, createCatalogResolvers } from './resolvers.ts';

export interface CatalogSubgraphDependencies extends CatalogResolverOptions {
  readonly deciders: ConsentDeciders;
  readonly logger?: SubgraphDefinition<CatalogLoaders>['logger'];
}

const typeDefs = readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8');

/** Products, prices and listings with their provenance, channels, and the state of every connected system. */
export function createCatalogSubgraph(dependencies: CatalogSubgraphDependencies): Subgraph {
  return defineSubgraph<CatalogLoaders>({
    name: 'catalog',
    typeDefs,
    resolvers: createCatalogResolvers(dependencies),
    createLoaders: (request) => createCatalogLoaders(dependencies.catalog, request),
    deciders: dependencies.deciders,
    logger: dependencies.logger,
  });
}
