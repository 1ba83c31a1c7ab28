import { normalizeBirthDate } from './normalize.ts';
import type { ProfileId, SystemId } from '#schema/model/ids.ts';
import type { PostalAddress, ProfileRecord } from '#schema/model/records.ts';

/** One member profile's values as its source states them. */
export interface MemberValues {
  readonly profile: ProfileId;
  readonly record: ProfileRecord;
}

/** Why a profile's value became the record's. */
export type OriginReason = 'ONLY_SOURCE' | 'VERIFIED' | 'OWN_PROFILE' | 'MOST_RECENT' | 'TRUSTED_SOURCE' | 'EQUAL';

export interface FieldOrigin {
  readonly field: MergedField;
  readonly profile: ProfileId;
  readonly reason: OriginReason;
}

/** The customer's record; null: no member has the value. */
export interface MergedCustomer {
  /** Given and family name of one profile, never mixed. */
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly addresses: readonly PostalAddress[] | null;
  readonly birthDate: string | null;
  readonly preferences: ProfileRecord['preferences'];
  /** One for every field that has a value, in the order of the fields above. */
  readonly origins: readonly FieldOrigin[];
}

export type MergedField = 'name' | 'email' | 'phone' | 'addresses' | 'birthDate' | 'preferences';

/** The best value of each field: verified, then of a profile of its own, then most recent, then of the most trusted system. */
export function mergeProfiles(members: readonly MemberValues[], trusted: readonly SystemId[]): MergedCustomer {
  const origins: FieldOrigin[] = [];
  const pick = <V>(field: MergedField, valueOf: (record: ProfileRecord) => V | null): V | null => {
    const holders = members.filter(({ record }) => valueOf(record) !== null);
    const [best, second] = holders.toSorted((a, b) => compare(rank(a, field, trusted), rank(b, field, trusted)));
    if (best === undefined) return null;
    origins.push({ field, profile: best.profile, reason: reasonOf(best, second, { field, trusted }) });
    return valueOf(best.record);
  };
  return {
    name: pick('name', nameOf),
    email: pick('email', (record) => blankToNull(record.email)),
    phone: pick('phone', (record) => blankToNull(record.phone)),
    addresses: pick('addresses', (record) => (record.addresses.length === 0 ? null : record.addresses)),
    birthDate: pick('birthDate', (record) => normalizeBirthDate(record.birthDate)),
    preferences: pick('preferences', (record) => record.preferences),
    origins,
  };
}

function nameOf(record: ProfileRecord): string | null {
  return blankToNull([record.givenName, record.familyName].map((part) => part?.trim() ?? '').join(' '));
}

function blankToNull(text: string | null): string | null {
  const trimmed = text?.trim() ?? '';
  return trimmed === '' ? null : trimmed;
}

// What was typed into one order, or made up by a marketplace, says less than a profile somebody keeps.
const KIND_RANK: Readonly<Record<ProfileRecord['kind'], number>> = { PROFILE: 0, GUEST: 1, MARKETPLACE_BUYER: 2 };

/** Criteria in order, smaller is better; the profile's id only makes the answer stable. */
type Rank = readonly [verified: number, kind: number, age: number, trust: number, id: string];
const REASONS = ['VERIFIED', 'OWN_PROFILE', 'MOST_RECENT', 'TRUSTED_SOURCE', 'EQUAL'] as const satisfies OriginReason[];

function rank({ profile, record }: MemberValues, field: MergedField, trusted: readonly SystemId[]): Rank {
  const position = trusted.indexOf(record.system);
  const asOf = record.provenance.asOf === null ? Number.NaN : Date.parse(record.provenance.asOf);
  return [
    field === 'email' && record.emailVerified ? 0 : 1,
    KIND_RANK[record.kind],
    Number.isNaN(asOf) ? Number.MAX_SAFE_INTEGER : -asOf,
    position === -1 ? trusted.length : position,
    profile,
  ];
}

function compare(a: Rank, b: Rank): number {
  const index = firstDifference(a, b);
  if (index === -1) return 0;
  return a[index]! < b[index]! ? -1 : 1;
}

function firstDifference(a: Rank, b: Rank): number {
  return a.findIndex((value, index) => value !== b[index]);
}

function reasonOf(
  best: MemberValues,
  second: MemberValues | undefined,
  { field, trusted }: { readonly field: MergedField; readonly trusted: readonly SystemId[] },
): OriginReason {
  if (second === undefined) return 'ONLY_SOURCE';
  return REASONS[firstDifference(rank(best, field, trusted), rank(second, field, trusted))] ?? 'EQUAL';
}
