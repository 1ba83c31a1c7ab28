import type DataLoader from 'dataloader';

import type { CustomerDirectory } from '#domain/identity/customer-directory.ts';
import type { ProfileReader } from '#domain/identity/customer-values.ts';
import type { CustomerProfile, CustomerView } from '#domain/identity/customer-view.ts';
import { type MergedCustomer, mergeProfiles } from '#domain/identity/survivorship.ts';
import { batchLoader } from '#platform/references.ts';
import { type SystemId, toCustomerId } from '#schema/model/ids.ts';
import type { LoyaltyRecord, ProfileRecord } from '#schema/model/records.ts';
import type { RequestContext } from '#schema/model/request.ts';

/** A source that did not answer. */
export interface SourceFailure {
  readonly system: SystemId;
  readonly error: Error;
}

/** The merged record of a customer, and what is missing from it. */
export interface CustomerRecord {
  readonly merged: MergedCustomer;
  readonly failures: readonly SourceFailure[];
  /** Values that are older than their source's freshness, or a fallback. */
  readonly degraded: readonly ProfileRecord['provenance'][];
}

export interface LoyaltyAccounts {
  readonly accounts: readonly LoyaltyRecord[];
  readonly failures: readonly SourceFailure[];
}

/** Loaders of one request. Nothing is read before a field that may be served asks for it. */
export interface CustomerLoaders {
  readonly customers: DataLoader<string, CustomerView | null, string>;
  /** One batch read a system for all customers of a fetch, whatever fields are asked. */
  readonly record: (view: CustomerView) => Promise<CustomerRecord>;
  readonly loyalty: (view: CustomerView) => Promise<LoyaltyAccounts>;
}

export interface CustomerLoaderDependencies {
  readonly directory: CustomerDirectory;
  readonly profiles: ProfileReader;
  /** Systems by how far their word on a person is trusted, first wins. */
  readonly trusted: readonly SystemId[];
}

/** Every profile of 100 customers in one call; the reader splits by system, the connector by the vendor's limit. */
const MAX_PROFILES = 5_000;

export function createCustomerLoaders(
  { directory, profiles, trusted }: CustomerLoaderDependencies,
  request: RequestContext,
): CustomerLoaders {
  const options = { maxKeys: MAX_PROFILES, cacheKey: (member: CustomerProfile) => member.profile };
  const profileLoader = batchLoader<CustomerProfile, ProfileRecord>(
    async (members) => profiles.readProfiles(members, request),
    options,
  );
  const loyaltyLoader = batchLoader<CustomerProfile, readonly LoyaltyRecord[]>(
    async (members) => profiles.readLoyalty(members, request),
    options,
  );
  return {
    customers: batchLoader<string, CustomerView>(async (ids) => directory.byIds(ids.map(toCustomerId), request)),

    record: once(async (view) => {
      const { values, failures } = await loadMembers(profileLoader, view);
      const members = values.map(({ member, value }) => ({ profile: member.profile, record: value }));
      const provenances = members.map(({ record }) => record.provenance);
      return {
        merged: mergeProfiles(members, trusted),
        failures,
        degraded: provenances.filter(({ stale, degraded }) => stale || degraded),
      };
    }),

    loyalty: once(async (view) => {
      const { values, failures } = await loadMembers(loyaltyLoader, view);
      return { accounts: values.flatMap(({ value }) => value), failures };
    }),
  };
}

async function loadMembers<V>(
  loader: DataLoader<CustomerProfile, V | null, string>,
  view: CustomerView,
): Promise<{
  readonly values: readonly { readonly member: CustomerProfile; readonly value: V }[];
  readonly failures: readonly SourceFailure[];
}> {
  const slots = await loader.loadMany(view.profiles);
  const failures = new Map<SystemId, SourceFailure>();
  const values = slots.flatMap((slot, index) => {
    const member = view.profiles[index]!;
    if (slot instanceof Error) failures.set(member.system, { system: member.system, error: slot });
    return slot === null || slot instanceof Error ? [] : [{ member, value: slot }];
  });
  return { values, failures: [...failures.values()] };
}

/** Fields of one customer share one read. */
function once<V>(read: (view: CustomerView) => Promise<V>): (view: CustomerView) => Promise<V> {
  const reads = new Map<string, Promise<V>>();
  return async (view) => {
    const key = view.subjects.join(' ');
    const known = reads.get(key) ?? read(view);
    reads.set(key, known);
    return known;
  };
}
