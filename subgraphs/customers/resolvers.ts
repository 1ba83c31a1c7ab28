import { createHash } from 'node:crypto';

import type { GraphQLResolveInfo } from 'graphql';

import type { CustomerDirectory } from '#domain/identity/customer-directory.ts';
import type { CustomerKey } from '#domain/identity/customer-search.ts';
import type { CustomerProfile, CustomerView } from '#domain/identity/customer-view.ts';
import type { MergedCustomer } from '#domain/identity/survivorship.ts';
import { MortarError } from '#platform/errors.ts';
import { mayServePurpose } from '#platform/field-access.ts';
import { explainingInput } from '#platform/input-errors.ts';
import { referenceResolver } from '#platform/references.ts';
import { pathOf, reportLoading } from '#platform/report-provenance.ts';
import type { ResolverMap } from '#platform/resolver-check.ts';
import type { SubgraphContext } from '#platform/subgraph.ts';
import type { GovernedField, RefusalReason } from '#schema/model/consent.ts';
import { type SystemId, toSystemId } from '#schema/model/ids.ts';
import type { LoyaltyRecord } from '#schema/model/records.ts';
import type { CustomerLoaders, SourceFailure } from './loaders.ts';

type Context = SubgraphContext<CustomerLoaders>;

interface CustomerKeyInput {
  readonly email?: string | null;
  readonly phone?: string | null;
  readonly loyaltyNumber?: string | null;
  readonly external?: { readonly system: string; readonly externalId: string } | null;
}

export interface CustomerResolverOptions {
  readonly directory: CustomerDirectory;
  /** Systems whose profiles were never read to the end. */
  readonly loadingSystems: () => readonly SystemId[];
  /** What the SDL says of a governed coordinate. */
  readonly governedBy: (coordinate: string) => GovernedField;
}

/** Field resolvers of the customers subgraph. */
export function createCustomerResolvers({
  directory,
  loadingSystems,
  governedBy,
}: CustomerResolverOptions): ResolverMap<CustomerLoaders> {
  const field =
    <V>(valueOf: (merged: MergedCustomer) => V | null) =>
    async (view: CustomerView, _args: unknown, context: Context, info: GraphQLResolveInfo): Promise<V | null> => {
      const { merged, failures, degraded } = await context.loaders.record(view);
      const value = valueOf(merged);
      reportMissing(value === null, failures, { context, info });
      for (const { source, lane, asOf, stale, degraded: isFallback } of degraded) {
        if (source === null) continue;
        const path = pathOf(info);
        context.notices.degrade({ system: source.system, lane, asOf, stale, degraded: isFallback, path });
      }
      return value;
    };

  return {
    Query: {
      customer: async (_root, { id }: { id: string }, { loaders }) =>
        id.length > 200 ? null : loaders.customers.load(id),
      findCustomer: async (_root, { by }: { by: CustomerKeyInput }, context, info) => {
        const key = await explainingInput(() => toKey(by));
        const { request, decider } = context;
        const coordinate = KEY_FIELDS[key.kind];
        const governed = coordinate === null ? null : governedBy(coordinate);
        if (governed !== null && !mayServePurpose(governed, request)) {
          return refuseSearch({ field: governed, reason: 'PURPOSE_NOT_ALLOWED' }, context, info);
        }
        let isLedgerDown = false;
        const found = await directory.find(key, request, async (view) => {
          if (governed === null) return true;
          const verdict = await decider.decide(governed, view.subjects);
          isLedgerDown ||= !verdict.allowed && verdict.reason === 'LEDGER_UNAVAILABLE';
          return verdict.allowed;
        });
        if (governed === null || !isLedgerDown) return found;
        return refuseSearch({ field: governed, reason: 'LEDGER_UNAVAILABLE' }, context, info);
      },
      customers: async (_root, args: { first?: number | null; after?: string | null }, { request, notices }, info) => {
        const page = await explainingInput(async () =>
          directory.page({ first: args.first ?? 20, after: args.after ?? null }, request),
        );
        const loading = loadingSystems();
        reportLoading(loading, { notices, info });
        return {
          isComplete: loading.length === 0,
          edges: page.rows.map(({ view, cursor }) => ({ cursor, node: view })),
          nodes: page.rows.map(({ view }) => view),
          pageInfo: {
            hasNextPage: page.hasNextPage,
            hasPreviousPage: page.hasPreviousPage,
            startCursor: page.rows[0]?.cursor ?? null,
            endCursor: page.rows.at(-1)?.cursor ?? null,
          },
        };
      },
    },
    CustomerConnection: {
      // While the first load is under way nobody knows how many there are.
      totalCount: async ({ isComplete }: { isComplete: boolean }, _args, { request }) =>
        isComplete ? directory.count(request) : null,
    },
    Customer: {
      __resolveReference: referenceResolver('id', (context: Context) => context.loaders.customers),
      name: field((merged) => merged.name),
      email: field((merged) => merged.email),
      phone: field((merged) => merged.phone),
      addresses: field((merged) => merged.addresses),
      birthDate: field((merged) => merged.birthDate),
      preferences: field((merged) => merged.preferences),
      survivorship: field((merged) => merged.origins),
      loyalty: async (view: CustomerView, _args, context, info) => {
        const { accounts, failures } = await context.loaders.loyalty(view);
        reportMissing(accounts.length === 0, failures, { context, info });
        return accounts.map(toLoyaltyAccount);
      },
      profiles: (view: CustomerView) => view.profiles.map(toSourceProfile),
    },
  };
}

/** The governed field a key reveals; null: a record's id reveals none. */
const KEY_FIELDS = {
  email: 'Customer.email',
  phone: 'Customer.phone',
  loyaltyNumber: 'Customer.loyalty',
  external: null,
} as const satisfies Record<CustomerKey['kind'], string | null>;

/** Only for reasons that are the same whoever holds the key. */
function refuseSearch(
  { field: { coordinate }, reason }: { readonly field: GovernedField; readonly reason: RefusalReason },
  { request: { purpose }, notices }: Context,
  info: GraphQLResolveInfo,
): null {
  notices.refuse({ coordinate, purpose, reason, rowKey: '', path: pathOf(info) });
  return null;
}

const MAX_KEY_LENGTH = 320;

function toKey(by: CustomerKeyInput): CustomerKey {
  const keys: CustomerKey[] = [];
  for (const kind of ['email', 'phone', 'loyaltyNumber'] as const) {
    const value = by[kind];
    if (value !== null && value !== undefined) keys.push({ kind, value });
  }
  if (by.external !== null && by.external !== undefined) {
    const { system, externalId } = by.external;
    keys.push({ kind: 'external', system: toSystemId(system), externalId });
  }
  const [key] = keys;
  if (key === undefined || keys.length > 1) {
    throw new MortarError('BAD_USER_INPUT', {
      message: '`by` needs exactly one of email, phone, loyaltyNumber, external.',
    });
  }
  const text = key.kind === 'external' ? key.externalId : key.value;
  if (text.trim() === '' || text.length > MAX_KEY_LENGTH) {
    throw new MortarError('BAD_USER_INPUT', { message: `\`by.${key.kind}\` needs 1 to ${MAX_KEY_LENGTH} characters.` });
  }
  return key;
}

/** A missing value is an error when a source that may hold it failed; a value others gave is served and flagged. */
function reportMissing(
  isMissing: boolean,
  failures: readonly SourceFailure[],
  at: { readonly context: Context; readonly info: GraphQLResolveInfo },
): void {
  const [first] = failures;
  if (first === undefined) return;
  if (isMissing) throw toMortarError(first);
  for (const { system } of failures) {
    const path = pathOf(at.info);
    at.context.notices.degrade({ system, lane: 'REALTIME', asOf: null, stale: false, degraded: true, path });
  }
}

function toMortarError({ system, error }: SourceFailure): MortarError {
  return error instanceof MortarError ? error : new MortarError('UPSTREAM_UNAVAILABLE', { system, cause: error });
}

function toLoyaltyAccount(account: LoyaltyRecord): Readonly<Record<string, unknown>> {
  // Derived, so that it is the same in every answer without being the vendor's own id.
  const digest = createHash('sha256').update(`${account.system}\n${account.externalId}`).digest('base64url');
  return {
    id: `loy_${digest.slice(0, 20)}`,
    tier: account.tier,
    points: { value: account.points, provenance: withoutReference(account.provenance) },
  };
}

function withoutReference(provenance: LoyaltyRecord['provenance']): LoyaltyRecord['provenance'] {
  return { ...provenance, source: provenance.source === null ? null : { ...provenance.source, reference: null } };
}

function toSourceProfile(profile: CustomerProfile): Readonly<Record<string, unknown>> {
  const { system, connector, asOf, observedAt, link } = profile;
  return {
    id: profile.profile,
    system,
    link,
    provenance: {
      asOf,
      observedAt,
      // A record's id in a vendor's system points at one person: it stays inside.
      source: { system, connector, reference: null, sequence: null },
      lane: 'NEAR_REALTIME',
      stale: false,
      degraded: false,
      inputs: [],
    },
  };
}
