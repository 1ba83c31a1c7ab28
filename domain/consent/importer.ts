import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import type { SubjectCipher } from '#schema/model/consent.ts';
import type { SubjectId } from '#schema/model/ids.ts';
import { type ImportedDecision, type LineRules, type ParsedLine, parseLine } from './import-line.ts';
import { appendEvents, type NewConsentEvent } from './ledger.ts';
import type { SubjectMinter } from './ports.ts';
import { databaseNow } from './service.ts';
import type { ConsentTables } from './tables.ts';

interface ImportProgress {
  /** Lines done so far, empty ones left out. */
  readonly read: number;
  /** Events written. */
  readonly recorded: number;
  /** Lines the ledger had already, from an earlier import or twice in the file. */
  readonly known: number;
  readonly refused: number;
}

interface RefusedLine {
  /** From 1. */
  readonly line: number;
  /** Never quotes the line. */
  readonly reason: string;
}

export interface ImportReport extends ImportProgress {
  /** The first 100; `refused` counts them all. */
  readonly refusals: readonly RefusedLine[];
}

export interface ImportConsentsOptions {
  readonly database: Database;
  readonly subjects: SubjectMinter;
  readonly cipher: SubjectCipher;
  readonly clock: Clock;
  /** The lines from the start, without their ends; called twice. See {@link linesOf} for streams. */
  readonly lines: () => AsyncIterable<string> | Iterable<string>;
  /** Ids of registered recipients: a grant to another one is refused. */
  readonly recipients: readonly string[];
  /** Ids of configured systems; absent: any. */
  readonly systems?: readonly string[];
  /** Lines of one transaction. @default 500: short transactions, so that serving goes on meanwhile */
  readonly batchSize?: number;
  /** Told after every batch. */
  readonly onProgress?: (progress: ImportProgress) => void;
  /** Told of every refused line. */
  readonly onRefused?: (line: RefusedLine) => void;
}

const REFUSALS_KEPT = 100;
/** How far another system's clock may be ahead of ours. */
const CLOCK_SKEW_MS = 5 * 60_000;

/**
 * Imports past decisions (JSON Lines). A line is written once however often it is imported; a stored newer decision is
 * never overridden by an older line; a bad line is reported and the rest goes on. Batches commit one by one, so an
 * interrupted import is simply run again. Refusals are written before any grant, so that neither readers meanwhile nor an
 * interruption ever meet a grant without its withdrawal. Memory: one batch.
 */
export async function importConsents(options: ImportConsentsOptions): Promise<ImportReport> {
  const rules: LineRules = {
    recipients: new Set(options.recipients),
    systems: options.systems === undefined ? null : new Set(options.systems),
    latestAtMs: options.clock.nowMs() + CLOCK_SKEW_MS,
  };
  const batchSize = options.batchSize ?? 500;
  const counts = { read: 0, recorded: 0, known: 0, refused: 0 };
  const refusals: RefusedLine[] = [];
  let batch: ImportedDecision[] = [];
  const flush = async (): Promise<void> => {
    const recorded = await writeBatch(options, batch);
    counts.recorded += recorded;
    counts.known += batch.length - recorded;
    batch = [];
    options.onProgress?.({ ...counts });
  };
  const report = (refusal: RefusedLine): void => {
    counts.refused += 1;
    if (refusals.length < REFUSALS_KEPT) refusals.push(refusal);
    options.onRefused?.(refusal);
  };
  for (const grants of [false, true]) {
    for await (const { lineNumber, parsed } of parsedLines(options.lines(), rules)) {
      const isGrant = parsed.ok && parsed.value.decision === 'GRANT';
      if (isGrant !== grants) continue;
      counts.read += 1;
      if (parsed.ok) batch.push(parsed.value);
      else report({ line: lineNumber, reason: parsed.reason });
      if (batch.length >= batchSize) await flush();
    }
    if (batch.length > 0) await flush();
  }
  return { ...counts, refusals };
}

/** Every line that is not empty, counted from 1. */
async function* parsedLines(
  lines: AsyncIterable<string> | Iterable<string>,
  rules: LineRules,
): AsyncGenerator<{ readonly lineNumber: number; readonly parsed: ParsedLine }> {
  let lineNumber = 0;
  for await (const line of lines) {
    lineNumber += 1;
    if (line.trim() === '') continue;
    // Some editors begin a file with a byte order mark.
    yield { lineNumber, parsed: parseLine(lineNumber === 1 ? line.replace(/^\uFEFF/, '') : line, lineNumber, rules) };
  }
}

async function writeBatch(options: ImportConsentsOptions, batch: readonly ImportedDecision[]): Promise<number> {
  const database = options.database.as<ConsentTables>();
  const fresh = (await withoutKnown(database, batch)).toSorted((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)));
  if (fresh.length === 0) return 0;
  const subjects = await options.subjects.ensureSubjects(fresh.map(({ ref }) => ref));
  const events = await toEvents(options.cipher, fresh, subjects);
  return database.write.transaction().execute(async (trx) => {
    const recordedAt = await databaseNow(trx, database.dialect);
    return (await appendEvents(trx, database.dialect, events, recordedAt)).length;
  });
}

/** Spares a repeated import the work; what counts is the check inside the transaction. */
async function withoutKnown(
  database: Database<ConsentTables>,
  batch: readonly ImportedDecision[],
): Promise<readonly ImportedDecision[]> {
  const lines = new Map(batch.map((line) => [line.naturalKey, line]));
  const rows = await database.read
    .selectFrom('consent_event')
    .select('natural_key')
    .where('natural_key', 'in', [...lines.keys()])
    .execute();
  for (const { natural_key } of rows) if (natural_key !== null) lines.delete(natural_key);
  return [...lines.values()];
}

async function toEvents(
  cipher: SubjectCipher,
  lines: readonly ImportedDecision[],
  subjects: readonly { readonly subject: SubjectId }[],
): Promise<readonly NewConsentEvent[]> {
  const decided = lines.map((line, index) => {
    const subject = subjects[index]?.subject;
    if (subject === undefined) throw new Error('the subject port answered too few subjects');
    return { line, subject };
  });
  const secret = decided.flatMap(({ line, subject }) =>
    line.evidence === null ? [] : [{ subject, plaintext: line.evidence }],
  );
  const ciphertexts = (await cipher.encrypt(secret)).values();
  return decided.map(({ line, subject }) => ({
    ...line.unit,
    subject,
    type: 'DECISION',
    decision: line.decision,
    decidedAt: line.at,
    actor: `system:${line.ref.system}`,
    source: 'import',
    viaLink: null,
    notice: null,
    evidence: line.evidence === null ? null : (ciphertexts.next().value ?? null),
    naturalKey: line.naturalKey,
  }));
}
