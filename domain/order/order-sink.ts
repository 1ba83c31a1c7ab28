import type { Kysely, Transaction } from 'kysely';

import {
  type FacetRow,
  type WrittenFacet,
  readFacets,
  refOf,
  refreshOrders,
  removeFacets,
  writeFacets,
} from './facet-writer.ts';
import type { OrderPolicy } from './order-merge.ts';
import type { OrderTables } from './tables.ts';
import { inBatches } from '#platform/batches.ts';
import type { ProfileWriter } from '#domain/identity/profile-writer.ts';
import { splitChanges } from '#domain/identity/sinks.ts';
import { type SubjectRef, type Subjects, keyOf, lockIdentity } from '#domain/identity/subjects.ts';
import type { IdentityTables } from '#domain/identity/tables.ts';
import { isOlder } from '#schema/model/record-version.ts';
import { type Clock, nowIso } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { commitFeedCursor, cursorOf, readFeedCursor } from '#platform/feed-cursors.ts';
import type { SubjectCipher } from '#schema/model/consent.ts';
import {
  type ExternalRef,
  type LocationId,
  type SubjectId,
  locationIdOf,
  toSubjectId,
  toSystemId,
} from '#schema/model/ids.ts';
import type { OrderRecord, ProfileRecord } from '#schema/model/records.ts';
import type { FeedSink } from '#schema/model/sources.ts';

export interface OrderSinkOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly subjects: Subjects;
  /** Writes buyers that only the order names (guests, marketplace buyers). */
  readonly profiles: ProfileWriter;
  readonly cipher: SubjectCipher;
  readonly policy: OrderPolicy;
  /** Whose orders cannot be read at request time: their values are kept as ciphertext. */
  readonly keepsSnapshot: (order: OrderRecord) => boolean;
  /** Told after a commit whose orders changed. Must not throw. */
  readonly onChanged?: (subjects: readonly SubjectId[]) => void;
  /** The graph's location for a system's own id of it. @default locationIdOf */
  readonly locationOf?: (ref: ExternalRef) => LocationId;
}

type Tables = OrderTables & IdentityTables;

interface Prepared {
  readonly facet: FacetRow;
  readonly ciphertext: string | null;
}

/** Order relations are confirmed at most this often: far below the day after which consent no longer trusts them. */
const CONFIRM_EVERY_MS = 3_600_000;

/** Where order feeds go: facets, orders, relations, buyers and the cursor, together or not at all. */
export function createOrderSink(options: OrderSinkOptions): FeedSink<OrderRecord> {
  const { clock, profiles, policy } = options;
  const database = options.database.as<Tables>();
  const confirmedAtMs = new Map<string, number>();

  return {
    async writePage(feed, page) {
      const { upserts, deletes } = splitChanges(page.changes);
      const orders = newestOf(upserts);
      const buyers = await profiles.prepare(orders.flatMap(buyerProfile));
      const prepared = await prepareFacets(orders, options, database.read);
      const nowMs = clock.nowMs();
      const due = page.done && nowMs - (confirmedAtMs.get(feed.system) ?? 0) >= CONFIRM_EVERY_MS;
      const touched = await database.write.transaction().execute(async (trx) => {
        // Facets of one order arrive by several feeds: their writers take turns.
        await lockIdentity(trx);
        const linked = buyers.profiles.length > 0 ? await profiles.write(trx, buyers) : [];
        const written = await writeFacets(
          trx,
          prepared.map(({ facet }) => facet),
        );
        await writeSnapshots(trx, { prepared, written });
        const gone = await removeFacets(trx, { refs: deletes, at: nowIso(clock) });
        await refreshOrders(trx, { ...touchedBy(written, gone), policy, syncedAtMs: nowMs });
        if (due) await confirmRelations(trx, feed.system, nowMs);
        await commitFeedCursor(trx, cursorOf(feed, page, clock));
        return [...linked, ...written.map(({ row }) => toSubjectId(row.subject_id))];
      });
      options.onChanged?.(touched);
      if (due) confirmedAtMs.set(feed.system, nowMs);
    },
    readCursor: async (feed) => readFeedCursor(options.database, feed),
  };
}

function newestOf(records: readonly OrderRecord[]): readonly OrderRecord[] {
  const newest = new Map<string, OrderRecord>();
  for (const record of records) {
    const known = newest.get(keyOf(record));
    if (known === undefined || !isOlder(versionOf(record), versionOf(known))) newest.set(keyOf(record), record);
  }
  return [...newest.values()];
}

function versionOf(record: OrderRecord): { readonly as_of: string | null; readonly sequence: string | null } {
  return { as_of: record.updatedAt ?? record.provenance.asOf, sequence: record.provenance.source?.sequence ?? null };
}

/** The buyer, when no profile feed delivers it. */
function buyerProfile(order: OrderRecord): readonly ProfileRecord[] {
  const { buyer } = order;
  if (buyer === null || buyer.kind === 'PROFILE') return [];
  return order.customerExternalId === null || keyOf(buyerRef(order)) === keyOf(buyer) ? [buyer] : [];
}

/** Whom the order names; a guest or nobody gets a subject of the order's own. */
function buyerRef(order: OrderRecord): SubjectRef & { readonly buyerKind: string } {
  const { buyer, customerExternalId } = order;
  if (customerExternalId !== null) {
    const system = order.customerSystem ?? order.system;
    const kind = buyer?.externalId === customerExternalId && buyer.system === system ? buyer.kind : 'PROFILE';
    return { system, externalId: customerExternalId, kind, buyerKind: kind };
  }
  if (buyer !== null) {
    return { system: buyer.system, externalId: buyer.externalId, kind: buyer.kind, buyerKind: buyer.kind };
  }
  return { system: order.system, externalId: `order:${order.externalId}`, kind: 'GUEST', buyerKind: 'ANONYMOUS' };
}

async function prepareFacets(
  orders: readonly OrderRecord[],
  options: OrderSinkOptions,
  db: Kysely<Tables>,
): Promise<readonly Prepared[]> {
  const refs = orders.map(buyerRef);
  const known = await knownSubjects(
    db,
    orders.filter((_, index) => refs[index]?.buyerKind === 'ANONYMOUS'),
  );
  const unknown = orders.flatMap((order, index) => (known.has(order) ? [] : [{ order, ref: refs[index]! }]));
  const ensured = await options.subjects.ensureSubjects(unknown.map(({ ref }) => ref));
  const subjects = new Map(known);
  for (const [index, { order }] of unknown.entries()) subjects.set(order, ensured[index]!.subject);

  const kept = orders.filter((order) => options.keepsSnapshot(order));
  const ciphertexts = await options.cipher.encrypt(
    kept.map((order) => ({ subject: subjects.get(order)!, plaintext: JSON.stringify(valuesOf(order)) })),
  );
  const byOrder = new Map(kept.map((order, index) => [order, ciphertexts[index] ?? null]));
  return orders.map((order, index) => ({
    facet: toFacet(order, { subject: subjects.get(order)!, buyerKind: refs[index]!.buyerKind }, options),
    ciphertext: byOrder.get(order) ?? null,
  }));
}

/** What a snapshot keeps: the values a resolver would read, without the buyer, who has a snapshot of its own. */
function valuesOf(order: OrderRecord): OrderRecord {
  return { ...order, buyer: null };
}

/** Facets that name nobody take the subject the order already has, so that no subject is minted in vain. */
async function knownSubjects(
  db: Kysely<Tables>,
  orders: readonly OrderRecord[],
): Promise<ReadonlyMap<OrderRecord, SubjectId>> {
  const stored = await readFacets(db, orders);
  const numbers = orders.flatMap((order) => order.orderNumber ?? []);
  const rows = await inBatches([...new Set(numbers)], async (batch) =>
    db
      .selectFrom('order_directory')
      .select(['order_number', 'subject_id'])
      .where('order_number', 'in', batch)
      .execute(),
  );
  const byNumber = new Map(rows.map((row) => [row.order_number, row.subject_id]));
  return new Map(
    orders.flatMap((order) => {
      const subject = stored.get(keyOf(order))?.subject_id ?? byNumber.get(order.orderNumber);
      return subject === undefined ? [] : [[order, toSubjectId(subject)] as const];
    }),
  );
}

function toFacet(
  order: OrderRecord,
  buyer: { readonly subject: SubjectId; readonly buyerKind: string },
  options: OrderSinkOptions,
): FacetRow {
  const locationOf = options.locationOf ?? locationIdOf;
  const { system, locationExternalId } = order;
  return {
    system,
    external_id: order.externalId,
    order_number: order.orderNumber,
    connector: order.provenance.source?.connector ?? '',
    state: order.state,
    vendor_state: order.vendorState,
    channel: order.channel,
    placed_at: instant(order.placedAt),
    location_id: locationExternalId === null ? null : locationOf({ system, externalId: locationExternalId }),
    subject_id: buyer.subject,
    buyer_kind: buyer.buyerKind,
    updated_at: instant(order.updatedAt),
    ...versionOf(order),
    observed_at: order.provenance.observedAt,
    deleted_at: null,
  };
}

function instant(text: string | null): number | null {
  const parsed = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(parsed) ? null : parsed;
}

function touchedBy(
  written: readonly WrittenFacet[],
  gone: readonly string[],
): { readonly orderIds: readonly string[]; readonly moves: ReadonlyMap<string, string> } {
  const moves = new Map<string, string>();
  for (const { row, previousOrderId } of written) {
    if (previousOrderId !== null && previousOrderId !== row.order_id) moves.set(previousOrderId, row.order_id);
  }
  // Dropped orders come first: their number must be free before another order takes it.
  return { orderIds: [...moves.keys(), ...gone, ...written.map(({ row }) => row.order_id)], moves };
}

async function writeSnapshots(
  trx: Transaction<Tables>,
  { prepared, written }: { readonly prepared: readonly Prepared[]; readonly written: readonly WrittenFacet[] },
): Promise<void> {
  const ciphertexts = new Map(prepared.map(({ facet, ciphertext }) => [keyOf(refOf(facet)), ciphertext]));
  const rows = written.flatMap(({ row }) => {
    const ciphertext = ciphertexts.get(keyOf(refOf(row))) ?? null;
    const { order_id, system, external_id, subject_id } = row;
    return ciphertext === null ? [] : [{ order_id, system, external_id, subject_id, ciphertext }];
  });
  if (rows.length === 0) return;
  await trx
    .insertInto('order_snapshot')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['system', 'external_id']).doUpdateSet((eb) => ({
        order_id: eb.ref('excluded.order_id'),
        subject_id: eb.ref('excluded.subject_id'),
        ciphertext: eb.ref('excluded.ciphertext'),
      })),
    )
    .execute();
}

/** A feed that reached its end confirms every open order of its system, changed or not. */
async function confirmRelations(trx: Transaction<Tables>, system: string, nowMs: number): Promise<void> {
  await trx
    .updateTable('order_relation')
    .set({ synced_at: nowMs })
    .where('open_until', '>', nowMs)
    .where('order_id', 'in', (eb) =>
      eb
        .selectFrom('order_reference')
        .select('order_id')
        .where('system', '=', toSystemId(system))
        .where('deleted_at', 'is', null),
    )
    .execute();
}
