import type { Database } from '#platform/database.ts';
import { GENESIS, hashEvent } from './chain.ts';
import { currentKey, projectEvents } from './ledger.ts';
import type { ConsentEventRow, ConsentTables } from './tables.ts';

/** GAP: an event is missing. LINK: the predecessor's hash differs. HASH: the event was changed. PROJECTION: the current state is not what the events say. */
type LedgerFaultKind = 'GAP' | 'LINK' | 'HASH' | 'PROJECTION';

interface LedgerFault {
  readonly kind: LedgerFaultKind;
  readonly subject: string;
  /** The event concerned; null for PROJECTION. */
  readonly n: number | null;
}

export interface LedgerVerdict {
  readonly ok: boolean;
  readonly subjects: number;
  readonly events: number;
  /** The first 100. */
  readonly faults: readonly LedgerFault[];
  readonly faultCount: number;
}

const PAGE = 2_000;
const FAULTS_KEPT = 100;

/**
 * Walks every subject's chain and compares the current states with a fresh fold of the events. A cut-off tail leaves a
 * valid chain: it shows only where the projection was not cut off with it. Cost: one read per 2,000 events.
 */
export async function verifyLedger(options: {
  readonly database: Database;
  readonly onProgress?: (events: number) => void;
}): Promise<LedgerVerdict> {
  const database = options.database.as<ConsentTables>();
  const faults: LedgerFault[] = [];
  let subjects = 0;
  let events = 0;
  let open: ConsentEventRow[] = [];
  const settle = async (): Promise<void> => {
    if (open.length === 0) return;
    subjects += 1;
    faults.push(...checkChain(open), ...(await checkProjection(database, open)));
    open = [];
  };
  for await (const page of eventPages(database)) {
    for (const row of page) {
      if (open[0] !== undefined && open[0].subject !== row.subject) await settle();
      open.push(row);
    }
    events += page.length;
    options.onProgress?.(events);
  }
  await settle();
  faults.push(...(await projectionsWithoutEvents(database)));
  return { ok: faults.length === 0, subjects, events, faults: faults.slice(0, FAULTS_KEPT), faultCount: faults.length };
}

async function* eventPages(database: Database<ConsentTables>): AsyncGenerator<readonly ConsentEventRow[]> {
  let after = { subject: '', n: 0 };
  for (;;) {
    const page = await database.read
      .selectFrom('consent_event')
      .selectAll()
      .where((eb) =>
        eb.or([eb('subject', '>', after.subject), eb.and([eb('subject', '=', after.subject), eb('n', '>', after.n)])]),
      )
      .orderBy('subject')
      .orderBy('n')
      .limit(PAGE)
      .execute();
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = { subject: last.subject, n: last.n };
  }
}

function checkChain(rows: readonly ConsentEventRow[]): readonly LedgerFault[] {
  const faults: LedgerFault[] = [];
  let previous = { n: 0, hash: GENESIS };
  for (const { hash, ...body } of rows) {
    const at = { subject: body.subject, n: body.n };
    if (body.n !== previous.n + 1) faults.push({ kind: 'GAP', ...at });
    else if (body.prev_hash !== previous.hash) faults.push({ kind: 'LINK', ...at });
    if (hashEvent(body) !== hash) faults.push({ kind: 'HASH', ...at });
    previous = { n: body.n, hash };
  }
  return faults;
}

async function checkProjection(
  database: Database<ConsentTables>,
  rows: readonly ConsentEventRow[],
): Promise<readonly LedgerFault[]> {
  const subject = rows[0]?.subject ?? '';
  const stored = await database.read.selectFrom('consent_current').selectAll().where('subject', '=', subject).execute();
  const summary = (list: readonly ConsentTables['consent_current'][]): string =>
    list
      .map((row) => JSON.stringify([currentKey(row), row.state, row.restrictiveness, row.decided_at]))
      .toSorted((a, b) => (a < b ? -1 : 1))
      .join('\n');
  return summary(stored) === summary(projectEvents(rows)) ? [] : [{ kind: 'PROJECTION', subject, n: null }];
}

async function projectionsWithoutEvents(database: Database<ConsentTables>): Promise<readonly LedgerFault[]> {
  const rows = await database.read
    .selectFrom('consent_current as current')
    .leftJoin('consent_event as event', (join) =>
      join.onRef('event.subject', '=', 'current.subject').on('event.n', '=', 1),
    )
    .select('current.subject')
    .distinct()
    .where('event.subject', 'is', null)
    .execute();
  return rows.map(({ subject }) => ({ kind: 'PROJECTION', subject, n: null }));
}
