import { readFileSync } from 'node:fs';

import type { StockWatch } from '#domain/stock/stock-watch.ts';
import type { Changes } from '#platform/changes.ts';
import { defineSubgraph, type SubgraphDefinition } from '#platform/define-subgraph.ts';
import type { ResolverMap } from '#platform/resolver-check.ts';
import { checkedList } from '#platform/input-errors.ts';
import type { SourceWatch, Subgraph } from '#platform/subgraph.ts';
import type { ConsentDeciders } from '#schema/model/consent.ts';
import { type AvailabilityResolverOptions, createAvailabilityResolvers } from './availability-resolvers.ts';
import { createLevelResolvers, type LevelResolverOptions } from './level-resolvers.ts';
import { createInventoryLoaders, type InventoryLoaders } from './loaders.ts';
import { createLocationResolvers } from './location-resolvers.ts';

export interface InventorySubgraphDependencies extends AvailabilityResolverOptions, LevelResolverOptions {
  readonly deciders: ConsentDeciders;
  readonly changes: Pick<Changes, 'watch'>;
  readonly stockWatch: Pick<StockWatch, 'add'>;
  readonly logger?: SubgraphDefinition<InventoryLoaders>['logger'];
}

const typeDefs = readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8');

/** Places, stock levels and what each channel can promise, from the systems that are the authority for it. */
export function createInventorySubgraph(dependencies: InventorySubgraphDependencies): Subgraph {
  const { stock, deciders, logger } = dependencies;
  const locations = createLocationResolvers(dependencies);
  const availability = createAvailabilityResolvers(dependencies);
  const levels = createLevelResolvers(dependencies);
  const resolvers: ResolverMap<InventoryLoaders> = {
    Query: { ...locations.Query, ...availability.Query },
    Product: { ...levels.Product, ...availability.Product },
    Location: locations.Location,
    StockLevel: levels.StockLevel,
    Availability: availability.Availability,
  };
  return defineSubgraph<InventoryLoaders>({
    name: 'inventory',
    typeDefs,
    resolvers,
    createLoaders: (request) => createInventoryLoaders(stock, request),
    deciders,
    sources: { stockChanged: (watch) => openStockSource(dependencies, watch) },
    logger,
  });
}

function openStockSource(
  { changes, stockWatch }: Pick<InventorySubgraphDependencies, 'changes' | 'stockWatch'>,
  { arguments: { skus }, onChange }: Pick<SourceWatch, 'arguments' | 'onChange'>,
): () => void {
  const watched = checkedList(Array.isArray(skus) ? skus.map(String) : [], 'skus');
  const stopHearing = changes.watch('stock', watched, onChange);
  const stopLooking = stockWatch.add(watched);
  return () => {
    stopHearing();
    stopLooking();
  };
}
