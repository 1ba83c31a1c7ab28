import { type ExpressionBuilder, type Kysely, sql } from 'kysely';

import { inBatches } from '#platform/batches.ts';
import { type CustomerKey, findCandidates } from './customer-search.ts';
import { type CustomerView, maySeeCustomers, maySeeMarketplaceBuyers, provenFrom, viewOf } from './customer-view.ts';
import type { MatchKeys } from './match-keys.ts';
import { readLinks, readMembers } from './members.ts';
import type { IdentityTables } from './tables.ts';
import type { Cursors } from '#platform/cursors.ts';
import type { Database } from '#platform/database.ts';
import { MortarError } from '#platform/errors.ts';
import { type CustomerId, type SubjectId, toCustomerId, toSubjectId } from '#schema/model/ids.ts';
import type { RequestContext } from '#schema/model/request.ts';

export interface CustomerPage {
  readonly rows: readonly { readonly view: CustomerView; readonly cursor: string }[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

export interface PageArguments {
  /** 1..100. */
  readonly first: number;
  /** A cursor of the same list; null: from the start. */
  readonly after: string | null;
}

/** Who the customers are and what of them a request may see; no values. Every call costs one to four reads, not one a row. */
export interface CustomerDirectory {
  /** In the order customers were first seen; without test profiles. @throws {MortarError} LIMIT_LIST, BAD_USER_INPUT (cursor). */
  readonly page: (page: PageArguments, request: RequestContext) => Promise<CustomerPage>;
  /** How many `page` would list; null: the role does not count customers. */
  readonly count: (request: RequestContext) => Promise<number | null>;
  /** In input order, joined ids as their customer; null: absent, or not the caller's. */
  readonly byIds: (ids: readonly CustomerId[], request: RequestContext) => Promise<readonly (CustomerView | null)[]>;
  /** The one customer the key leads to, of those `mayUse` lets through; null: none, or several. It is asked at least once. */
  readonly find: (
    key: CustomerKey,
    request: RequestContext,
    mayUse: (view: CustomerView) => Promise<boolean>,
  ) => Promise<CustomerView | null>;
  /** In input order; null: absent, or not the caller's. */
  readonly subjectsOf: (
    ids: readonly CustomerId[],
    request: RequestContext,
  ) => Promise<readonly (readonly SubjectId[] | null)[]>;
  /** The customer each subject belongs to, as the request may see it; in input order. */
  readonly customersOf: (
    subjects: readonly SubjectId[],
    request: RequestContext,
  ) => Promise<readonly (CustomerView | null)[]>;
  /** What a logged-in customer proved to be; empty: no such customer. */
  readonly provenSubjects: (customer: CustomerId) => Promise<ReadonlySet<SubjectId>>;
  /** All members, oldest first, profiles or not; null: no such customer. */
  readonly memberSubjects: (customer: CustomerId) => Promise<readonly SubjectId[] | null>;
}

export interface CustomerDirectoryOptions {
  readonly database: Database;
  readonly matchKeys: MatchKeys;
  readonly cursors: Cursors;
  /** ISO 3166-1 alpha-2: reads phone numbers without a prefix. */
  readonly country: string;
}

const LIST = 'customers';
/** Stands for the customer nobody found. */
const NOBODY: CustomerView = { id: toCustomerId('cus_nobody'), subjects: [toSubjectId('sub_nobody')], profiles: [] };
const COUNTING_ROLES: ReadonlySet<string> = new Set(['service-job', 'privacy-officer']);

export function createCustomerDirectory(options: CustomerDirectoryOptions): CustomerDirectory {
  const { cursors } = options;
  const db = options.database.as<IdentityTables>().read;

  const viewsOf = async (
    customers: readonly CustomerId[],
    request: RequestContext,
  ): Promise<ReadonlyMap<CustomerId, CustomerView>> => {
    const { members, links } = await readMembers(db, customers);
    const views = new Map<CustomerId, CustomerView>();
    for (const [customer, set] of Map.groupBy(members, (member) => member.customer)) {
      const view = viewOf(set, links, request);
      if (view !== null) views.set(customer, view);
    }
    return views;
  };

  const byIds: CustomerDirectory['byIds'] = async (ids, request) => {
    if (!maySeeCustomers(request)) return ids.map(() => null);
    const owners = await readOwners(db, ids);
    const views = await viewsOf(
      [...owners.values()].map(({ customer }) => customer),
      request,
    );
    return ids.map((id) => {
      const owner = owners.get(id);
      const view = owner === undefined ? undefined : views.get(owner.customer);
      if (owner === undefined || view === undefined) return null;
      // A customer may name itself by any id it proved to be, never by the id of somebody merely linked.
      return request.principal.role === 'customer' && !view.subjects.includes(owner.subject) ? null : view;
    });
  };

  return {
    byIds,

    async page({ first, after }, request) {
      if (!Number.isInteger(first) || first < 1 || first > 100) throw new MortarError('LIMIT_LIST');
      const start = after === null ? 0 : Number(cursors.open(LIST, after)[0]);
      const heads = maySeeCustomers(request)
        ? await listed(db, request)
            .select(['subject.customer_id', 'subject.created_seq'])
            .where('subject.created_seq', '>', start)
            .orderBy('subject.created_seq')
            .limit(first + 1)
            .execute()
        : [];
      const views = await viewsOf(
        heads.slice(0, first).map((head) => toCustomerId(head.customer_id)),
        request,
      );
      const rows = heads.slice(0, first).flatMap((head) => {
        const view = views.get(toCustomerId(head.customer_id));
        return view === undefined ? [] : [{ view, cursor: cursors.seal(LIST, [head.created_seq]) }];
      });
      return { rows, hasNextPage: heads.length > first, hasPreviousPage: after !== null };
    },

    async count(request) {
      if (!COUNTING_ROLES.has(request.principal.role)) return null;
      const row = await listed(db, request)
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirst();
      return row?.count ?? 0;
    },

    async find(key, request, mayUse) {
      if (!maySeeCustomers(request)) return null;
      const candidates = await findCandidates(db, key, options);
      const customers = candidates.map(({ customer }) => customer);
      const views = await viewsOf(customers.length === 0 ? [NOBODY.id] : customers, request);
      // A key that nobody holds is judged as well: it must not be told from a withheld one by the time it takes.
      if (views.size === 0) await mayUse(NOBODY);
      const judged = await Promise.all([...views.values()].map(async (view) => ((await mayUse(view)) ? view : null)));
      const usable = judged.filter((view) => view !== null);
      const matched = (isStrong: (candidate: (typeof candidates)[number]) => boolean): readonly CustomerView[] => {
        const subjects = new Set(candidates.filter(isStrong).map(({ subject }) => subject));
        return usable.filter((view) => view.subjects.some((subject) => subjects.has(subject)));
      };
      const proven = matched(({ isVerified }) => isVerified);
      const found = proven.length > 0 ? proven : matched(() => true);
      return found.length === 1 ? (found[0] ?? null) : null;
    },

    async subjectsOf(ids, request) {
      const views = await byIds(ids, request);
      return views.map((view) => view?.subjects ?? null);
    },

    async customersOf(subjects, request) {
      if (!maySeeCustomers(request)) return subjects.map(() => null);
      const rows = await inBatches([...new Set(subjects)], async (batch) =>
        db.selectFrom('subject').select(['id', 'customer_id']).where('id', 'in', batch).execute(),
      );
      const customers = new Map(rows.map((row) => [row.id, toCustomerId(row.customer_id)]));
      const views = await viewsOf([...customers.values()], request);
      return subjects.map((subject) => {
        const customer = customers.get(subject);
        const view = customer === undefined ? undefined : views.get(customer);
        return view?.subjects.includes(subject) === true ? view : null;
      });
    },

    async provenSubjects(customer) {
      const owner = (await readOwners(db, [customer])).get(customer);
      if (owner === undefined) return new Set();
      const members = await readSet(db, owner.customer);
      return provenFrom(owner.subject, members, await readLinks(db, members));
    },

    async memberSubjects(customer) {
      const owner = (await readOwners(db, [customer])).get(customer);
      return owner === undefined ? null : readSet(db, owner.customer);
    },
  };
}

/** Whose own id each id is, and the customer that subject belongs to now: this is how joined ids stay resolvable. */
async function readOwners(
  db: Kysely<IdentityTables>,
  ids: readonly CustomerId[],
): Promise<ReadonlyMap<string, { readonly subject: SubjectId; readonly customer: CustomerId }>> {
  const rows = await inBatches([...new Set(ids)], async (batch) =>
    db
      .selectFrom('subject')
      .select(['id', 'own_customer_id', 'customer_id'])
      .where('own_customer_id', 'in', batch)
      .execute(),
  );
  return new Map(
    rows.map((row) => [row.own_customer_id, { subject: toSubjectId(row.id), customer: toCustomerId(row.customer_id) }]),
  );
}

async function readSet(db: Kysely<IdentityTables>, customer: CustomerId): Promise<readonly SubjectId[]> {
  const rows = await db
    .selectFrom('subject')
    .select('id')
    .where('customer_id', '=', customer)
    .orderBy('created_seq')
    .execute();
  return rows.map((row) => toSubjectId(row.id));
}

/** Heads of the sets a list shows: one row a customer that has a member the request may see. */
function listed(db: Kysely<IdentityTables>, request: RequestContext) {
  const withMarketplace = maySeeMarketplaceBuyers(request);
  const { principal } = request;
  const hasVisibleMember = (eb: ExpressionBuilder<IdentityTables, 'subject'>) =>
    eb.exists(
      eb
        .selectFrom('subject as member')
        .innerJoin('source_profile as profile', 'profile.subject_id', 'member.id')
        .select(sql<number>`1`.as('one'))
        .whereRef('member.customer_id', '=', 'subject.customer_id')
        .where('member.flags', '!=', 'ERASED')
        .where('profile.observed_at', 'is not', null)
        .where('profile.deleted_at', 'is', null)
        .$if(!withMarketplace, (query) => query.where('member.fulfillment_only', '=', 0)),
    );
  return db
    .selectFrom('subject')
    .whereRef('subject.customer_id', '=', 'subject.own_customer_id')
    .where('subject.is_test', '=', 0)
    .where(hasVisibleMember)
    .$if(principal.role === 'customer', (query) =>
      query.where('subject.customer_id', 'in', (eb) =>
        eb
          .selectFrom('subject as own')
          .select('own.customer_id')
          .where('own.own_customer_id', '=', principal.customer ?? ''),
      ),
    );
}
