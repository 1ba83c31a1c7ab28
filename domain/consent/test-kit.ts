import { identityMigrations } from '#domain/identity/migrations.ts';
import { orderMigrations } from '#domain/order/migrations.ts';
import type { Database, Migration } from '#platform/database.ts';
import type { SubjectCipher } from '#schema/model/consent.ts';
import { type CustomerId, type SubjectId, toCustomerId, toSubjectId } from '#schema/model/ids.ts';
import type { RequestContext, Role } from '#schema/model/request.ts';
import { type Purpose, PURPOSES } from '#schema/purposes.ts';
import type { NewConsentEvent } from './ledger.ts';
import { consentMigrations } from './migrations.ts';
import type { CustomerMembers, SubjectMinter } from './ports.ts';

// Builders and stand-ins for this domain's tests.

export const TEST_MIGRATIONS: readonly Migration[] = [...identityMigrations, ...orderMigrations, ...consentMigrations];

interface NeighborTables {
  subject: {
    id: string;
    customer_id: string;
    own_customer_id: string;
    flags: string;
    jurisdiction: string | null;
    age_band: string | null;
    is_test: number;
    fulfillment_only: number;
    created_seq: number;
  };
  identity_link: {
    id: string;
    subject_a: string;
    subject_b: string;
    tier: string;
    evidence: string;
    linked_at: string;
    removed_at: string | null;
  };
  order_relation: {
    subject_id: string;
    order_id: string;
    store: string | null;
    recipient: string | null;
    placed_at: number;
    open_until: number;
    synced_at: number;
  };
}

/** A subject of a customer; the customer's id is `cus_` and a name. */
export async function addSubject(
  database: Database,
  id: string,
  change: Partial<NeighborTables['subject']> = {},
): Promise<SubjectId> {
  const row = {
    id,
    customer_id: `cus_${id}`,
    own_customer_id: `cus_${id}`,
    flags: 'NORMAL',
    jurisdiction: 'GB',
    age_band: 'ADULT',
    is_test: 0,
    fulfillment_only: 0,
    created_seq: nextSequence(),
    ...change,
  };
  await database.as<NeighborTables>().write.insertInto('subject').values(row).execute();
  return toSubjectId(id);
}

let sequence = 0;
const nextSequence = (): number => (sequence += 1);

export async function addLink(database: Database, pair: readonly [string, string], tier: string): Promise<void> {
  const row = { id: `lnk_${nextSequence()}`, subject_a: pair[0], subject_b: pair[1], tier, evidence: '[]' };
  await database
    .as<NeighborTables>()
    .write.insertInto('identity_link')
    .values({ ...row, linked_at: '2026-01-01T00:00:00.000Z', removed_at: null })
    .execute();
}

export async function removeLinks(database: Database): Promise<void> {
  await database
    .as<NeighborTables>()
    .write.updateTable('identity_link')
    .set({ removed_at: '2026-01-02T00:00:00.000Z' })
    .execute();
}

export async function moveSubject(database: Database, id: string, customer: string): Promise<void> {
  await database
    .as<NeighborTables>()
    .write.updateTable('subject')
    .set({ customer_id: customer })
    .where('id', '=', id)
    .execute();
}

export async function addRelation(
  database: Database,
  relation: Partial<NeighborTables['order_relation']> & { readonly subject_id: string },
): Promise<void> {
  const now = await database.nowMs();
  const row = {
    order_id: `ord_${nextSequence()}`,
    store: null,
    recipient: null,
    placed_at: now - 1_000,
    open_until: now + 3_600_000,
    synced_at: now - 1_000,
    ...relation,
  };
  await database.as<NeighborTables>().write.insertInto('order_relation').values(row).execute();
}

/** Reversible and readable, so that tests see which subject's key was used. */
export const plainCipher: SubjectCipher = {
  encrypt: async (values) => values.map(({ subject, plaintext }) => `${subject}!${btoa(plaintext)}`),
  decrypt: async (values) =>
    values.map(({ subject, ciphertext }) =>
      ciphertext.startsWith(`${subject}!`) ? atob(ciphertext.slice(subject.length + 1)) : null,
    ),
};

/** Members and proven members by customer id. */
export function membersPort(
  customers: Readonly<
    Record<string, { readonly members: readonly SubjectId[]; readonly proven: readonly SubjectId[] }>
  >,
): CustomerMembers {
  return {
    memberSubjects: async (customer) => customers[customer]?.members ?? null,
    provenSubjects: async (customer) => new Set(customers[customer]?.proven),
  };
}

/** Mints `sub_<system>_<externalId>` in the identity tables. */
export function minterFor(database: Database): SubjectMinter & { readonly minted: () => number } {
  const known = new Map<string, SubjectId>();
  return {
    minted: () => known.size,
    async ensureSubjects(refs) {
      const missing = new Map(refs.map((ref) => [`${ref.system}_${ref.externalId}`, ref]));
      for (const name of missing.keys()) if (known.has(name)) missing.delete(name);
      for (const name of missing.keys()) known.set(name, toSubjectId(`sub_${name}`));
      const rows = [...missing.keys()].map((name) => ({
        id: `sub_${name}`,
        customer_id: `cus_${name}`,
        own_customer_id: `cus_${name}`,
        flags: 'NORMAL',
        jurisdiction: null,
        age_band: null,
        is_test: 0,
        fulfillment_only: 0,
        created_seq: nextSequence(),
      }));
      if (rows.length > 0) await database.as<NeighborTables>().write.insertInto('subject').values(rows).execute();
      return refs.map(({ system, externalId }) => ({ subject: toSubjectId(`sub_${system}_${externalId}`) }));
    },
  };
}

export function aRequest(
  role: Role,
  change: { readonly purpose?: Purpose; readonly customer?: CustomerId; readonly stores?: readonly string[] } = {},
): RequestContext {
  return {
    requestId: 'req-1',
    deadlineAtMs: Date.now() + 10_000,
    signal: new AbortController().signal,
    principal: {
      client: `${role}-client`,
      role,
      scopes: new Set(['consent:read', 'consent:write']),
      purposes: Object.keys(PURPOSES) as Purpose[],
      customer: change.customer ?? (role === 'customer' ? toCustomerId('cus_me') : null),
      // Branded ids of tests.
      stores: (change.stores ?? []) as RequestContext['principal']['stores'],
      recipient: null,
    },
    purpose: change.purpose ?? null,
    medium: null,
  };
}

export function anEvent(subject: SubjectId, change: Partial<NewConsentEvent> = {}): NewConsentEvent {
  return {
    subject,
    type: 'DECISION',
    purpose: 'MARKETING',
    medium: '*',
    recipient: 'self',
    decision: 'GRANT',
    decidedAt: null,
    actor: 'customer:test',
    source: 'api',
    viaLink: null,
    notice: null,
    evidence: null,
    naturalKey: null,
    ...change,
  };
}
