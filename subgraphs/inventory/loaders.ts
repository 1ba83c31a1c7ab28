import type DataLoader from 'dataloader';

import type { PlaceDirectory } from '#domain/stock/location-registry.ts';
import type { Stock, StockFacts } from '#domain/stock/stock.ts';
import { batchLoader } from '#platform/references.ts';
import type { CallScope } from '#schema/model/request.ts';

/** One request's reads, shared by availability and stock: the skus of one tick are one batch a system. */
export interface InventoryLoaders {
  /** Null: no such product. */
  readonly facts: DataLoader<string, StockFacts, string>;
  /** The places, read once a request. */
  readonly directory: () => Promise<PlaceDirectory>;
}

export function createInventoryLoaders(stock: Stock, scope: CallScope): InventoryLoaders {
  let directory: Promise<PlaceDirectory> | undefined;
  return {
    facts: batchLoader((skus) => stock.facts(skus, scope)),
    directory: () => (directory ??= stock.registry.load(scope)),
  };
}
