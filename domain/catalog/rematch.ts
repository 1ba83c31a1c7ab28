import type { Transaction } from 'kysely';

import { identifyItem, type MatchCandidate, matchItem } from './crosswalk-rules.ts';
import type { CatalogTables } from './migrations.ts';
import { inBatches } from '#platform/batches.ts';

/** What a page touched: items named, and items whose normalized code or GTIN is among these. */
export interface Affected {
  readonly items: { readonly system: string; readonly externalId: string }[];
  readonly codeKeys: Set<string>;
  readonly gtins: Set<string>;
}

export const emptyAffected = (): Affected => ({ items: [], codeKeys: new Set(), gtins: new Set() });

export interface RematchOptions {
  readonly affected: Affected;
  readonly canonicalSystem: string;
  readonly codePrefixes: Readonly<Record<string, readonly string[]>>;
}

const columns = ['system', 'external_id', 'code', 'gtin', 'sku', 'reason'] as const;
interface ItemRow {
  readonly system: string;
  readonly external_id: string;
  readonly code: string | null;
  readonly gtin: string | null;
  readonly sku: string | null;
  readonly reason: string | null;
}

/** Applies the crosswalk rules again to every item the page may have changed. Writes only what differs. */
export async function rematch(trx: Transaction<CatalogTables>, options: RematchOptions): Promise<void> {
  const { affected, canonicalSystem, codePrefixes } = options;
  const items = (await loadAffected(trx, affected)).filter(({ system }) => system !== canonicalSystem);
  const identities = items.map((item) => identifyItem(item.code, item.gtin, codePrefixes[item.system] ?? []));
  const candidates = await loadCandidates(
    trx,
    identities.flatMap(({ keys }) => keys),
    identities.flatMap(({ gtin }) => (gtin === null ? [] : [gtin])),
  );
  const byKey = Map.groupBy(candidates, ({ skuKey }) => skuKey);
  const byGtin = Map.groupBy(candidates, ({ gtin }) => gtin ?? '');
  for (const [at, item] of items.entries()) {
    const identity = identities[at]!;
    const own = new Set([
      ...identity.keys.flatMap((key) => byKey.get(key) ?? []),
      ...(byGtin.get(identity.gtin ?? '-') ?? []),
    ]);
    const verdict = matchItem(identity, [...own]);
    const reason = verdict.sku === null ? verdict.reason : null;
    if (verdict.sku === item.sku && reason === item.reason) continue;
    await trx
      .updateTable('item_reference')
      .set({ sku: verdict.sku, reason })
      .where('system', '=', item.system)
      .where('external_id', '=', item.external_id)
      .execute();
  }
}

async function loadAffected(trx: Transaction<CatalogTables>, affected: Affected): Promise<readonly ItemRow[]> {
  const rows: ItemRow[] = [];
  for (const [system, named] of Map.groupBy(affected.items, (item) => item.system)) {
    const ids = named.map(({ externalId }) => externalId);
    rows.push(
      ...(await inBatches(ids, (chunk) =>
        trx
          .selectFrom('item_reference')
          .select(columns)
          .where('system', '=', system)
          .where('external_id', 'in', chunk)
          .execute(),
      )),
    );
  }
  const byKey = await inBatches([...affected.codeKeys], (chunk) =>
    trx
      .selectFrom('item_key')
      .innerJoin('item_reference as r', (join) =>
        join.onRef('r.system', '=', 'item_key.system').onRef('r.external_id', '=', 'item_key.external_id'),
      )
      .select(['r.system', 'r.external_id', 'r.code', 'r.gtin', 'r.sku', 'r.reason'])
      .where('item_key.code_key', 'in', chunk)
      .execute(),
  );
  const byGtin = await inBatches([...affected.gtins], (chunk) =>
    trx.selectFrom('item_reference').select(columns).where('gtin', 'in', chunk).execute(),
  );
  return [...new Map([...rows, ...byKey, ...byGtin].map((row) => [`${row.system}\n${row.external_id}`, row])).values()];
}

/** Products that carry one of the normalized codes or GTINs. */
export async function loadCandidates(
  db: Pick<Transaction<CatalogTables>, 'selectFrom'>,
  keys: readonly string[],
  gtins: readonly string[],
): Promise<readonly MatchCandidate[]> {
  const select = (column: 'sku_key' | 'gtin', values: readonly string[]) =>
    inBatches([...new Set(values)], (chunk) =>
      db.selectFrom('product').select(['sku', 'sku_key', 'gtin']).where(column, 'in', chunk).execute(),
    );
  const rows = [...(await select('sku_key', keys)), ...(await select('gtin', gtins))];
  return [...new Map(rows.map((row) => [row.sku, { sku: row.sku, skuKey: row.sku_key, gtin: row.gtin }])).values()];
}
