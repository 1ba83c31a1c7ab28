import { sql } from 'kysely';

import type { Database } from '#platform/database.ts';
import type { ItemRecord } from '#schema/model/records.ts';
import { parseItemRecord } from './item-codec.ts';
import type { CatalogTables } from './migrations.ts';
import { inBatches } from '#platform/batches.ts';

export interface ProductFilter {
  /** Only these; at most 200. */
  readonly skus?: readonly string[] | null;
  /** Exactly this category. */
  readonly category?: string | null;
  /** Part of the title or sku, whatever its case. */
  readonly text?: string | null;
}

interface SkuPage {
  readonly skus: readonly string[];
  readonly hasNextPage: boolean;
}

/** The feed-built index of products and the snapshots of items. */
export interface ProductDirectory {
  /** Skus in byte order. Cost: one read. @param after the last sku of the page before */
  readonly page: (first: number, after: string | null, filter: ProductFilter) => Promise<SkuPage>;
  readonly count: (filter: ProductFilter) => Promise<number>;
  /** Snapshots of products in order; null: not in the directory. */
  readonly products: (skus: readonly string[]) => Promise<readonly (ItemRecord | null)[]>;
  /** Snapshots of items of one system by its own ids, in order. */
  readonly items: (system: string, externalIds: readonly string[]) => Promise<readonly (ItemRecord | null)[]>;
}

export function createProductDirectory(database: Database): ProductDirectory {
  const db = database.as<CatalogTables>().read;
  const select = (filter: ProductFilter) => {
    let query = db.selectFrom('product');
    if (filter.skus != null) {
      // An empty IN list is no SQL; it selects nothing.
      query = filter.skus.length === 0 ? query.where('sku', 'is', null) : query.where('sku', 'in', filter.skus);
    }
    if (filter.category != null) query = query.where('category', '=', filter.category);
    const text = filter.text?.trim().toLowerCase() ?? '';
    if (text !== '') {
      const pattern = `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
      query = query.where(sql<boolean>`search_text like ${pattern} escape '\\'`);
    }
    return query;
  };
  return {
    async page(first, after, filter) {
      let query = select(filter)
        .select('sku')
        .orderBy('sku')
        .limit(first + 1);
      if (after !== null) query = query.where('sku', '>', after);
      const rows = await query.execute();
      return { skus: rows.slice(0, first).map(({ sku }) => sku), hasNextPage: rows.length > first };
    },
    async count(filter) {
      const row = await select(filter)
        .select(({ fn }) => fn.countAll().as('count'))
        .executeTakeFirst();
      return Number(row?.count ?? 0);
    },
    async products(skus) {
      const rows = await inBatches([...new Set(skus)], (chunk) =>
        db.selectFrom('product').select(['sku', 'record']).where('sku', 'in', chunk).execute(),
      );
      const bySku = new Map(rows.map(({ sku, record }) => [sku, parseItemRecord(record)]));
      return skus.map((sku) => bySku.get(sku) ?? null);
    },
    async items(system, externalIds) {
      const rows = await inBatches([...new Set(externalIds)], (chunk) =>
        db
          .selectFrom('item_reference')
          .select(['external_id', 'record'])
          .where('system', '=', system)
          .where('external_id', 'in', chunk)
          .execute(),
      );
      const byId = new Map(rows.map((row) => [row.external_id, parseItemRecord(row.record)]));
      return externalIds.map((id) => byId.get(id) ?? null);
    },
  };
}
