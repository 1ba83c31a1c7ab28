import type { Database } from '#platform/database.ts';
import type { StockTables } from './migrations.ts';

/** A figure that was last seen and is never offered: the source has to correct it. */
export interface QuarantinedStock {
  /** The code of the item as the system carries it. */
  readonly code: string;
  /** The system's own id of the place. */
  readonly locationExternalId: string;
  /** A QuarantineReason. */
  readonly reason: string;
  /** When the source says it was so, epoch milliseconds. */
  readonly asOfMs: number;
}

/** All that is quarantined of one system now. */
export interface SystemQuarantine {
  readonly rows: number;
  /** Newest first, at most 20. */
  readonly recent: readonly QuarantinedStock[];
}

export interface StockQuarantine {
  /** By system; those without are absent. A figure leaves it when the source states a better one. Cost: one read, and one a system in trouble. */
  readonly bySystem: () => Promise<ReadonlyMap<string, SystemQuarantine>>;
}

const RECENT = 20;

/** What the last-seen figures of all systems say that cannot be true; kept with them, so every process and a restart see the same. */
export function createStockQuarantine(database: Database): StockQuarantine {
  const db = database.as<StockTables>().read;
  const recentOf = async (system: string): Promise<readonly QuarantinedStock[]> => {
    const rows = await db
      .selectFrom('stock_snapshot')
      .select(['code', 'location_external_id', 'quarantine', 'as_of_ms'])
      .where('system', '=', system)
      .where('quarantine', 'is not', null)
      .orderBy('as_of_ms', 'desc')
      .limit(RECENT)
      .execute();
    return rows.map((row) => ({
      code: row.code,
      locationExternalId: row.location_external_id,
      reason: row.quarantine ?? '',
      asOfMs: row.as_of_ms,
    }));
  };
  return {
    async bySystem() {
      const counts = await db
        .selectFrom('stock_snapshot')
        .select(({ fn }) => ['system', fn.countAll<number>().as('rows')])
        .where('quarantine', 'is not', null)
        .groupBy('system')
        .execute();
      const entries = counts.map(
        async ({ system, rows }) => [system, { rows, recent: await recentOf(system) }] as const,
      );
      return new Map(await Promise.all(entries));
    },
  };
}
