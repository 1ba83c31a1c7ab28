import { randomBytes } from 'node:crypto';

import type { Transaction } from 'kysely';

import { batchesOf, inBatches } from '#platform/batches.ts';
import type { IdentityTables } from './tables.ts';
import type { Database } from '#platform/database.ts';
import { type ExternalRef, type ProfileId, type SubjectId, toProfileId, toSubjectId } from '#schema/model/ids.ts';
import type { ProfileRecord } from '#schema/model/records.ts';

/** A profile or guest order to find or mint the subject of. */
export interface SubjectRef extends ExternalRef {
  /** @default 'PROFILE' */
  readonly kind?: ProfileRecord['kind'];
}

export interface EnsuredSubject {
  readonly subject: SubjectId;
  readonly profile: ProfileId;
}

export interface Subjects {
  /**
   * The subject of each reference, in input order; minted on first sight and the same ever after, whoever asks first.
   * Cost: one read; one transaction more per 500 new references.
   */
  readonly ensureSubjects: (refs: readonly SubjectRef[]) => Promise<readonly EnsuredSubject[]>;
}

export interface SubjectsOptions {
  readonly database: Database;
}

/** The mint of subjects, customer ids and profile ids: all random, so that none tells anything. */
export function createSubjects(options: SubjectsOptions): Subjects {
  const database = options.database.as<IdentityTables>();

  return {
    async ensureSubjects(refs) {
      const unique = [...new Map(refs.map((ref) => [keyOf(ref), ref])).values()];
      const found = await findSubjects(database.read, unique);
      const missing = unique.filter((ref) => !found.has(keyOf(ref)));
      for (const batch of batchesOf(missing)) {
        const minted = await database.write.transaction().execute(async (trx) => mintSubjects(trx, batch));
        for (const [key, subject] of minted) found.set(key, subject);
      }
      return refs.map((ref) => {
        const ensured = found.get(keyOf(ref));
        if (ensured === undefined) throw new Error('a subject that was just minted is gone');
        return ensured;
      });
    },
  };
}

/** Makes identity writers of all processes take turns until the transaction ends, and reserves `count` sequence numbers. */
export async function lockIdentity(trx: Transaction<IdentityTables>, count = 0): Promise<number> {
  const { value } = await trx
    .updateTable('identity_counter')
    .set((eb) => ({ value: eb('value', '+', count) }))
    .where('id', '=', 1)
    .returning('value')
    .executeTakeFirstOrThrow();
  return value - count;
}

async function findSubjects(
  db: Database<IdentityTables>['read'],
  refs: readonly ExternalRef[],
): Promise<Map<string, EnsuredSubject>> {
  const found = new Map<string, EnsuredSubject>();
  for (const [system, group] of Map.groupBy(refs, (ref) => ref.system)) {
    const rows = await inBatches(group, async (batch) =>
      db
        .selectFrom('source_profile')
        .select(['external_id', 'subject_id', 'profile_id'])
        .where('system', '=', system)
        .where(
          'external_id',
          'in',
          batch.map((ref) => ref.externalId),
        )
        .execute(),
    );
    for (const row of rows) {
      found.set(keyOf({ system, externalId: row.external_id }), {
        subject: toSubjectId(row.subject_id),
        profile: toProfileId(row.profile_id),
      });
    }
  }
  return found;
}

async function mintSubjects(
  trx: Transaction<IdentityTables>,
  refs: readonly SubjectRef[],
): Promise<Map<string, EnsuredSubject>> {
  const last = await lockIdentity(trx, refs.length);
  // Another writer may have been first: under the lock the look-up is final.
  const found = await findSubjects(trx, refs);
  const fresh = refs
    .filter((ref) => !found.has(keyOf(ref)))
    .map((ref, index) => ({
      ref,
      seq: last + index + 1,
      subject: toSubjectId(mintId('sub')),
      customer: mintId('cus'),
      profile: toProfileId(mintId('prf')),
    }));
  if (fresh.length === 0) return found;
  await trx
    .insertInto('subject')
    .values(
      fresh.map(({ ref, seq, subject, customer }) => ({
        id: subject,
        customer_id: customer,
        own_customer_id: customer,
        flags: 'NORMAL',
        is_test: 0,
        fulfillment_only: ref.kind === 'MARKETPLACE_BUYER' ? 1 : 0,
        created_seq: seq,
      })),
    )
    .execute();
  await trx
    .insertInto('source_profile')
    .values(
      fresh.map(({ ref, subject, profile }) => ({
        system: ref.system,
        external_id: ref.externalId,
        subject_id: subject,
        profile_id: profile,
        kind: ref.kind ?? 'PROFILE',
        email_verified: 0,
        is_test: 0,
        do_not_link: 0,
      })),
    )
    .execute();
  for (const { ref, subject, profile } of fresh) found.set(keyOf(ref), { subject, profile });
  return found;
}

/** A random id with its type's prefix: 120 bits. */
export function mintId(prefix: string): string {
  return `${prefix}_${randomBytes(15).toString('base64url')}`;
}

/** One text for a reference, as a map's key. */
export function keyOf(ref: ExternalRef): string {
  return `${ref.system}\n${ref.externalId}`;
}
