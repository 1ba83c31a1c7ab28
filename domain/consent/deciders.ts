import DataLoader from 'dataloader';

import type { Database } from '#platform/database.ts';
import type { ConsentDecider, ConsentDeciders, GovernedField, Verdict } from '#schema/model/consent.ts';
import type { SubjectId } from '#schema/model/ids.ts';
import type { RequestContext } from '#schema/model/request.ts';
import { ROLE_PURPOSE_CELLS } from '#schema/purposes.ts';
import { decide, type DecisionPolicy, decideStatically, DEFAULT_POLICY } from './decide.ts';
import { type FactsSnapshot, readFacts } from './facts-reader.ts';
import type { ProvenSubjects } from './ports.ts';

export interface ConsentDecidersOptions {
  readonly database: Database;
  readonly subjects: ProvenSubjects;
  /** A decision read that takes longer refuses everything of its fetch. @default 150 */
  readonly timeoutMs?: number;
  readonly policy?: Partial<DecisionPolicy>;
  /** Told of every decision read that failed or was late; the error carries no personal data. */
  readonly onFailure?: (error: unknown, request: RequestContext) => void;
  /** Told of every decision read that was started, with its number of subjects. */
  readonly onRead?: (subjectCount: number) => void;
}

const NOBODY: ReadonlySet<SubjectId> = new Set();
/** Bounds one statement; far above what the cost limits let one fetch ask for. */
const MAX_SUBJECTS_PER_READ = 5_000;
const UNAVAILABLE: Verdict = { allowed: false, reason: 'LEDGER_UNAVAILABLE' };

interface Read {
  readonly snapshot: FactsSnapshot;
  readonly provenSelf: ReadonlySet<SubjectId>;
}

/**
 * Decides governed fields from the ledger itself: nothing is kept between fetches, so a withdrawal acknowledged before a
 * fetch starts is honored by it. Cost: one statement per fetch for all its subjects (none when the role or the field
 * never serves the purpose), plus the logged-in customer's own links.
 */
export function createConsentDeciders(options: ConsentDecidersOptions): ConsentDeciders {
  const policy: DecisionPolicy = { ...DEFAULT_POLICY, ...options.policy };
  return { forFetch: (request) => createDecider(request, options, policy) };
}

function createDecider(
  request: RequestContext,
  options: ConsentDecidersOptions,
  policy: DecisionPolicy,
): ConsentDecider {
  const { principal, purpose, medium } = request;
  let failed = false;
  const load = async (subjects: readonly SubjectId[]): Promise<readonly Read[]> => {
    const read = await readInTime(request, subjects, options);
    return subjects.map(() => read);
  };
  const loader = new DataLoader<SubjectId, Read>(load, { maxBatchSize: MAX_SUBJECTS_PER_READ });

  const factsFor = async (subjects: readonly SubjectId[]) => {
    const reads = await Promise.all(subjects.map(async (subject) => loader.load(subject)));
    return { reads: new Set(reads), first: reads[0] };
  };

  return {
    async decide(field: GovernedField, subjects: readonly SubjectId[]): Promise<Verdict> {
      const question = { principal, purpose, medium, field };
      const fixed = decideStatically(question);
      if (fixed !== null) return fixed;
      if (failed) return UNAVAILABLE;
      try {
        const { reads, first } = await factsFor(subjects);
        if (failed) return UNAVAILABLE;
        if (first === undefined) return decide({ ...question, provenSelf: NOBODY }, null, policy);
        return decide({ ...question, provenSelf: first.provenSelf }, factsOver(reads, subjects), policy);
      } catch (error) {
        if (!failed) options.onFailure?.(error, request);
        failed = true;
        return UNAVAILABLE;
      }
    },
  };
}

/** Usually one read answers for the whole row; a row whose subjects fell into two reads counts with both. */
function factsOver(reads: ReadonlySet<Read>, subjects: readonly SubjectId[]) {
  const [first, ...others] = [...reads];
  if (first === undefined) return null;
  if (others.length === 0) return first.snapshot.factsOf(subjects);
  const parts = subjects.map((subject) => {
    const holder = [...reads].find(({ snapshot }) => snapshot.factsOf([subject]) !== null);
    return holder?.snapshot.factsOf([subject]) ?? null;
  });
  if (parts.some((part) => part === null)) return null;
  const known = parts.filter((part) => part !== null);
  return {
    nowMs: Math.max(...known.map(({ nowMs }) => nowMs)),
    asked: known.flatMap(({ asked }) => asked),
    members: known.flatMap(({ members }) => members),
  };
}

async function readInTime(
  request: RequestContext,
  subjects: readonly SubjectId[],
  options: ConsentDecidersOptions,
): Promise<Read> {
  const { principal, purpose } = request;
  const timeoutMs = options.timeoutMs ?? 150;
  const withRelations = purpose !== null && ROLE_PURPOSE_CELLS[principal.role][purpose] === 'BASIS';
  const late = Promise.withResolvers<never>();
  const giveUp = (): void => late.reject(new Error(`the decision read took over ${timeoutMs} ms`));
  // An answer that arrived while the event loop was busy is read before the immediate: it is not late.
  const timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
  options.onRead?.(subjects.length);
  try {
    const read = Promise.all([
      readFacts(options.database.promptRead, options.database.dialect, { subjects, purpose, withRelations }),
      principal.customer === null ? NOBODY : options.subjects.provenSubjects(principal.customer),
    ]);
    const [snapshot, provenSelf] = await Promise.race([read, late.promise]);
    return { snapshot, provenSelf };
  } finally {
    clearTimeout(timer);
  }
}
