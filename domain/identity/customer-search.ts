import type { Kysely } from 'kysely';

import type { MatchKeys } from './match-keys.ts';
import type { IdentityTables } from './tables.ts';
import { type CustomerId, type ExternalRef, type SubjectId, toCustomerId, toSubjectId } from '#schema/model/ids.ts';

/** What to find a customer by. */
export type CustomerKey =
  | { readonly kind: 'email'; readonly value: string }
  | { readonly kind: 'phone'; readonly value: string }
  | { readonly kind: 'loyaltyNumber'; readonly value: string }
  | ({ readonly kind: 'external' } & ExternalRef);

export interface Candidate {
  readonly customer: CustomerId;
  readonly subject: SubjectId;
  /** The source proved that the person holds the key. */
  readonly isVerified: boolean;
}

/** A key with more holders than this finds nobody: it is a kiosk's, not a person's. */
const MAX_HOLDERS = 50;

/** Live profiles, test ones aside, that carry the key. Cost: one or two reads. */
export async function findCandidates(
  db: Kysely<IdentityTables>,
  key: CustomerKey,
  options: { readonly matchKeys: MatchKeys; readonly country: string },
): Promise<readonly Candidate[]> {
  const { matchKeys, country } = options;
  const profiles = selectProfiles(db);
  switch (key.kind) {
    case 'external':
      return read(
        profiles.where('profile.system', '=', key.system).where('profile.external_id', '=', key.externalId),
        () => true,
      );
    case 'email': {
      const hash = matchKeys.email(key.value);
      return hash === null
        ? []
        : read(profiles.where('profile.email_hash', '=', hash), (row) => row.email_verified === 1);
    }
    case 'phone': {
      const hash = matchKeys.phone(key.value, country);
      return hash === null ? [] : read(profiles.where('profile.phone_hash', '=', hash), () => false);
    }
    case 'loyaltyNumber': {
      const hashes = matchKeys.loyaltyLookup(key.value, country);
      if (hashes.length === 0) return [];
      const byAccount = profiles
        .innerJoin('loyalty_account as account', (join) =>
          join
            .onRef('account.system', '=', 'profile.system')
            .onRef('account.profile_external_id', '=', 'profile.external_id'),
        )
        .where('account.number_hash', 'in', hashes)
        .where('account.deleted_at', 'is', null);
      return [
        ...(await read(profiles.where('profile.loyalty_hash', 'in', hashes), () => true)),
        ...(await read(byAccount, () => true)),
      ];
    }
  }
}

function selectProfiles(db: Kysely<IdentityTables>) {
  return db
    .selectFrom('source_profile as profile')
    .innerJoin('subject', 'subject.id', 'profile.subject_id')
    .select(['subject.id', 'subject.customer_id', 'profile.email_verified'])
    .where('profile.observed_at', 'is not', null)
    .where('profile.deleted_at', 'is', null)
    .where('subject.is_test', '=', 0)
    .limit(MAX_HOLDERS + 1);
}

interface ProfileRow {
  readonly id: string;
  readonly customer_id: string;
  readonly email_verified: number;
}

async function read(
  query: { readonly execute: () => Promise<readonly ProfileRow[]> },
  isVerified: (row: ProfileRow) => boolean,
): Promise<readonly Candidate[]> {
  const rows = await query.execute();
  if (rows.length > MAX_HOLDERS) return [];
  return rows.map((row) => ({
    subject: toSubjectId(row.id),
    customer: toCustomerId(row.customer_id),
    isVerified: isVerified(row),
  }));
}
