import type { Kysely } from 'kysely';

import { inBatches } from '#platform/batches.ts';
import type { LinkTier } from './link-rules.ts';
import type { IdentityTables } from './tables.ts';
import {
  type CustomerId,
  type ProfileId,
  type SubjectId,
  type SystemId,
  toCustomerId,
  toProfileId,
  toSubjectId,
  toSystemId,
} from '#schema/model/ids.ts';
import type { ProfileRecord } from '#schema/model/records.ts';

/** One live source profile of a customer. */
export interface Member {
  readonly profile: ProfileId;
  readonly subject: SubjectId;
  /** The customer the member belongs to now, and the id it came with. */
  readonly customer: CustomerId;
  readonly ownCustomer: CustomerId;
  readonly system: SystemId;
  readonly externalId: string;
  readonly kind: ProfileRecord['kind'];
  readonly connector: string;
  readonly asOf: string | null;
  readonly observedAt: string;
  readonly isTest: boolean;
}

export interface MemberLink {
  readonly a: SubjectId;
  readonly b: SubjectId;
  readonly tier: LinkTier;
  readonly evidence: readonly string[];
  readonly linkedAt: string;
}

/** The live members of customers, oldest first, and the links in force among them. Erased people have none. Cost: two reads. */
export async function readMembers(
  db: Kysely<IdentityTables>,
  customers: readonly CustomerId[],
): Promise<{ readonly members: readonly Member[]; readonly links: readonly MemberLink[] }> {
  const rows = await inBatches([...new Set(customers)], async (batch) =>
    db
      .selectFrom('subject')
      .innerJoin('source_profile as profile', 'profile.subject_id', 'subject.id')
      .select([
        'subject.id',
        'subject.customer_id',
        'subject.own_customer_id',
        'subject.created_seq',
        'subject.is_test',
        'profile.profile_id',
        'profile.system',
        'profile.external_id',
        'profile.kind',
        'profile.connector',
        'profile.as_of',
        'profile.observed_at',
      ])
      .where('subject.customer_id', 'in', batch)
      .where('subject.flags', '!=', 'ERASED')
      .where('profile.observed_at', 'is not', null)
      .where('profile.deleted_at', 'is', null)
      .execute(),
  );
  const members = [...rows]
    .toSorted((a, b) => a.created_seq - b.created_seq)
    .map((row) => ({
      profile: toProfileId(row.profile_id),
      subject: toSubjectId(row.id),
      customer: toCustomerId(row.customer_id),
      ownCustomer: toCustomerId(row.own_customer_id),
      system: toSystemId(row.system),
      externalId: row.external_id,
      // Only the profile writer writes the column, from records.
      kind: row.kind as ProfileRecord['kind'],
      connector: row.connector ?? '',
      asOf: row.as_of,
      observedAt: row.observed_at ?? '',
      isTest: row.is_test === 1,
    }));
  const shared = [...Map.groupBy(members, (member) => member.customer).values()].filter((set) => set.length > 1);
  return {
    members,
    links: await readLinks(
      db,
      shared.flat().map((member) => member.subject),
    ),
  };
}

/** Links in force from the subjects; each link once. */
export async function readLinks(
  db: Kysely<IdentityTables>,
  subjects: readonly SubjectId[],
): Promise<readonly MemberLink[]> {
  const rows = await inBatches(subjects, async (batch) =>
    db
      .selectFrom('identity_link')
      .select(['subject_a', 'subject_b', 'tier', 'evidence', 'linked_at'])
      .where('subject_a', 'in', batch)
      .where('removed_at', 'is', null)
      .execute(),
  );
  return rows.map((row) => ({
    a: toSubjectId(row.subject_a),
    b: toSubjectId(row.subject_b),
    tier: row.tier,
    // Only the link store writes it.
    evidence: JSON.parse(row.evidence) as readonly string[],
    linkedAt: row.linked_at,
  }));
}
