import { inBatches } from '#platform/batches.ts';
import type { Member } from './members.ts';
import type { IdentityTables } from './tables.ts';
import type { Database } from '#platform/database.ts';
import type { SubjectCipher } from '#schema/model/consent.ts';
import type { LoyaltyRecord, ProfileRecord } from '#schema/model/records.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { LoyaltySource, ProfileSource, Slot } from '#schema/model/sources.ts';

type MemberRef = Pick<Member, 'profile' | 'subject' | 'system' | 'externalId' | 'kind'>;

/** Reads the values of source profiles where they live. Both answer in input order and never reject. */
export interface ProfileReader {
  /**
   * Null: the source no longer knows the profile, or its key was destroyed. Cost: one batch read a system, all in
   * parallel; one read and one of keys for profiles that are kept as snapshots.
   */
  readonly readProfiles: (members: readonly MemberRef[], scope: CallScope) => Promise<readonly Slot<ProfileRecord>[]>;
  /** Loyalty accounts of each profile; empty where its system has none. Cost: one batch read a system. */
  readonly readLoyalty: (
    members: readonly MemberRef[],
    scope: CallScope,
  ) => Promise<readonly Slot<readonly LoyaltyRecord[]>[]>;
}

export interface ProfileReaderOptions {
  readonly database: Database;
  readonly cipher: SubjectCipher;
  readonly profileSources: readonly ProfileSource[];
  readonly loyaltySources: readonly LoyaltySource[];
}

export function createProfileReader(options: ProfileReaderOptions): ProfileReader {
  const profileSources = new Map(options.profileSources.map((source) => [source.system, source]));
  const loyaltySources = new Map(options.loyaltySources.map((source) => [source.system, source]));
  const readSnapshots = createSnapshotReader(options);
  const isLive = (member: MemberRef): boolean => member.kind === 'PROFILE' && profileSources.has(member.system);

  return {
    async readProfiles(members, scope) {
      return readGrouped(
        members,
        (member) => (isLive(member) ? member.system : ''),
        async (system, group) => {
          const source = profileSources.get(group[0]!.system);
          if (system === '' || source === undefined) return readSnapshots(group);
          return source.profilesById(
            group.map((member) => member.externalId),
            scope,
          );
        },
      );
    },

    async readLoyalty(members, scope) {
      return readGrouped(
        members,
        // A guest of a system has no account there, and must not stand for those who have.
        (member) => (isLive(member) ? member.system : ''),
        async (system, group) => {
          const source = loyaltySources.get(group[0]!.system);
          if (system === '' || source === undefined) return group.map(() => []);
          return source.loyaltyByCustomer(
            group.map((member) => member.externalId),
            scope,
          );
        },
      );
    },
  };
}

/** Reads each group at once, all groups in parallel; a group that fails costs its own slots only. */
async function readGrouped<V>(
  members: readonly MemberRef[],
  groupOf: (member: MemberRef) => string,
  read: (group: string, members: readonly MemberRef[]) => Promise<readonly Slot<V>[]>,
): Promise<readonly Slot<V>[]> {
  const slots = new Map<MemberRef, Slot<V>>();
  await Promise.all(
    [...Map.groupBy(members, groupOf)].map(async ([name, group]) => {
      const answers = await read(name, group).catch((error: unknown) =>
        group.map(() => (error instanceof Error ? error : new Error('a read failed', { cause: error }))),
      );
      for (const [index, member] of group.entries()) slots.set(member, answers[index] ?? null);
    }),
  );
  return members.map((member) => slots.get(member) ?? null);
}

function createSnapshotReader(
  options: ProfileReaderOptions,
): (members: readonly MemberRef[]) => Promise<readonly (ProfileRecord | null)[]> {
  const db = options.database.as<IdentityTables>().read;
  return async (members) => {
    const rows = await inBatches(
      members.map((member) => member.profile),
      async (batch) =>
        db
          .selectFrom('profile_snapshot')
          .select(['profile_id', 'ciphertext'])
          .where('profile_id', 'in', batch)
          .execute(),
    );
    const ciphertexts = new Map(rows.map((row) => [row.profile_id, row.ciphertext]));
    const kept = members.flatMap((member) => {
      const ciphertext = ciphertexts.get(member.profile);
      return ciphertext === undefined ? [] : [{ member, ciphertext }];
    });
    const texts = await options.cipher.decrypt(
      kept.map(({ member, ciphertext }) => ({ subject: member.subject, ciphertext })),
    );
    const byMember = new Map(kept.map(({ member }, index) => [member, texts[index] ?? null]));
    return members.map((member) => {
      const text = byMember.get(member) ?? null;
      // Authenticated with the subject's key: only the profile writer can have written it.
      return text === null ? null : (JSON.parse(text) as ProfileRecord);
    });
  };
}
