import { readFileSync } from 'node:fs';

import { defineSubgraph, type SubgraphDefinition } from '#platform/define-subgraph.ts';
import type { Subgraph } from '#platform/subgraph.ts';
import type { ConsentDeciders } from '#schema/model/consent.ts';
import { type ConsentLoaders, createConsentLoaders, type LoaderDependencies } from './loaders.ts';
import { createConsentResolvers } from './resolvers.ts';

export interface ConsentSubgraphDependencies extends LoaderDependencies {
  readonly deciders: ConsentDeciders;
  readonly logger?: SubgraphDefinition<ConsentLoaders>['logger'];
}

const typeDefs = readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8');

/** Purposes, what customers decided about them, and the mutations that record decisions. */
export function createConsentSubgraph(dependencies: ConsentSubgraphDependencies): Subgraph {
  return defineSubgraph<ConsentLoaders>({
    name: 'consent',
    typeDefs,
    resolvers: createConsentResolvers(dependencies.consent),
    createLoaders: (request) => createConsentLoaders(dependencies, request),
    deciders: dependencies.deciders,
    logger: dependencies.logger,
  });
}
