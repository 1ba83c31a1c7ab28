import type DataLoader from 'dataloader';

import type { Catalog } from '#domain/catalog/catalog.ts';
import type { ItemReference } from '#domain/catalog/crosswalk.ts';
import type { ListingRecord } from '#domain/catalog/listings.ts';
import { batchLoader } from '#platform/references.ts';
import type { MoneyFigure } from '#schema/model/figures.ts';
import type { ItemRecord } from '#schema/model/records.ts';
import type { CallScope } from '#schema/model/request.ts';

/** One request's reads: the keys of one tick are one batch. */
export interface CatalogLoaders {
  readonly products: DataLoader<string, ItemRecord | null, string>;
  readonly references: DataLoader<string, readonly ItemReference[] | null, string>;
  readonly listings: DataLoader<string, readonly ListingRecord[] | null, string>;
  readonly prices: (channel: string) => DataLoader<string, MoneyFigure | null, string>;
}

export function createCatalogLoaders(catalog: Catalog, scope: CallScope): CatalogLoaders {
  const prices = new Map<string, DataLoader<string, MoneyFigure | null, string>>();
  return {
    products: batchLoader((skus) => catalog.products(skus, scope)),
    references: batchLoader((skus) => catalog.crosswalk.referencesOf(skus)),
    listings: batchLoader((skus) => catalog.listings(skus)),
    prices(id) {
      const channel = catalog.channel(id);
      const known = prices.get(id) ?? batchLoader((skus: readonly string[]) => catalog.prices(channel, skus, scope));
      prices.set(id, known);
      return known;
    },
  };
}
