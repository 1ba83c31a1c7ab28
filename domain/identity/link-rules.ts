import type { SubjectId } from '#schema/model/ids.ts';

/** How strongly two profiles are known to be one person, strongest first. Nothing here yields PROBABLE yet. */
export type LinkTier = 'SAME_SOURCE' | 'VERIFIED_KEY' | 'PHONE_AND_NAME' | 'PROBABLE';

/** Kinds of keys that joined two profiles. */
export type LinkEvidence = 'loyaltyNumber' | 'verifiedEmail' | 'phoneAndSurname';

/** What the rules see of one profile: keyed hashes and markers, never a value. */
export interface LinkCandidate {
  readonly subject: SubjectId;
  readonly emailHash: string | null;
  readonly emailVerified: boolean;
  readonly phoneHash: string | null;
  readonly surnameHash: string | null;
  readonly givenHash: string | null;
  readonly givenInitialHash: string | null;
  readonly birthHash: string | null;
  readonly loyaltyHash: string | null;
  readonly isTest: boolean;
  readonly doNotLink: boolean;
}

/** An edge between two subjects, `a` < `b`. */
export interface LinkEdge {
  readonly a: SubjectId;
  readonly b: SubjectId;
  readonly tier: LinkTier;
  /** Sorted. */
  readonly evidence: readonly LinkEvidence[];
}

export interface LinkOptions {
  /** Most profiles one set may have, and most holders a key may have to count as anybody's. @default 10 */
  readonly sizeCap?: number;
  /** Hashes known to have more holders than the cap, not all of them among the candidates. */
  readonly crowdedKeys?: ReadonlySet<string>;
}

const DEFAULT_SIZE_CAP = 10;

/** Whether the two may never be in one set, whatever keys they share. */
export function areBlocked(a: LinkCandidate, b: LinkCandidate): boolean {
  return (
    a.doNotLink ||
    b.doNotLink ||
    a.isTest !== b.isTest ||
    differ(a.loyaltyHash, b.loyaltyHash) ||
    differ(a.birthHash, b.birthHash)
  );
}

/** Whether a shared key is rather a household's: different given names or birth dates behind it. */
export function areHousehold(a: LinkCandidate, b: LinkCandidate): boolean {
  if (differ(a.birthHash, b.birthHash)) return true;
  if (a.givenHash !== null && b.givenHash !== null) return a.givenHash !== b.givenHash;
  return differ(a.givenInitialHash, b.givenInitialHash);
}

/**
 * The links in force among profiles, by the deterministic rules. Each kind of key is one level, strongest first. Where a
 * level would put two blocked profiles into one set, or make a set larger than the cap, its keys are ambiguous there
 * and link nobody. The answer does not depend on the order of the candidates. Candidates must be all holders of every
 * key they carry, except crowded ones.
 */
export function linkProfiles(candidates: readonly LinkCandidate[], options: LinkOptions = {}): readonly LinkEdge[] {
  const sizeCap = options.sizeCap ?? DEFAULT_SIZE_CAP;
  const crowded = options.crowdedKeys ?? new Set();
  const bySubject = new Map(candidates.map((candidate) => [candidate.subject, candidate]));
  const accepted = new Map<string, { a: SubjectId; b: SubjectId; evidence: LinkEvidence[] }>();

  for (const level of LEVELS) {
    const pairs = pairsOf(level, candidates, { sizeCap, crowded });
    const sets = componentsOf(candidates, [...accepted.values(), ...pairs]);
    const isSound = soundness(sets, bySubject, sizeCap);
    for (const { a, b } of pairs) {
      if (!isSound(a)) continue;
      const edge = accepted.get(`${a} ${b}`) ?? { a, b, evidence: [] };
      edge.evidence.push(level.evidence);
      accepted.set(`${a} ${b}`, edge);
    }
  }
  return [...accepted.values()]
    .map(({ a, b, evidence }) => ({ a, b, tier: tierOf(evidence), evidence: evidence.toSorted() }))
    .toSorted((x, y) => compareText(x.a, y.a) || compareText(x.b, y.b));
}

interface Level {
  readonly evidence: LinkEvidence;
  /** The hash whose holders are counted against the cap. */
  readonly counted: (candidate: LinkCandidate) => string | null;
  /** What both must share; null: does not take part. */
  readonly shared: (candidate: LinkCandidate) => string | null;
  /** True: one household pattern among the holders spoils the key for all of them, not only for the pair. */
  readonly spoils: boolean;
}

const LEVELS: readonly Level[] = [
  {
    evidence: 'loyaltyNumber',
    counted: (candidate) => candidate.loyaltyHash,
    shared: (candidate) => candidate.loyaltyHash,
    spoils: true,
  },
  {
    evidence: 'verifiedEmail',
    counted: (candidate) => candidate.emailHash,
    // An address nobody proved to hold is a typing mistake or an attack away from being somebody else's.
    shared: (candidate) => (candidate.emailVerified ? candidate.emailHash : null),
    spoils: true,
  },
  {
    evidence: 'phoneAndSurname',
    counted: (candidate) => candidate.phoneHash,
    shared: ({ phoneHash, surnameHash }) =>
      phoneHash === null || surnameHash === null ? null : `${phoneHash} ${surnameHash}`,
    spoils: false,
  },
];

interface Pair {
  readonly a: SubjectId;
  readonly b: SubjectId;
}

function pairsOf(
  level: Level,
  candidates: readonly LinkCandidate[],
  limits: { readonly sizeCap: number; readonly crowded: ReadonlySet<string> },
): readonly Pair[] {
  const holders = Map.groupBy(candidates, level.counted);
  const pairs: Pair[] = [];
  for (const [key, group] of Map.groupBy(candidates, level.shared)) {
    const counted = group[0] === undefined ? null : level.counted(group[0]);
    if (key === null || counted === null || limits.crowded.has(counted)) continue;
    if ((holders.get(counted)?.length ?? 0) > limits.sizeCap) continue;
    const couples = couplesOf(group);
    if (level.spoils && couples.some(([x, y]) => areHousehold(x, y))) continue;
    for (const [x, y] of couples) {
      if (areBlocked(x, y) || areHousehold(x, y)) continue;
      pairs.push(x.subject < y.subject ? { a: x.subject, b: y.subject } : { a: y.subject, b: x.subject });
    }
  }
  return pairs;
}

function couplesOf(group: readonly LinkCandidate[]): readonly (readonly [LinkCandidate, LinkCandidate])[] {
  return group.flatMap((x, index) => group.slice(index + 1).map((y) => [x, y] as const));
}

/** Says of a subject whether its set obeys blockers and cap; each set is judged once. */
function soundness(
  sets: ReadonlyMap<SubjectId, readonly SubjectId[]>,
  bySubject: ReadonlyMap<SubjectId, LinkCandidate>,
  sizeCap: number,
): (subject: SubjectId) => boolean {
  const verdicts = new Map<readonly SubjectId[], boolean>();
  return (subject) => {
    const set = sets.get(subject) ?? [];
    const known = verdicts.get(set);
    if (known !== undefined) return known;
    const members = set.flatMap((member) => bySubject.get(member) ?? []);
    const verdict = set.length <= sizeCap && !couplesOf(members).some(([x, y]) => areBlocked(x, y));
    verdicts.set(set, verdict);
    return verdict;
  };
}

function componentsOf(
  candidates: readonly LinkCandidate[],
  edges: readonly Pair[],
): ReadonlyMap<SubjectId, readonly SubjectId[]> {
  return connectedSets(
    candidates.map((candidate) => candidate.subject),
    edges,
  );
}

/** The set of every subject: the subjects it reaches over the edges, itself included, sorted; one array a set. */
export function connectedSets(
  subjects: readonly SubjectId[],
  edges: readonly Pair[],
): ReadonlyMap<SubjectId, readonly SubjectId[]> {
  const parents = new Map<SubjectId, SubjectId>(subjects.map((subject) => [subject, subject]));
  const rootOf = (subject: SubjectId): SubjectId => {
    let root = subject;
    for (let next = parents.get(root); next !== undefined && next !== root; next = parents.get(root)) root = next;
    parents.set(subject, root);
    return root;
  };
  for (const { a, b } of edges) {
    const [low, high] = [rootOf(a), rootOf(b)].toSorted();
    if (low !== undefined && high !== undefined) parents.set(high, low);
  }
  const sets = new Map<SubjectId, readonly SubjectId[]>();
  for (const members of Map.groupBy([...parents.keys()], rootOf).values()) {
    const set = members.toSorted();
    for (const member of set) sets.set(member, set);
  }
  return sets;
}

function tierOf(evidence: readonly LinkEvidence[]): LinkTier {
  return evidence.some((kind) => kind !== 'phoneAndSurname') ? 'VERIFIED_KEY' : 'PHONE_AND_NAME';
}

function differ(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a !== b;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
