import { sql } from 'kysely';

import type { Dialect } from '#platform/database.ts';
import type { SubjectId } from '#schema/model/ids.ts';
import { GENESIS, hashEvent } from './chain.ts';
import {
  type ConsentUnit,
  type Decision,
  type EventType,
  RESTRICTIVENESS,
  stateOfEvent,
  supersedes,
} from './states.ts';
import type { ConsentEventRow, ConsentTables, ConsentTransaction } from './tables.ts';

/** One event to append. `decidedAt` null: now, and after everything the subject decided before. */
export interface NewConsentEvent extends ConsentUnit {
  readonly subject: SubjectId;
  readonly type: EventType;
  readonly decision: Decision | null;
  readonly decidedAt: string | null;
  /** Who acted, as role and client; never a name. */
  readonly actor: string;
  /** `api` or `import`. */
  readonly source: string;
  readonly viaLink: SubjectId | null;
  readonly notice: string | null;
  /** Ciphertext under the subject's key; null: none. */
  readonly evidence: string | null;
  readonly naturalKey: string | null;
}

interface Head {
  n: number;
  hash: string;
  /** The latest `decided_at` of the subject; empty text: none. */
  latest: string;
}

/** Statements stay far below the bound-parameter limits of both databases (17 columns a row). */
const ROWS_PER_STATEMENT = 500;

/**
 * Appends events to the chains of their subjects and keeps projection and outbox in step, inside the caller's
 * transaction. Events of one subject are chained in the order given. On PostgreSQL the subjects are locked (in one
 * order, until commit) so that two writers never fork a chain; on SQLite the single writer does that.
 * @param recordedAt ISO 8601 UTC with milliseconds, by the database's clock.
 */
export async function appendEvents(
  trx: ConsentTransaction,
  dialect: Dialect,
  events: readonly NewConsentEvent[],
  recordedAt: string,
): Promise<readonly ConsentEventRow[]> {
  if (events.length === 0) return [];
  const subjects = [...new Set(events.map((event) => event.subject))];
  await lockSubjects(trx, dialect, subjects);
  const heads = await readHeads(trx, subjects);
  const rows = await withoutKnownLines(trx, events).then((fresh) =>
    fresh.map((event) => chain(event, heads, recordedAt)),
  );
  for (const part of partsOf(rows)) {
    await trx.insertInto('consent_event').values(part).execute();
    await trx
      .insertInto('consent_outbox')
      .values(part.map(({ subject, n, recorded_at }) => ({ subject, n, recorded_at })))
      .execute();
  }
  for (const part of partsOf(projectEvents(rows))) await upsertCurrent(trx, part);
  return rows;
}

async function lockSubjects(trx: ConsentTransaction, dialect: Dialect, subjects: readonly SubjectId[]): Promise<void> {
  if (dialect === 'sqlite') return;
  // The inner ORDER BY makes every transaction take its locks in the same order: no deadlock. 7163 names this lock's family.
  await sql`select pg_advisory_xact_lock(key) from (
    select distinct hashtextextended(value, 7163) as key from json_array_elements_text(${JSON.stringify(subjects)}::json)
    order by key offset 0) as keys`.execute(trx);
}

async function readHeads(trx: ConsentTransaction, subjects: readonly SubjectId[]): Promise<Map<string, Head>> {
  const heads = new Map<string, Head>();
  for (const part of partsOf(subjects)) {
    const rows = await trx
      .selectFrom('consent_event as event')
      .innerJoin(
        (eb) =>
          eb
            .selectFrom('consent_event')
            .select((inner) => ['subject', inner.fn.max('n').as('n'), inner.fn.max('decided_at').as('latest')])
            .where('subject', 'in', part)
            .groupBy('subject')
            .as('head'),
        (join) => join.onRef('head.subject', '=', 'event.subject').onRef('head.n', '=', 'event.n'),
      )
      .select(['event.subject', 'event.n', 'event.hash', 'head.latest'])
      .execute();
    for (const row of rows) heads.set(row.subject, { n: row.n, hash: row.hash, latest: row.latest });
  }
  return heads;
}

async function withoutKnownLines(
  trx: ConsentTransaction,
  events: readonly NewConsentEvent[],
): Promise<readonly NewConsentEvent[]> {
  const known = new Set<string>();
  const keys = events.map((event) => event.naturalKey).filter((key) => key !== null);
  for (const part of partsOf(keys)) {
    const rows = await trx.selectFrom('consent_event').select('natural_key').where('natural_key', 'in', part).execute();
    for (const row of rows) if (row.natural_key !== null) known.add(row.natural_key);
  }
  return events.filter((event) => {
    if (event.naturalKey === null) return true;
    if (known.has(event.naturalKey)) return false;
    known.add(event.naturalKey);
    return true;
  });
}

function chain(event: NewConsentEvent, heads: Map<string, Head>, recordedAt: string): ConsentEventRow {
  const head = heads.get(event.subject) ?? { n: 0, hash: GENESIS, latest: '' };
  const body = {
    subject: event.subject,
    n: head.n + 1,
    type: event.type,
    purpose: event.purpose,
    medium: event.medium,
    recipient: event.recipient,
    decision: event.decision,
    decided_at: event.decidedAt ?? justAfter(head.latest, recordedAt),
    recorded_at: recordedAt,
    actor: event.actor,
    source: event.source,
    via_link: event.viaLink,
    notice: event.notice,
    evidence: event.evidence,
    natural_key: event.naturalKey,
    prev_hash: head.hash,
  };
  const row = { ...body, hash: hashEvent(body) };
  heads.set(event.subject, {
    n: row.n,
    hash: row.hash,
    latest: row.decided_at > head.latest ? row.decided_at : head.latest,
  });
  return row;
}

/** Two decisions made within one millisecond, or over a clock set back, keep their order. */
function justAfter(latest: string, now: string): string {
  return now > latest ? now : new Date(Date.parse(latest) + 1).toISOString();
}

type CurrentRow = ConsentTables['consent_current'];

/** The newest event of each (subject, unit, via), as the projection stores it. */
export function projectEvents(rows: readonly ConsentEventRow[]): readonly CurrentRow[] {
  const current = new Map<string, CurrentRow>();
  for (const row of rows) {
    const projected = toCurrent(row);
    const key = currentKey(projected);
    const held = current.get(key);
    if (held === undefined || supersedes(asSlot(projected), asSlot(held))) current.set(key, projected);
  }
  return [...current.values()];
}

export function currentKey(row: Pick<CurrentRow, 'subject' | 'purpose' | 'medium' | 'recipient' | 'via'>): string {
  return JSON.stringify([row.subject, row.purpose, row.medium, row.recipient, row.via]);
}

function toCurrent(row: ConsentEventRow): CurrentRow {
  // The ledger's own words: only appendEvents writes them, from these unions.
  const state = stateOfEvent({ type: row.type as EventType, decision: row.decision as Decision | null });
  return {
    subject: row.subject,
    purpose: row.purpose,
    medium: row.medium,
    recipient: row.recipient,
    via: row.via_link ?? '',
    state,
    restrictiveness: RESTRICTIVENESS[state],
    decided_at: row.decided_at,
    n: row.n,
  };
}

function asSlot(row: CurrentRow): Parameters<typeof supersedes>[0] {
  return { state: row.state as ReturnType<typeof stateOfEvent>, decidedAt: row.decided_at };
}

async function upsertCurrent(trx: ConsentTransaction, rows: readonly CurrentRow[]): Promise<void> {
  await trx
    .insertInto('consent_current')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['subject', 'purpose', 'medium', 'recipient', 'via'])
        .doUpdateSet((eb) => ({
          state: eb.ref('excluded.state'),
          restrictiveness: eb.ref('excluded.restrictiveness'),
          decided_at: eb.ref('excluded.decided_at'),
          n: eb.ref('excluded.n'),
        }))
        // The same rule as `supersedes`: an older line never overrides a newer decision.
        .where((eb) =>
          eb.or([
            eb('excluded.decided_at', '>', eb.ref('consent_current.decided_at')),
            eb.and([
              eb('excluded.decided_at', '=', eb.ref('consent_current.decided_at')),
              eb('excluded.restrictiveness', '>=', eb.ref('consent_current.restrictiveness')),
            ]),
          ]),
        ),
    )
    .execute();
}

function partsOf<T>(values: readonly T[]): readonly (readonly T[])[] {
  const parts: (readonly T[])[] = [];
  for (let at = 0; at < values.length; at += ROWS_PER_STATEMENT) parts.push(values.slice(at, at + ROWS_PER_STATEMENT));
  return parts;
}
