import type { Transaction } from 'kysely';

import { batchesOf, inBatches } from '#platform/batches.ts';
import type { MatchKeys } from './match-keys.ts';
import type { LoyaltyNumber, ProfileWriter } from './profile-writer.ts';
import { type Subjects, keyOf } from './subjects.ts';
import type { IdentityTables } from './tables.ts';
import { isOlder, versionOf } from '#schema/model/record-version.ts';
import { type Clock, nowIso } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { commitFeedCursor, cursorOf, readFeedCursor } from '#platform/feed-cursors.ts';
import { type ExternalRef, type SubjectId, type SystemId, toSystemId } from '#schema/model/ids.ts';
import type { LoyaltyRecord, ProfileRecord } from '#schema/model/records.ts';
import type { Change, FeedSink } from '#schema/model/sources.ts';

export interface IdentitySinkOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly writer: ProfileWriter;
  /** Told after a commit whose customers may read differently now. Must not throw. */
  readonly onChanged?: (subjects: readonly SubjectId[]) => void;
}

/** Where profile feeds go: directory rows, links and the cursor, together or not at all. */
export function createProfileSink(options: IdentitySinkOptions): FeedSink<ProfileRecord> {
  const { clock, writer } = options;
  const database = options.database.as<IdentityTables>();
  return {
    async writePage(feed, page) {
      const { upserts, deletes } = splitChanges(page.changes);
      const prepared = await writer.prepare(upserts);
      const touched = await database.write.transaction().execute(async (trx) => {
        const written = upserts.length > 0 ? await writer.write(trx, prepared) : [];
        const removed = deletes.length > 0 ? await writer.remove(trx, deletes) : [];
        await commitFeedCursor(trx, cursorOf(feed, page, clock));
        return [...written, ...removed];
      });
      options.onChanged?.(touched);
    },
    readCursor: async (feed) => readFeedCursor(options.database, feed),
  };
}

export interface LoyaltySinkOptions extends IdentitySinkOptions {
  readonly subjects: Subjects;
  readonly matchKeys: MatchKeys;
  /** ISO 3166-1 alpha-2: reads accounts filed under a phone number without a prefix. */
  readonly country: string;
}

/** Where loyalty feeds go: accounts complete the loyalty number of the profile they belong to. */
export function createLoyaltySink(options: LoyaltySinkOptions): FeedSink<LoyaltyRecord> {
  const { clock, writer, subjects, matchKeys } = options;
  const database = options.database.as<IdentityTables>();
  return {
    async writePage(feed, page) {
      const { upserts, deletes } = splitChanges(page.changes);
      const ensured = await subjects.ensureSubjects(
        upserts.map((record) => profileRef(record.system, record.customerExternalId)),
      );
      const linked = await database.write.transaction().execute(async (trx) => {
        const fresh = await upsertAccounts(trx, upserts, (number) => matchKeys.loyaltyAccount(number, options.country));
        const gone = await removeAccounts(trx, { refs: deletes, at: nowIso(clock) });
        const numbers = new Map<string, LoyaltyNumber>();
        for (const ref of gone) numbers.set(ref.externalId, { ref, hash: null });
        for (const { system, customerExternalId, number } of fresh) {
          const hash = number === null ? null : matchKeys.loyaltyNumber(number);
          numbers.set(customerExternalId, { ref: { system, externalId: customerExternalId }, hash });
        }
        const touched = numbers.size > 0 ? await writer.writeLoyalty(trx, [...numbers.values()]) : [];
        await commitFeedCursor(trx, cursorOf(feed, page, clock));
        return touched;
      });
      options.onChanged?.([...ensured.map(({ subject }) => subject), ...linked]);
    },
    readCursor: async (feed) => readFeedCursor(options.database, feed),
  };
}

const profileRef = (system: SystemId, externalId: string): ExternalRef => ({ system, externalId });

/** Writes the accounts that are not older than the stored ones and answers those. */
async function upsertAccounts(
  trx: Transaction<IdentityTables>,
  records: readonly LoyaltyRecord[],
  hashOf: (number: string) => string | null,
): Promise<readonly LoyaltyRecord[]> {
  const unique = [...new Map(records.map((record) => [record.externalId, record])).values()];
  const stored = new Map((await readAccounts(trx, unique)).map((row) => [row.external_id, row]));
  const fresh = unique.filter((record) => {
    const known = stored.get(record.externalId);
    return known === undefined || !isOlder(versionOf(record), known);
  });
  for (const batch of batchesOf(fresh)) {
    await trx
      .insertInto('loyalty_account')
      .values(
        batch.map((record) => ({
          system: record.system,
          external_id: record.externalId,
          profile_external_id: record.customerExternalId,
          number_hash: record.number === null ? null : hashOf(record.number),
          ...versionOf(record),
          deleted_at: null,
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(['system', 'external_id']).doUpdateSet((eb) => ({
          profile_external_id: eb.ref('excluded.profile_external_id'),
          number_hash: eb.ref('excluded.number_hash'),
          as_of: eb.ref('excluded.as_of'),
          sequence: eb.ref('excluded.sequence'),
          deleted_at: null,
        })),
      )
      .execute();
  }
  return fresh;
}

/** Marks accounts as deleted and answers the profiles they belonged to. */
async function removeAccounts(
  trx: Transaction<IdentityTables>,
  change: { readonly refs: readonly ExternalRef[]; readonly at: string },
): Promise<readonly ExternalRef[]> {
  const stored = await readAccounts(trx, change.refs);
  for (const row of stored) {
    await trx
      .updateTable('loyalty_account')
      .set({ deleted_at: change.at })
      .where('system', '=', row.system)
      .where('external_id', '=', row.external_id)
      .execute();
  }
  return stored.map((row) => profileRef(toSystemId(row.system), row.profile_external_id));
}

async function readAccounts(
  trx: Transaction<IdentityTables>,
  refs: readonly ExternalRef[],
): Promise<readonly IdentityTables['loyalty_account'][]> {
  return inBatches(refs, async (batch) =>
    trx
      .selectFrom('loyalty_account')
      .selectAll()
      .where('system', '=', batch[0]?.system ?? '')
      .where(
        'external_id',
        'in',
        batch.map((ref) => ref.externalId),
      )
      .execute(),
  );
}

/** A page as upserts and deletes; of a record that appears as both, the later kind counts. */
export function splitChanges<V extends ExternalRef>(
  changes: readonly Change<V>[],
): { readonly upserts: readonly V[]; readonly deletes: readonly ExternalRef[] } {
  const refOf = (change: Change<V>): ExternalRef => (change.kind === 'upsert' ? change.value : change);
  const lastKinds = new Map(changes.map((change) => [keyOf(refOf(change)), change.kind]));
  const counting = changes.filter((change) => lastKinds.get(keyOf(refOf(change))) === change.kind);
  return {
    upserts: counting.flatMap((change) => (change.kind === 'upsert' ? [change.value] : [])),
    deletes: counting.flatMap((change) =>
      change.kind === 'delete' ? [profileRef(change.system, change.externalId)] : [],
    ),
  };
}
