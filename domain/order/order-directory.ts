import { type Kysely, sql } from 'kysely';

import { type OrderAccess, type OwnSubjects, createOrderAccess } from './order-access.ts';
import type { OrderReferenceTable, OrderTables } from './tables.ts';
import { batchesOf, inBatches } from '#platform/batches.ts';
import type { IdentityTables } from '#domain/identity/tables.ts';
import type { Cursors } from '#platform/cursors.ts';
import type { Database } from '#platform/database.ts';
import { MortarError } from '#platform/errors.ts';
import {
  type ChannelId,
  type ExternalRef,
  type OrderId,
  type SubjectId,
  toChannelId,
  toOrderId,
  toSubjectId,
  toSystemId,
} from '#schema/model/ids.ts';
import type { OrderState } from '#schema/model/records.ts';
import type { RequestContext } from '#schema/model/request.ts';

/** One system's facet, as the directory knows it. Instants are ISO 8601 UTC. */
export interface OrderFacet extends ExternalRef {
  readonly connector: string;
  /** The vendor's own word. */
  readonly state: string;
  readonly asOf: string | null;
  readonly observedAt: string;
  readonly sequence: string | null;
  readonly subject: SubjectId;
}

/** An order as a list or look-up answers it: everything but its values. */
export interface OrderView {
  readonly id: OrderId;
  readonly state: OrderState;
  readonly channel: ChannelId | null;
  /** ISO 8601 UTC; null: no system says. */
  readonly placedAt: string | null;
  /** The buyer. */
  readonly subjects: readonly SubjectId[];
  readonly references: readonly OrderFacet[];
}

export interface OrderFilter {
  readonly states?: readonly OrderState[] | null | undefined;
  readonly channel?: string | null | undefined;
  /** ISO 8601; inclusive. */
  readonly placedAfter?: string | null | undefined;
  /** ISO 8601; exclusive. */
  readonly placedBefore?: string | null | undefined;
}

export interface OrderPageArguments {
  /** 1..100. */
  readonly first: number;
  readonly after: string | null;
  readonly filter: OrderFilter;
}

export interface OrderPage {
  readonly rows: readonly { readonly view: OrderView; readonly cursor: string }[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** Which orders there are and whose; no values. Every call costs two or three reads, not one an order. */
export interface OrderDirectory {
  /** Newest first, without test buyers. @throws {MortarError} LIMIT_LIST, BAD_USER_INPUT. */
  readonly page: (page: OrderPageArguments, request: RequestContext) => Promise<OrderPage>;
  /** How many `page` would list; null: the role does not count orders. */
  readonly count: (filter: OrderFilter, request: RequestContext) => Promise<number | null>;
  /** In input order, joined ids as their order; null: absent, or not the caller's. */
  readonly byIds: (ids: readonly OrderId[], request: RequestContext) => Promise<readonly (OrderView | null)[]>;
  /** A page for each set of subjects, newest first, in input order. */
  readonly pagesOf: (
    sets: readonly (readonly SubjectId[])[],
    page: OrderPageArguments,
    request: RequestContext,
  ) => Promise<readonly OrderPage[]>;
}

export interface OrderDirectoryOptions {
  readonly database: Database;
  readonly cursors: Cursors;
  readonly identity: OwnSubjects;
}

const LIST = 'orders';
const COUNTING_ROLES: ReadonlySet<string> = new Set(['service-job', 'privacy-officer']);
type Tables = OrderTables & IdentityTables;
type DirectoryRow = OrderTables['order_directory'];

export function createOrderDirectory(options: OrderDirectoryOptions): OrderDirectory {
  const { cursors } = options;
  const db = options.database.as<Tables>().read;
  const accessOf = createOrderAccess(options.identity);
  const positionOf = (after: string | null): readonly [number, string] | null => {
    if (after === null) return null;
    const [placedAt, id] = cursors.open(LIST, after);
    return [Number(placedAt), String(id)];
  };
  const toPage = async (rows: readonly DirectoryRow[], page: OrderPageArguments): Promise<OrderPage> => {
    const views = await toViews(db, rows.slice(0, page.first));
    return {
      rows: views.map((view, index) => ({
        view,
        cursor: cursors.seal(LIST, [rows[index]!.placed_at, view.id]),
      })),
      hasNextPage: rows.length > page.first,
      hasPreviousPage: page.after !== null,
    };
  };

  return {
    async page(page, request) {
      checkFirst(page.first);
      const position = positionOf(page.after);
      const rows = await selectOrders(db, { access: await accessOf(request), filter: page.filter, position })
        .innerJoin('subject', 'subject.id', 'order_directory.subject_id')
        .where('subject.is_test', '=', 0)
        .selectAll('order_directory')
        .orderBy('order_directory.placed_at', 'desc')
        .orderBy('order_directory.id', 'desc')
        .limit(page.first + 1)
        .execute();
      return toPage(rows, page);
    },

    async count(filter, request) {
      if (!COUNTING_ROLES.has(request.principal.role)) return null;
      const row = await selectOrders(db, { access: await accessOf(request), filter, position: null })
        .innerJoin('subject', 'subject.id', 'order_directory.subject_id')
        .where('subject.is_test', '=', 0)
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirst();
      return row?.count ?? 0;
    },

    async byIds(ids, request) {
      const aliases = await readAliases(db, ids);
      const wanted = ids.map((id) => aliases.get(id) ?? id);
      const access = await accessOf(request);
      const rows = await inBatches([...new Set(wanted)], async (batch) =>
        selectOrders(db, { access, filter: {}, position: null })
          .selectAll('order_directory')
          .where('order_directory.id', 'in', batch)
          .execute(),
      );
      const views = new Map((await toViews(db, rows)).map((view) => [view.id as string, view]));
      return wanted.map((id) => views.get(id) ?? null);
    },

    async pagesOf(sets, page, request) {
      checkFirst(page.first);
      const position = positionOf(page.after);
      const access = await accessOf(request, 'history');
      const rows = await readNewest(db, { sets, access, filter: page.filter, position, limit: page.first + 1 });
      const bySubject = Map.groupBy(rows, (row) => row.subject_id);
      const slices = sets.map((set) =>
        [...new Set(set)]
          .flatMap((subject) => bySubject.get(subject) ?? [])
          .toSorted(newestFirst)
          .slice(0, page.first + 1),
      );
      const views = await toViews(db, [...new Set(slices.flatMap((slice) => slice.slice(0, page.first)))]);
      const byId = new Map(views.map((view) => [view.id as string, view]));
      return slices.map((slice) => ({
        rows: slice
          .slice(0, page.first)
          .map((row) => ({ view: byId.get(row.id)!, cursor: cursors.seal(LIST, [row.placed_at, row.id]) })),
        hasNextPage: slice.length > page.first,
        hasPreviousPage: page.after !== null,
      }));
    },
  };
}

function checkFirst(first: number): void {
  if (!Number.isInteger(first) || first < 1 || first > 100) throw new MortarError('LIMIT_LIST');
}

function newestFirst(a: DirectoryRow, b: DirectoryRow): number {
  return b.placed_at - a.placed_at || (a.id < b.id ? 1 : -1);
}

interface Selection {
  readonly access: OrderAccess;
  readonly filter: OrderFilter;
  /** Only what comes after it. */
  readonly position: readonly [placedAt: number, id: string] | null;
}

function selectOrders(db: Kysely<Tables>, { access, filter, position }: Selection) {
  let query = db.selectFrom('order_directory');
  if (access.kind === 'none') query = query.where(sql<boolean>`1 = 0`);
  if (access.kind === 'subjects') query = query.where('order_directory.subject_id', 'in', orNobody(access.subjects));
  if (access.kind === 'stores') query = query.where('order_directory.location_id', 'in', orNobody(access.stores));
  const { states, channel, placedAfter, placedBefore } = filter;
  if (states !== null && states !== undefined) {
    query = states.length === 0 ? query.where(sql<boolean>`1 = 0`) : query.where('order_directory.state', 'in', states);
  }
  if (channel !== null && channel !== undefined) query = query.where('order_directory.channel', '=', channel);
  if (placedAfter !== null && placedAfter !== undefined) {
    query = query.where('order_directory.placed_at', '>=', Date.parse(placedAfter));
  }
  if (placedBefore !== null && placedBefore !== undefined) {
    query = query.where('order_directory.placed_at', '<', Date.parse(placedBefore));
  }
  if (position !== null) {
    query = query.where(
      sql<boolean>`(order_directory.placed_at, order_directory.id) < (${position[0]}, ${position[1]})`,
    );
  }
  return query;
}

const orNobody = (values: readonly string[]): readonly string[] => (values.length === 0 ? [''] : values);

/** The newest orders of every subject, at most `limit` each. */
async function readNewest(
  db: Kysely<Tables>,
  selection: Selection & { readonly sets: readonly (readonly SubjectId[])[]; readonly limit: number },
): Promise<readonly DirectoryRow[]> {
  const rows: DirectoryRow[] = [];
  for (const batch of batchesOf([...new Set(selection.sets.flat())])) {
    const ranked = selectOrders(db, selection)
      .selectAll('order_directory')
      .select(
        sql<number>`row_number() over (partition by order_directory.subject_id order by order_directory.placed_at desc, order_directory.id desc)`.as(
          'position',
        ),
      )
      .where('order_directory.subject_id', 'in', batch);
    rows.push(
      ...(await db.selectFrom(ranked.as('ranked')).selectAll().where('position', '<=', selection.limit).execute()),
    );
  }
  return rows;
}

async function readAliases(db: Kysely<Tables>, ids: readonly OrderId[]): Promise<ReadonlyMap<string, string>> {
  const rows = await inBatches([...new Set(ids)], async (batch) =>
    db.selectFrom('order_alias').selectAll().where('alias', 'in', batch).execute(),
  );
  return new Map(rows.map((row) => [row.alias, row.order_id]));
}

async function toViews(db: Kysely<Tables>, rows: readonly DirectoryRow[]): Promise<readonly OrderView[]> {
  const facets = await inBatches(
    rows.map((row) => row.id),
    async (batch) =>
      db
        .selectFrom('order_reference')
        .selectAll()
        .where('order_id', 'in', batch)
        .where('deleted_at', 'is', null)
        .orderBy('system')
        .orderBy('external_id')
        .execute(),
  );
  const byOrder = Map.groupBy(facets, (facet) => facet.order_id);
  return rows.map((row) => ({
    id: toOrderId(row.id),
    state: row.state,
    channel: row.channel === null ? null : toChannelId(row.channel),
    placedAt: row.placed_at === 0 ? null : new Date(row.placed_at).toISOString(),
    subjects: [toSubjectId(row.subject_id)],
    references: (byOrder.get(row.id) ?? []).map(toFacet),
  }));
}

function toFacet(row: OrderReferenceTable): OrderFacet {
  return {
    system: toSystemId(row.system),
    externalId: row.external_id,
    connector: row.connector,
    state: row.vendor_state,
    asOf: row.as_of,
    observedAt: row.observed_at,
    sequence: row.sequence,
    subject: toSubjectId(row.subject_id),
  };
}
