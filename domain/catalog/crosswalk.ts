import type { Database } from '#platform/database.ts';
import { type ExternalRef, type Sku, toSku, toSystemId } from '#schema/model/ids.ts';
import type { CrosswalkEntry } from '#schema/model/records.ts';
import { identifyItem, matchItem } from './crosswalk-rules.ts';
import type { CatalogTables } from './migrations.ts';
import { loadCandidates } from './rematch.ts';
import { inBatches } from '#platform/batches.ts';

/** An item reference with the code its system carries. */
export interface ItemReference extends CrosswalkEntry {
  readonly code: string | null;
}

interface UnmatchedItem extends ExternalRef {
  readonly code: string | null;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly seenAtMs: number;
}

/** The item crosswalk: one sku's names in all systems, and back. Each call is one or two reads of the local directory. */
export interface Crosswalk {
  /** References in sku order asked; the first of a system is its primary one. Empty: no system has an item for it. */
  readonly referencesOf: (skus: readonly string[]) => Promise<readonly (readonly ItemReference[])[]>;
  /** In order; null: no product, or an ambiguous code. A code is also tried as the system's own id of the item. */
  readonly skusOf: (system: string, codes: readonly string[]) => Promise<readonly (Sku | null)[]>;
  /** Whether the directory holds the product; in order. */
  readonly areKnown: (skus: readonly string[]) => Promise<readonly boolean[]>;
  /** Items that stand for no product, by system; a system without any is absent. */
  readonly unmatchedCounts: () => Promise<ReadonlyMap<string, number>>;
  /** Unmatched items of a system, by external id. @param limit at most so many */
  readonly unmatchedItems: (system: string, limit: number) => Promise<readonly UnmatchedItem[]>;
}

export interface CrosswalkOptions {
  readonly database: Database;
  readonly codePrefixes?: Readonly<Record<string, readonly string[]>>;
}

export function createCrosswalk({ database, codePrefixes = {} }: CrosswalkOptions): Crosswalk {
  const db = database.as<CatalogTables>().read;
  return {
    async referencesOf(skus) {
      const rows = await inBatches([...new Set(skus)], (chunk) =>
        db
          .selectFrom('item_reference')
          .select(['system', 'external_id', 'kind', 'code', 'sku'])
          .where('sku', 'in', chunk)
          .execute(),
      );
      const bySku = Map.groupBy(rows, ({ sku }) => sku);
      return skus.map((sku) =>
        (bySku.get(sku) ?? []).toSorted(primaryFirst).map((row) => ({
          system: toSystemId(row.system),
          externalId: row.external_id,
          kind: row.kind,
          code: row.code,
          sku: toSku(sku),
        })),
      );
    },
    skusOf: (system, codes) => findSkus({ db, system, codes, prefixes: codePrefixes[system] ?? [] }),
    async areKnown(skus) {
      const rows = await inBatches([...new Set(skus)], (chunk) =>
        db.selectFrom('product').select('sku').where('sku', 'in', chunk).execute(),
      );
      const known = new Set(rows.map(({ sku }) => sku));
      return skus.map((sku) => known.has(sku));
    },
    async unmatchedCounts() {
      const rows = await db
        .selectFrom('item_reference')
        .select(({ fn }) => ['system', fn.countAll().as('count')])
        .where('sku', 'is', null)
        .groupBy('system')
        .execute();
      return new Map(rows.map(({ system, count }) => [system, Number(count)]));
    },
    async unmatchedItems(system, limit) {
      const rows = await db
        .selectFrom('item_reference')
        .select(['external_id', 'code', 'reason', 'seen_at_ms'])
        .where('system', '=', system)
        .where('sku', 'is', null)
        .orderBy('external_id')
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        system: toSystemId(system),
        externalId: row.external_id,
        code: row.code,
        reason: row.reason ?? 'UNKNOWN_CODE',
        seenAtMs: row.seen_at_ms,
      }));
    },
  };
}

interface NamedItem {
  readonly external_id: string;
  readonly code: string | null;
  readonly sku: string | null;
}

/** The primary reference of a system: the item whose code is the sku itself, else the smallest id. */
function primaryFirst(a: NamedItem, b: NamedItem): number {
  const rank = (row: NamedItem) => (row.code === row.sku ? 0 : 1);
  return rank(a) - rank(b) || (a.external_id < b.external_id ? -1 : 1);
}

interface FindSkus {
  readonly db: Database<CatalogTables>['read'];
  readonly system: string;
  readonly codes: readonly string[];
  readonly prefixes: readonly string[];
}

async function findSkus({ db, system, codes, prefixes }: FindSkus): Promise<readonly (Sku | null)[]> {
  const named = await inBatches([...new Set(codes)], (chunk) =>
    db
      .selectFrom('item_reference')
      .select(['external_id', 'code', 'sku'])
      .where('system', '=', system)
      .where((eb) => eb.or([eb('code', 'in', chunk), eb('external_id', 'in', chunk)]))
      .execute(),
  );
  const byCode = Map.groupBy(named, ({ code }) => code);
  const byId = new Map(named.map((row) => [row.external_id, row]));
  const itemsOf = (code: string): readonly NamedItem[] =>
    byCode.get(code) ?? [byId.get(code)].filter((row) => row !== undefined);
  // Codes of systems without an item feed, and of items not yet fed: by the same rules, from the products alone.
  const identities = new Map(
    codes.filter((code) => itemsOf(code).length === 0).map((code) => [code, identifyItem(code, null, prefixes)]),
  );
  const keys = [...identities.values()].flatMap((identity) => identity.keys);
  const candidates = await loadCandidates(db, keys, []);
  const byKey = Map.groupBy(candidates, ({ skuKey }) => skuKey);
  return codes.map((code) => {
    const items = itemsOf(code);
    if (items.length > 0) return onlySku(items);
    const identity = identities.get(code);
    if (identity === undefined) return null;
    const { sku } = matchItem(
      identity,
      identity.keys.flatMap((key) => byKey.get(key) ?? []),
    );
    return sku === null ? null : toSku(sku);
  });
}

function onlySku(items: readonly NamedItem[]): Sku | null {
  const [sku, ...others] = new Set(items.map((item) => item.sku));
  return sku === undefined || sku === null || others.length > 0 ? null : toSku(sku);
}
