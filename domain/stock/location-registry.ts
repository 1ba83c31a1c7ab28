import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { MortarError } from '#platform/errors.ts';
import { readWithin } from '#platform/read-within.ts';
import { createTypedCache, type ValueCache } from '#platform/value-cache.ts';
import type { LocationConfig } from '#schema/model/configuration.ts';
import type { LocationRecord } from '#schema/model/records.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { LocationSource } from '#schema/model/sources.ts';
import { mergePlaces, type Place } from './locations.ts';
import type { StockTables } from './migrations.ts';
import { locationRecordsSchema, parseStored } from './stock-codec.ts';

/** Places change rarely: read again after a minute, in the background; waited for only after 15 minutes. */
const REFRESH_MS = 60_000;
const WAIT_AFTER_MS = 15 * 60_000;
/** A source that failed is left alone so long. */
const RETRY_MS = 5_000;

/** A system whose places are served from an earlier read because it did not answer. */
interface DegradedLocations {
  readonly system: string;
  readonly asOf: string;
  readonly stale: boolean;
}

/** All places, and what could not be read. */
export interface PlaceDirectory {
  readonly places: readonly Place[];
  readonly byId: ReadonlyMap<string, Place>;
  readonly degraded: readonly DegradedLocations[];
  /** Systems of which nothing is known at all: their places are missing, not absent. */
  readonly failures: readonly Error[];
}

export interface LocationRegistry {
  /** Never rejects. Cost: none while the last read is fresh; else one call a system, in parallel, shared by all callers. */
  readonly load: (scope: CallScope) => Promise<PlaceDirectory>;
}

export interface LocationRegistryOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly cache: ValueCache;
  readonly sources: readonly LocationSource[];
  readonly configured: readonly LocationConfig[];
  /** @default 1500 */
  readonly maxReadMs?: number | undefined;
}

interface Known {
  readonly records: readonly LocationRecord[];
  readonly readAtMs: number;
}

export function createLocationRegistry(options: LocationRegistryOptions): LocationRegistry {
  const { clock, configured } = options;
  const holders = options.sources.map((source) => createHolder(source, options));
  let merged: { readonly from: readonly unknown[]; readonly places: readonly Place[] } | null = null;

  return {
    async load(scope) {
      const states = await Promise.all(holders.map((holder) => holder(scope)));
      const from = states.map(({ known }) => known?.records ?? null);
      if (merged === null || from.some((records, at) => records !== merged?.from[at])) {
        merged = {
          from,
          places: mergePlaces(
            from.flatMap((records) => records ?? []),
            configured,
          ),
        };
      }
      const { places } = merged;
      const nowMs = clock.nowMs();
      return {
        places,
        byId: new Map(places.map((place) => [place.id, place])),
        degraded: states.flatMap(({ system, known, failure }) =>
          known === null || failure === null
            ? []
            : [
                {
                  system,
                  asOf: new Date(known.readAtMs).toISOString(),
                  stale: nowMs - known.readAtMs > WAIT_AFTER_MS,
                },
              ],
        ),
        failures: states.flatMap(({ known, failure }) => (known === null && failure !== null ? [failure] : [])),
      };
    },
  };
}

interface HolderState {
  readonly system: string;
  readonly known: Known | null;
  /** Why the last attempt failed; null: it did not. */
  readonly failure: Error | null;
}

/** Keeps one system's places: memory, then the shared cache, then the source, then the stored last good answer. */
function createHolder(source: LocationSource, options: LocationRegistryOptions) {
  const { clock, cache, database, maxReadMs = 1_500 } = options;
  const { system } = source;
  const db = database.as<StockTables>();
  const shared = createTypedCache({
    cache,
    clock,
    name: 'locations1',
    schema: locationRecordsSchema,
    ttlMs: REFRESH_MS,
  });
  let known: Known | null = null;
  let failure: Error | null = null;
  let attemptedAtMs = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | null = null;

  const read = async (scope: CallScope): Promise<void> => {
    attemptedAtMs = clock.nowMs();
    try {
      const [cached] = await shared.getMany([system]);
      const limits = { scope, clock, maxMs: maxReadMs, system };
      const records = cached ?? (await readWithin(limits, (inner) => source.locations(inner)));
      known = { records, readAtMs: clock.nowMs() };
      failure = null;
      if (cached === undefined) await keep(records);
    } catch (error) {
      failure = error instanceof Error ? error : new MortarError('UPSTREAM_UNAVAILABLE', { system });
      known ??= await lastGood();
    }
  };
  const keep = async (records: readonly LocationRecord[]): Promise<void> => {
    await shared.setMany([{ key: system, value: records }]);
    const row = { system, records: JSON.stringify(records), seen_at_ms: clock.nowMs() };
    // Not awaited: it is for the next start. A failed write is repeated with the next read.
    void db.write
      .insertInto('location_snapshot')
      .values(row)
      .onConflict((conflict) => conflict.column('system').doUpdateSet(row))
      .execute()
      .catch(() => undefined);
  };
  const lastGood = async (): Promise<Known | null> => {
    try {
      const query = db.read.selectFrom('location_snapshot').selectAll().where('system', '=', system);
      const row = await query.executeTakeFirst();
      const records = row === undefined ? null : parseStored(locationRecordsSchema, row.records);
      return row === undefined || records === null ? null : { records, readAtMs: row.seen_at_ms };
    } catch {
      return null;
    }
  };

  return async (scope: CallScope): Promise<HolderState> => {
    const nowMs = clock.nowMs();
    const ageMs = known === null ? Number.POSITIVE_INFINITY : nowMs - known.readAtMs;
    if (running === null && ageMs >= REFRESH_MS && nowMs - attemptedAtMs >= RETRY_MS) {
      // The read serves every caller, so it must outlive the one that happened to start it.
      const own = {
        requestId: scope.requestId,
        deadlineAtMs: nowMs + maxReadMs + 1_000,
        signal: new AbortController().signal,
      };
      running = read(own).finally(() => (running = null));
    }
    if (running !== null && ageMs >= WAIT_AFTER_MS) await waitAtMost(running, scope.deadlineAtMs - nowMs - 50);
    const waiting = known === null && failure === null;
    return { system, known, failure: waiting ? new MortarError('UPSTREAM_TIMEOUT', { system }) : failure };
  };
}

async function waitAtMost(promise: Promise<void>, ms: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, Math.max(0, ms));
  await Promise.race([promise, late.promise]);
  clearTimeout(timer);
}
