import type { OrderFacet, OrderView } from './order-directory.ts';
import type { OrderTables } from './tables.ts';
import { inBatches } from '#platform/batches.ts';
import { keyOf } from '#domain/identity/subjects.ts';
import type { Database } from '#platform/database.ts';
import type { SubjectCipher } from '#schema/model/consent.ts';
import type { Money } from '#schema/model/figures.ts';
import { type ExternalRef, type Sku, type SystemId, toSubjectId } from '#schema/model/ids.ts';
import type { OrderRecord } from '#schema/model/records.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { OrderSource, Slot } from '#schema/model/sources.ts';

export interface OrderLine {
  /** Null: no product, or an ambiguous code. */
  readonly sku: Sku | null;
  readonly title: string | null;
  /** Whole base units. */
  readonly quantity: number;
  readonly unitPrice: Money | null;
}

export interface OrderValues {
  /** Null: no system that answered carries lines. */
  readonly lines: readonly OrderLine[] | null;
  readonly total: Money | null;
  /** Systems that would have been asked first and did not answer. */
  readonly failures: readonly { readonly system: SystemId; readonly error: Error }[];
}

/** Port of the catalog domain: the products behind a system's item codes, in order. */
export interface SkuResolver {
  readonly skusOf: (system: string, codes: readonly string[]) => Promise<readonly (Sku | null)[]>;
}

/** Reads lines and totals where they live. */
export interface OrderValueReader {
  /** In input order. Cost: one batch read a system and round; a second round only for orders whose first system failed. */
  readonly read: (orders: readonly OrderView[], scope: CallScope) => Promise<readonly OrderValues[]>;
}

export interface OrderValueReaderOptions {
  readonly database: Database;
  readonly cipher: SubjectCipher;
  /** Systems whose orders can be read at request time; the others' values are snapshots. */
  readonly sources: readonly OrderSource[];
  /** Which system's lines and total count, first wins. Systems that are not listed carry no values. */
  readonly precedence: readonly SystemId[];
  readonly skus: SkuResolver;
}

interface Progress {
  readonly queue: OrderFacet[];
  readonly failures: { system: SystemId; error: Error }[];
  record: OrderRecord | null;
}

export function createOrderValueReader(options: OrderValueReaderOptions): OrderValueReader {
  const { precedence } = options;
  const sources = new Map(options.sources.map((source) => [source.system, source]));
  const readSnapshots = createSnapshotReader(options);

  const readSystem = async (system: SystemId, facets: readonly OrderFacet[], scope: CallScope) => {
    const source = sources.get(system);
    if (source === undefined) return readSnapshots(facets);
    return source.ordersById(
      facets.map((facet) => facet.externalId),
      scope,
    );
  };

  /** Asks the next system of every order that has no lines yet. */
  const readRound = async (open: readonly Progress[], scope: CallScope): Promise<void> => {
    const asked = open.map((progress) => ({ progress, facet: progress.queue.shift()! }));
    const groups = [...Map.groupBy(asked, ({ facet }) => facet.system)];
    await Promise.all(
      groups.map(async ([system, group]) => {
        const slots = await readSystem(
          system,
          group.map(({ facet }) => facet),
          scope,
        ).catch((error: unknown) => group.map(() => toError(error)));
        for (const [index, { progress }] of group.entries()) settle(progress, system, slots[index] ?? null);
      }),
    );
  };

  return {
    async read(orders, scope) {
      const all = orders.map((order): Progress => ({
        queue: valueFacets(order, precedence),
        failures: [],
        record: null,
      }));
      let open = all.filter(isOpen);
      while (open.length > 0) {
        // oxlint-disable-next-line no-await-in-loop -- the next round asks only for what this one could not answer
        await readRound(open, scope);
        open = open.filter(isOpen);
      }
      const lines = await resolveLines(
        all.map(({ record }) => record),
        options.skus,
      );
      return all.map(({ record, failures }, index) => ({
        lines: lines[index] ?? null,
        total: record?.total ?? null,
        failures,
      }));
    },
  };
}

function isOpen(progress: Progress): boolean {
  return progress.queue.length > 0 && (progress.record === null || progress.record.lines.length === 0);
}

function settle(progress: Progress, system: SystemId, slot: Slot<OrderRecord>): void {
  if (slot instanceof Error) progress.failures.push({ system, error: slot });
  else if (slot !== null && (progress.record === null || slot.lines.length > 0)) progress.record = slot;
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('a read failed', { cause: error });
}

function valueFacets(order: OrderView, precedence: readonly SystemId[]): OrderFacet[] {
  return precedence.flatMap((system) => order.references.filter((facet) => facet.system === system));
}

/** Lines with their products; null for records without lines. One look-up a system. */
async function resolveLines(
  records: readonly (OrderRecord | null)[],
  skus: SkuResolver,
): Promise<readonly (readonly OrderLine[] | null)[]> {
  const bySystem = Map.groupBy(
    records.filter((record) => record !== null),
    (record) => record.system,
  );
  const found = new Map<string, Sku | null>();
  await Promise.all(
    [...bySystem].map(async ([system, group]) => {
      const codes = [...new Set(group.flatMap((record) => record.lines.flatMap((line) => line.code ?? [])))];
      if (codes.length === 0) return;
      const resolved = await skus.skusOf(system, codes);
      for (const [index, code] of codes.entries()) found.set(`${system}\n${code}`, resolved[index] ?? null);
    }),
  );
  return records.map((record) => {
    if (record === null || record.lines.length === 0) return null;
    return record.lines.map(({ code, title, quantity, unitPrice }) => ({
      sku: code === null ? null : (found.get(`${record.system}\n${code}`) ?? null),
      title,
      quantity,
      unitPrice,
    }));
  });
}

/** Decrypts kept orders; null where none is kept or the buyer's key was destroyed. */
function createSnapshotReader(
  options: OrderValueReaderOptions,
): (refs: readonly ExternalRef[]) => Promise<readonly (OrderRecord | null)[]> {
  const db = options.database.as<OrderTables>().read;
  return async (refs) => {
    const rows = await inBatches(refs, async (batch) =>
      db
        .selectFrom('order_snapshot')
        .selectAll()
        .where('system', '=', batch[0]?.system ?? '')
        .where(
          'external_id',
          'in',
          batch.map((ref) => ref.externalId),
        )
        .execute(),
    );
    const texts = await options.cipher.decrypt(
      rows.map((row) => ({ subject: toSubjectId(row.subject_id), ciphertext: row.ciphertext })),
    );
    const byKey = new Map(rows.map((row, index) => [`${row.system}\n${row.external_id}`, texts[index] ?? null]));
    return refs.map((ref) => {
      const text = byKey.get(keyOf(ref)) ?? null;
      // Authenticated with the subject's key: only the order sink can have written it.
      return text === null ? null : (JSON.parse(text) as OrderRecord);
    });
  };
}
