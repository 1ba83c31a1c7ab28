import { type Transaction, sql } from 'kysely';

import { batchesOf, inBatches } from '#platform/batches.ts';
import type { KeyChange, ProfileKeys } from './link-area.ts';
import { relink } from './link-store.ts';
import type { MatchKeys } from './match-keys.ts';
import { ageBandOf } from './normalize.ts';
import { type EnsuredSubject, type Subjects, keyOf, lockIdentity } from './subjects.ts';
import type { IdentityTables, SourceProfileTable } from './tables.ts';
import { isOlder, isSameVersion, versionOf } from '#schema/model/record-version.ts';
import { type Clock, nowIso } from '#platform/clock.ts';
import type { SubjectCipher } from '#schema/model/consent.ts';
import { type ExternalRef, type SubjectId, toSubjectId } from '#schema/model/ids.ts';
import type { ProfileRecord } from '#schema/model/records.ts';

export interface ProfileWriterOptions {
  readonly subjects: Subjects;
  readonly cipher: SubjectCipher;
  readonly matchKeys: MatchKeys;
  readonly clock: Clock;
  /** ISO 3166-1 alpha-2: reads phone numbers without a prefix of people whose country is unknown. */
  readonly country: string;
  /** Whose values are kept as ciphertext because they cannot be read at request time. */
  readonly keepsSnapshot: (profile: ProfileRecord) => boolean;
  /** @default 10 */
  readonly sizeCap?: number;
}

/** Records made ready outside a transaction: subjects minted, values encrypted, keys hashed. */
export interface PreparedProfiles {
  readonly profiles: readonly PreparedProfile[];
}

interface PreparedProfile {
  readonly record: ProfileRecord;
  readonly ensured: EnsuredSubject;
  readonly row: SourceProfileTable;
  readonly ciphertext: string | null;
}

/** Writes profiles into the directory and keeps links in line; shared by every feed that delivers people. */
export interface ProfileWriter {
  readonly prepare: (records: readonly ProfileRecord[]) => Promise<PreparedProfiles>;
  /** Keyed upserts; versions older than the stored one are ignored. Takes the identity lock. */
  readonly write: (trx: Transaction<IdentityTables>, prepared: PreparedProfiles) => Promise<Touched>;
  /** Marks profiles as deleted; unknown ones are ignored. Takes the identity lock. */
  readonly remove: (trx: Transaction<IdentityTables>, refs: readonly ExternalRef[]) => Promise<Touched>;
  /** Sets the loyalty number of profiles that state none themselves. Takes the identity lock. */
  readonly writeLoyalty: (trx: Transaction<IdentityTables>, numbers: readonly LoyaltyNumber[]) => Promise<Touched>;
}

/** Whose profile, links or customer changed; what was delivered again unchanged touches nobody. */
export type Touched = readonly SubjectId[];

export interface LoyaltyNumber {
  readonly ref: ExternalRef;
  /** Null: the account is gone, or is filed under a phone. */
  readonly hash: string | null;
}

export function createProfileWriter(options: ProfileWriterOptions): ProfileWriter {
  const { subjects, cipher, matchKeys, clock, country } = options;
  const sizeCap = options.sizeCap ?? 10;

  const relinkNow = async (
    trx: Transaction<IdentityTables>,
    changes: readonly KeyChange[],
    changed: readonly SourceProfileTable[],
  ): Promise<Touched> => {
    const linked = await relink(trx, changes, { sizeCap, at: nowIso(clock) });
    return [...new Set([...changed.map(toSubject), ...linked])];
  };

  return {
    async prepare(records) {
      // Of one profile's versions in a page only the newest is written.
      const newest = new Map<string, ProfileRecord>();
      for (const record of records) {
        const known = newest.get(keyOf(record));
        if (known === undefined || !isOlder(versionOf(record), versionOf(known))) newest.set(keyOf(record), record);
      }
      const unique = [...newest.values()];
      const ensured = await subjects.ensureSubjects(unique);
      const ready = unique.map((record, index) => ({ record, ensured: ensured[index]! }));
      const kept = ready.filter(({ record }) => options.keepsSnapshot(record));
      const ciphertexts = await cipher.encrypt(
        kept.map(({ record, ensured: { subject } }) => ({ subject, plaintext: JSON.stringify(record) })),
      );
      const byRecord = new Map(kept.map(({ record }, index) => [record, ciphertexts[index] ?? null]));
      return {
        profiles: ready.map((entry) => ({
          ...entry,
          row: toRow(entry, matchKeys.profile(entry.record, country)),
          ciphertext: byRecord.get(entry.record) ?? null,
        })),
      };
    },

    async write(trx, { profiles }) {
      await lockIdentity(trx);
      const stored = await readRows(
        trx,
        profiles.map(({ record }) => record),
      );
      const current = profiles.filter(({ row }) => {
        const known = stored.get(rowKey(row));
        if (known === undefined || known.observed_at === null) return true;
        // The version that was deleted does not come back to life when it is delivered again.
        return !isOlder(row, known) && !(known.deleted_at !== null && isSameVersion(row, known));
      });
      const rows = current.map(({ row }) => withAccountNumber(row, stored.get(rowKey(row))));
      await upsertRows(trx, rows);
      await upsertSnapshots(trx, current);
      await updateSubjects(trx, { profiles: current, atMs: clock.nowMs() });
      return relinkNow(trx, keyChanges(rows, stored), rows.filter(isNews(stored)));
    },

    async remove(trx, refs) {
      await lockIdentity(trx);
      const stored = await readRows(trx, refs);
      const gone = [...stored.values()].filter((row) => row.deleted_at === null);
      for (const batch of batchesOf(gone)) {
        const ids = batch.map((row) => row.profile_id);
        await trx
          .updateTable('source_profile')
          .set({ deleted_at: nowIso(clock) })
          .where('profile_id', 'in', ids)
          .execute();
        await trx.deleteFrom('profile_snapshot').where('profile_id', 'in', ids).execute();
      }
      const changes = gone.map((row) => ({
        subject: toSubject(row),
        before: takesPart(row) ? row : null,
        after: null,
      }));
      return relinkNow(trx, changes, gone);
    },

    async writeLoyalty(trx, numbers) {
      await lockIdentity(trx);
      const hashes = new Map(numbers.map(({ ref, hash }) => [keyOf(ref), hash]));
      const stored = await readRows(
        trx,
        numbers.map(({ ref }) => ref),
      );
      const rows = [...stored.values()].flatMap((row) => {
        const hash = hashes.get(rowKey(row)) ?? null;
        const isOpen = row.loyalty_from !== 'PROFILE' && row.loyalty_hash !== hash;
        return isOpen ? [{ ...row, loyalty_hash: hash, loyalty_from: hash === null ? null : 'ACCOUNT' }] : [];
      });
      await upsertRows(trx, rows);
      return relinkNow(trx, keyChanges(rows, stored), rows);
    },
  };
}

function toRow(
  { record, ensured }: { readonly record: ProfileRecord; readonly ensured: EnsuredSubject },
  hashes: ReturnType<MatchKeys['profile']>,
): SourceProfileTable {
  return {
    system: record.system,
    external_id: record.externalId,
    subject_id: ensured.subject,
    profile_id: ensured.profile,
    kind: record.kind,
    connector: record.provenance.source?.connector ?? null,
    ...hashes,
    email_verified: record.emailVerified ? 1 : 0,
    loyalty_from: hashes.loyalty_hash === null ? null : 'PROFILE',
    country: record.country,
    is_test: record.isTest ? 1 : 0,
    do_not_link: record.doNotLink ? 1 : 0,
    created_at: record.createdAt,
    ...versionOf(record),
    observed_at: record.provenance.observedAt,
    deleted_at: null,
  };
}

/** A profile that states no loyalty number keeps the one its account stated. */
function withAccountNumber(row: SourceProfileTable, known: SourceProfileTable | undefined): SourceProfileTable {
  if (row.loyalty_hash !== null || known?.loyalty_from !== 'ACCOUNT') return row;
  return { ...row, loyalty_hash: known.loyalty_hash, loyalty_from: 'ACCOUNT' };
}

const rowKey = (row: Pick<SourceProfileTable, 'system' | 'external_id'>): string => `${row.system}\n${row.external_id}`;

const takesPart = (row: SourceProfileTable): boolean => row.observed_at !== null && row.deleted_at === null;

/** Whether a row says something the stored one did not. */
const isNews =
  (stored: ReadonlyMap<string, SourceProfileTable>) =>
  (row: SourceProfileTable): boolean => {
    const known = stored.get(rowKey(row));
    return known === undefined || !takesPart(known) || !isSameVersion(row, known);
  };

const toSubject = (row: SourceProfileTable): KeyChange['subject'] => toSubjectId(row.subject_id);

/** Changes that may alter links; a profile whose keys and markers all stayed is left alone. */
function keyChanges(
  rows: readonly SourceProfileTable[],
  stored: ReadonlyMap<string, SourceProfileTable>,
): readonly KeyChange[] {
  return rows.flatMap((row) => {
    const known = stored.get(rowKey(row));
    const before: ProfileKeys | null = known !== undefined && takesPart(known) ? known : null;
    if (before !== null && known !== undefined && RULE_COLUMNS.every((column) => known[column] === row[column]))
      return [];
    const after = takesPart(row) ? row : null;
    return before === null && after === null ? [] : [{ subject: toSubject(row), before, after }];
  });
}

const RULE_COLUMNS = [
  'email_hash',
  'email_verified',
  'phone_hash',
  'surname_hash',
  'given_hash',
  'given_initial_hash',
  'birth_hash',
  'loyalty_hash',
  'is_test',
  'do_not_link',
] as const satisfies readonly (keyof SourceProfileTable)[];

async function readRows(
  trx: Transaction<IdentityTables>,
  refs: readonly ExternalRef[],
): Promise<ReadonlyMap<string, SourceProfileTable>> {
  const rows = new Map<string, SourceProfileTable>();
  for (const [system, group] of Map.groupBy(refs, (ref) => ref.system)) {
    const found = await inBatches(group, async (batch) =>
      trx
        .selectFrom('source_profile')
        .selectAll()
        .where('system', '=', system)
        .where(
          'external_id',
          'in',
          batch.map((ref) => ref.externalId),
        )
        .execute(),
    );
    for (const row of found) rows.set(rowKey(row), row);
  }
  return rows;
}

const UPDATED_COLUMNS = [
  ...RULE_COLUMNS,
  'kind',
  'connector',
  'loyalty_from',
  'country',
  'created_at',
  'as_of',
  'sequence',
  'observed_at',
  'deleted_at',
] as const satisfies readonly (keyof SourceProfileTable)[];

async function upsertRows(trx: Transaction<IdentityTables>, rows: readonly SourceProfileTable[]): Promise<void> {
  for (const batch of batchesOf(rows)) {
    await trx
      .insertInto('source_profile')
      .values([...batch])
      .onConflict((conflict) =>
        conflict
          .columns(['system', 'external_id'])
          .doUpdateSet((eb) =>
            Object.fromEntries(UPDATED_COLUMNS.map((column) => [column, eb.ref(`excluded.${column}`)])),
          ),
      )
      .execute();
  }
}

async function upsertSnapshots(trx: Transaction<IdentityTables>, profiles: readonly PreparedProfile[]): Promise<void> {
  const rows = profiles.flatMap(({ ensured, row, ciphertext }) =>
    ciphertext === null
      ? []
      : [{ profile_id: ensured.profile, ciphertext, observed_at: row.observed_at ?? '', as_of: row.as_of }],
  );
  for (const batch of batchesOf(rows)) {
    await trx
      .insertInto('profile_snapshot')
      .values([...batch])
      .onConflict((conflict) =>
        conflict.column('profile_id').doUpdateSet((eb) => ({
          ciphertext: eb.ref('excluded.ciphertext'),
          observed_at: eb.ref('excluded.observed_at'),
          as_of: eb.ref('excluded.as_of'),
        })),
      )
      .execute();
  }
}

/** Facts consent decisions need: they come from the profile, and unknown stays unknown. */
async function updateSubjects(
  trx: Transaction<IdentityTables>,
  change: { readonly profiles: readonly PreparedProfile[]; readonly atMs: number },
): Promise<void> {
  for (const batch of batchesOf(change.profiles)) {
    const values = sql.join(
      batch.map(({ record, ensured }) => {
        const fulfillmentOnly = record.kind === 'MARKETPLACE_BUYER' ? 1 : 0;
        const ageBand = ageBandOf(record.birthDate, change.atMs);
        const jurisdiction = record.country?.toUpperCase() ?? null;
        return sql`(${ensured.subject}, ${jurisdiction}, ${ageBand}, ${record.isTest ? 1 : 0}, ${fulfillmentOnly})`;
      }),
    );
    await sql`with fresh (id, jurisdiction, age_band, is_test, fulfillment_only) as (values ${values})
      update subject set jurisdiction = fresh.jurisdiction, age_band = fresh.age_band,
        is_test = cast(fresh.is_test as integer), fulfillment_only = cast(fresh.fulfillment_only as integer)
      from fresh where fresh.id = subject.id`.execute(trx);
  }
}
