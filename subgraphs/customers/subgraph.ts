import { readFileSync } from 'node:fs';

import type { Changes } from '#platform/changes.ts';
import { defineSubgraph, type SubgraphDefinition } from '#platform/define-subgraph.ts';
import { type RuleMap, buildRuleMap } from '#platform/rule-map.ts';
import type { Subgraph } from '#platform/subgraph.ts';
import type { ConsentDeciders, GovernedField } from '#schema/model/consent.ts';
import type { SystemId } from '#schema/model/ids.ts';
import { type CustomerLoaderDependencies, type CustomerLoaders, createCustomerLoaders } from './loaders.ts';
import { createCustomerResolvers } from './resolvers.ts';

export interface CustomersSubgraphDependencies extends CustomerLoaderDependencies {
  /** Systems whose profiles were never read to the end: the list has gaps. */
  readonly loadingSystems: () => readonly SystemId[];
  readonly deciders: ConsentDeciders;
  readonly changes: Pick<Changes, 'watch'>;
  readonly logger?: SubgraphDefinition<CustomerLoaders>['logger'];
}

const typeDefs = readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8');

/** Customers, the profiles they are joined from, and their loyalty accounts. */
export function createCustomersSubgraph(dependencies: CustomersSubgraphDependencies): Subgraph {
  const subgraph = defineSubgraph<CustomerLoaders>({
    name: 'customers',
    typeDefs,
    resolvers: createCustomerResolvers({ ...dependencies, governedBy: (coordinate) => governedBy(coordinate) }),
    createLoaders: (request) => createCustomerLoaders(dependencies, request),
    deciders: dependencies.deciders,
    sources: {
      // By the id asked for, whoever the customer is by now: changes are told under every id of it.
      customerChanged: ({ arguments: { id }, onChange }) =>
        dependencies.changes.watch('customer', [String(id)], onChange),
    },
    logger: dependencies.logger,
  });
  const rules: RuleMap = buildRuleMap(subgraph.schema);
  const governedBy = (coordinate: string): GovernedField => {
    const governed = rules.get(coordinate)?.governed ?? null;
    if (governed === null) throw new Error(`${coordinate} carries no @personalData`);
    return governed;
  };
  return subgraph;
}
