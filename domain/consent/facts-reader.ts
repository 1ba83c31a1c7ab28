import { type Kysely, type RawBuilder, sql } from 'kysely';

import type { Dialect } from '#platform/database.ts';
import { type SubjectId, toSubjectId } from '#schema/model/ids.ts';
import type { Purpose } from '#schema/purposes.ts';
import type { DecisionFacts, OrderRelation, SubjectFacts } from './facts.ts';
import type { ConsentSlot } from './states.ts';

export interface FactsQuery {
  readonly subjects: readonly SubjectId[];
  /** Consents of this purpose only; null: of all. */
  readonly purpose: Purpose | null;
  /** Whether order relations are read. */
  readonly withRelations: boolean;
}

/** The facts of many subjects and of everybody linked with them, as of one instant of the database. */
export interface FactsSnapshot {
  readonly nowMs: number;
  /** The facts to decide over a row's subjects; null when one of them is not known. */
  readonly factsOf: (subjects: readonly SubjectId[]) => DecisionFacts | null;
}

/** One row of the union: `kind` says what the other columns mean. */
interface FactRow {
  readonly kind: 'subject' | 'link' | 'consent' | 'relation';
  readonly subject: string;
  readonly a: string | null;
  readonly b: string | null;
  readonly c: string | null;
  readonly d: string | null;
  readonly x: number | null;
  readonly y: number | null;
  readonly z: number | null;
  readonly now_ms: number;
  readonly e: string | null;
  readonly f: string | null;
}

/**
 * Reads flags, proven links, current consents and order relations of the subjects and of every subject linked with them:
 * ONE statement, whatever their number.
 */
export async function readFacts<T>(db: Kysely<T>, dialect: Dialect, query: FactsQuery): Promise<FactsSnapshot> {
  const { rows } = await factsStatement(dialect, query).execute(db);
  return assemble(rows);
}

/** The one statement of a decision read; apart, so that a test can ask for its plan. */
export function factsStatement(
  dialect: Dialect,
  { subjects, purpose, withRelations }: FactsQuery,
): RawBuilder<FactRow> {
  const postgres = dialect === 'postgres';
  const json = JSON.stringify(subjects);
  const asked = postgres ? sql`json_array_elements_text(${json}::json)` : sql`json_each(${json})`;
  const now = sql.raw(
    postgres
      ? 'floor(extract(epoch from clock_timestamp()) * 1000)::bigint'
      : "cast(unixepoch('subsec') * 1000 as integer)",
  );
  const text = sql.raw(postgres ? 'null::text' : 'null');
  const number = sql.raw(postgres ? 'null::bigint' : 'null');
  const each = (rows: string, where: RawBuilder<unknown>) => joinEach(postgres, sql.raw(rows), where);
  const ofPurpose = purpose === null ? sql`` : sql`and found.purpose = ${purpose}`;
  const relations = sql`union all
    select 'relation', found.subject_id, found.store, found.recipient, ${text}, ${text}, ${text}, ${text},
      found.placed_at, found.open_until, found.synced_at, clock.now_ms
    from clock cross join members ${each('order_relation', sql`found.subject_id = members.id`)}`;
  return sql<FactRow>`with clock as materialized (select ${now} as now_ms),
    asked as materialized (select value as id from ${asked}),
    customers as materialized (
      select distinct found.customer_id from asked ${each('subject', sql`found.id = asked.id`)}),
    members as materialized (
      select found.* from customers ${each('subject', sql`found.customer_id = customers.customer_id`)})
    select 'subject' as kind, id as subject, customer_id as a, flags as b, jurisdiction as c, age_band as d,
      ${text} as e, ${text} as f, fulfillment_only as x, ${number} as y, ${number} as z, clock.now_ms as now_ms
    from clock cross join members
    union all
    select 'link', found.subject_a, found.subject_b, ${text}, ${text}, ${text}, ${text}, ${text},
      ${number}, ${number}, ${number}, clock.now_ms
    from clock cross join members ${each('identity_link', sql`found.subject_a = members.id and found.removed_at is null and found.tier in ('SAME_SOURCE', 'VERIFIED_KEY')`)}
    union all
    select 'consent', found.subject, found.purpose, found.medium, found.recipient, found.via, found.state,
      found.decided_at, ${number}, ${number}, ${number}, clock.now_ms
    from clock cross join members ${each('consent_current', sql`found.subject = members.id ${ofPurpose}`)}
    ${withRelations ? relations : sql``}`;
}

/**
 * Joins the table's rows as `found`, looked up by index for each row on the left. Both planners would rather scan whole
 * tables, because they cannot guess how few subjects a JSON text holds (25 ms instead of 0.3 ms at 20,000 subjects).
 */
function joinEach(postgres: boolean, table: RawBuilder<unknown>, where: RawBuilder<unknown>): RawBuilder<unknown> {
  // PostgreSQL: OFFSET 0 keeps the look-up inside. SQLite: CROSS JOIN keeps the order of the tables.
  return postgres
    ? sql`cross join lateral (select * from ${table} as found where ${where} offset 0) as found`
    : sql`cross join ${table} as found where ${where}`;
}

interface Draft {
  readonly row: FactRow;
  readonly slots: ConsentSlot[];
  readonly relations: OrderRelation[];
}

function assemble(rows: readonly FactRow[]): FactsSnapshot {
  const drafts = new Map<string, Draft>();
  for (const row of rows) if (row.kind === 'subject') drafts.set(row.subject, { row, slots: [], relations: [] });
  const groups = createGroups(drafts.keys());
  for (const row of rows) {
    if (row.kind === 'link' && row.a !== null) groups.join(row.subject, row.a);
    if (row.kind === 'consent') drafts.get(row.subject)?.slots.push(toSlot(row));
    if (row.kind === 'relation') drafts.get(row.subject)?.relations.push(toRelation(row));
  }
  const subjects = new Map<string, SubjectFacts>();
  const sets = new Map<string, SubjectFacts[]>();
  for (const [id, draft] of drafts) {
    const facts = toFacts(draft, groups.of(id));
    subjects.set(id, facts);
    const customer = draft.row.a ?? id;
    sets.set(customer, [...(sets.get(customer) ?? []), facts]);
  }
  const nowMs = rows[0]?.now_ms ?? 0;
  const setOf = (id: string): readonly SubjectFacts[] => sets.get(drafts.get(id)?.row.a ?? id) ?? [];
  return { nowMs, factsOf: (asked) => select(asked, subjects, setOf, nowMs) };
}

function select(
  ids: readonly SubjectId[],
  subjects: ReadonlyMap<string, SubjectFacts>,
  setOf: (id: string) => readonly SubjectFacts[],
  nowMs: number,
): DecisionFacts | null {
  const asked: SubjectFacts[] = [];
  const members = new Set<SubjectFacts>();
  for (const id of ids) {
    const facts = subjects.get(id);
    if (facts === undefined) return null;
    asked.push(facts);
    for (const member of setOf(id)) members.add(member);
  }
  return { nowMs, asked, members: [...members] };
}

function toFacts({ row, slots, relations }: Draft, proofGroup: string): SubjectFacts {
  return {
    subject: toSubjectId(row.subject),
    proofGroup: toSubjectId(proofGroup),
    // A flag this release does not know is treated as the strictest.
    flags: row.b === 'NORMAL' || row.b === 'RESTRICTED' ? row.b : 'ERASED',
    jurisdiction: row.c,
    ageBand: row.d === 'ADULT' || row.d === 'MINOR' ? row.d : null,
    fulfillmentOnly: (row.x ?? 0) !== 0,
    slots,
    relations,
  };
}

function toSlot(row: FactRow): ConsentSlot {
  // Only appendEvents writes the projection, from these unions.
  return {
    purpose: row.a as ConsentSlot['purpose'],
    medium: row.b as ConsentSlot['medium'],
    recipient: row.c ?? '',
    via: row.d === null || row.d === '' ? null : toSubjectId(row.d),
    state: row.e as ConsentSlot['state'],
    decidedAt: row.f ?? '',
  };
}

function toRelation(row: FactRow): OrderRelation {
  return {
    store: row.a,
    recipient: row.b,
    placedAtMs: row.x ?? 0,
    openUntilMs: row.y ?? 0,
    syncedAtMs: row.z ?? 0,
  };
}

/** Union-find over proven links. */
function createGroups(ids: Iterable<string>) {
  const parents = new Map<string, string>([...ids].map((id) => [id, id]));
  const of = (id: string): string => {
    let at = id;
    for (let parent = parents.get(at); parent !== undefined && parent !== at; parent = parents.get(at)) at = parent;
    return at;
  };
  return {
    of,
    join(a: string, b: string): void {
      // An edge to a subject of another customer would be a fault of the links: it proves nothing here.
      if (parents.has(a) && parents.has(b)) parents.set(of(b), of(a));
    },
  };
}
