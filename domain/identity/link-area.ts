import { type Transaction, sql } from 'kysely';

import { batchesOf } from '#platform/batches.ts';
import type { LinkCandidate } from './link-rules.ts';
import type { IdentityTables } from './tables.ts';
import { type SubjectId, toSubjectId } from '#schema/model/ids.ts';

/** The keys of one profile before and after a write; null: it did not take part then. */
export interface KeyChange {
  readonly subject: SubjectId;
  readonly before: ProfileKeys | null;
  readonly after: ProfileKeys | null;
}

export interface ProfileKeys {
  readonly email_hash: string | null;
  readonly phone_hash: string | null;
  readonly loyalty_hash: string | null;
}

const KEY_COLUMNS = ['email_hash', 'phone_hash', 'loyalty_hash'] as const;

export interface StoredLink {
  readonly id: string;
  readonly a: SubjectId;
  readonly b: SubjectId;
  readonly tier: string;
  /** As stored: a JSON array. */
  readonly evidence: string;
}

/** Everything whose links a change may touch: closed under shared keys and links in force. */
export interface LinkArea {
  /** Profiles that take part, all holders of every key that is not crowded. */
  readonly candidates: readonly LinkCandidate[];
  /** The candidates' subjects and those of deleted profiles. */
  readonly subjects: readonly SubjectId[];
  readonly links: readonly StoredLink[];
  /** Hashes with more holders than the cap. */
  readonly crowdedKeys: ReadonlySet<string>;
}

/** Reads the area around changed profiles; the changes must already be written. */
export async function loadLinkArea(
  trx: Transaction<IdentityTables>,
  changes: readonly KeyChange[],
  sizeCap: number,
): Promise<LinkArea> {
  const drift = holderDrift(changes);
  const candidates = new Map<SubjectId, LinkCandidate>();
  const links = new Map<string, StoredLink>();
  const crowdedKeys = new Set<string>();
  const seenKeys = new Set<string>();
  const subjects = new Set<SubjectId>();
  let newSubjects = changes.map((change) => change.subject);
  let newKeys = [...drift.keys()];

  while (newSubjects.length > 0 || newKeys.length > 0) {
    for (const subject of newSubjects) subjects.add(subject);
    for (const key of newKeys) seenKeys.add(key);
    const crowds = await countCrowds(trx, newKeys, sizeCap);
    for (const key of crowds.keys()) crowdedKeys.add(key);
    // The holders of a key that was crowded before as well have no links by it: there is nothing to undo.
    const wasCrowded = (key: string, holders: number): boolean => holders - (drift.get(key) ?? 0) > sizeCap;
    const openKeys = newKeys.filter((key) => !wasCrowded(key, crowds.get(key) ?? -Infinity));
    const rows = [...(await readByKeys(trx, openKeys)), ...(await readBySubjects(trx, newSubjects))];
    for (const row of rows) candidates.set(row.subject, row);
    const reached = rows.map((row) => row.subject).filter((subject) => !subjects.has(subject));
    for (const subject of reached) subjects.add(subject);
    const found = await readLinks(trx, [...newSubjects, ...reached]);
    for (const link of found) links.set(link.id, link);

    const next = new Set(found.flatMap((link) => [link.a, link.b]).filter((subject) => !subjects.has(subject)));
    newSubjects = [...next];
    newKeys = [...new Set(rows.flatMap(keysOf))].filter((key) => !seenKeys.has(key));
  }
  return { candidates: [...candidates.values()], subjects: [...subjects], links: [...links.values()], crowdedKeys };
}

/** By how much the changes altered the number of holders of each key they touch. */
function holderDrift(changes: readonly KeyChange[]): ReadonlyMap<string, number> {
  const drift = new Map<string, number>();
  const add = (key: string | null | undefined, by: number): void => {
    if (key !== null && key !== undefined) drift.set(key, (drift.get(key) ?? 0) + by);
  };
  for (const { before, after } of changes) {
    for (const column of KEY_COLUMNS) {
      add(before?.[column], -1);
      add(after?.[column], 1);
    }
  }
  return drift;
}

function keysOf(candidate: LinkCandidate): readonly string[] {
  return [candidate.emailHash, candidate.phoneHash, candidate.loyaltyHash].filter((key) => key !== null);
}

/** Holders of each key that has more than the cap. */
async function countCrowds(
  trx: Transaction<IdentityTables>,
  keys: readonly string[],
  sizeCap: number,
): Promise<ReadonlyMap<string, number>> {
  const crowds = new Map<string, number>();
  for (const batch of batchesOf(keys)) {
    const counts = KEY_COLUMNS.map((column) =>
      trx
        .selectFrom('source_profile')
        .select((eb) => [eb.ref(column).as('key'), eb.fn.countAll<number>().as('holders')])
        .where(column, 'in', batch)
        .where('observed_at', 'is not', null)
        .where('deleted_at', 'is', null)
        .groupBy(column)
        .having(sql<boolean>`count(*) > ${sizeCap}`),
    );
    const [first, second, third] = counts;
    const rows = await first!.unionAll(second!).unionAll(third!).execute();
    for (const { key, holders } of rows) if (key !== null) crowds.set(key, holders);
  }
  return crowds;
}

async function readByKeys(
  trx: Transaction<IdentityTables>,
  keys: readonly string[],
): Promise<readonly LinkCandidate[]> {
  const rows: LinkCandidate[] = [];
  for (const batch of batchesOf(keys)) {
    const found = await selectCandidates(trx)
      .where((eb) => eb.or(KEY_COLUMNS.map((column) => eb(column, 'in', batch))))
      .execute();
    rows.push(...found.map(toCandidate));
  }
  return rows;
}

async function readBySubjects(
  trx: Transaction<IdentityTables>,
  subjects: readonly SubjectId[],
): Promise<readonly LinkCandidate[]> {
  const rows: LinkCandidate[] = [];
  for (const batch of batchesOf(subjects)) {
    rows.push(...(await selectCandidates(trx).where('subject_id', 'in', batch).execute()).map(toCandidate));
  }
  return rows;
}

function selectCandidates(trx: Transaction<IdentityTables>) {
  return trx
    .selectFrom('source_profile')
    .select([
      'subject_id',
      'email_hash',
      'email_verified',
      'phone_hash',
      'surname_hash',
      'given_hash',
      'given_initial_hash',
      'birth_hash',
      'loyalty_hash',
      'is_test',
      'do_not_link',
    ])
    .where('observed_at', 'is not', null)
    .where('deleted_at', 'is', null);
}

type CandidateRow = Awaited<ReturnType<ReturnType<typeof selectCandidates>['execute']>>[number];

function toCandidate(row: CandidateRow): LinkCandidate {
  return {
    subject: toSubjectId(row.subject_id),
    emailHash: row.email_hash,
    emailVerified: row.email_verified === 1,
    phoneHash: row.phone_hash,
    surnameHash: row.surname_hash,
    givenHash: row.given_hash,
    givenInitialHash: row.given_initial_hash,
    birthHash: row.birth_hash,
    loyaltyHash: row.loyalty_hash,
    isTest: row.is_test === 1,
    doNotLink: row.do_not_link === 1,
  };
}

async function readLinks(
  trx: Transaction<IdentityTables>,
  subjects: readonly SubjectId[],
): Promise<readonly StoredLink[]> {
  const links: StoredLink[] = [];
  for (const batch of batchesOf(subjects)) {
    const rows = await trx
      .selectFrom('identity_link')
      .select(['id', 'subject_a', 'subject_b', 'tier', 'evidence'])
      .where('removed_at', 'is', null)
      .where((eb) => eb.or([eb('subject_a', 'in', batch), eb('subject_b', 'in', batch)]))
      .execute();
    for (const { id, subject_a, subject_b, tier, evidence } of rows) {
      links.push({ id, a: toSubjectId(subject_a), b: toSubjectId(subject_b), tier, evidence });
    }
  }
  return links;
}
