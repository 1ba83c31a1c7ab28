import type { DegradedSource, Refusal } from '#platform/subgraph.ts';
import type { RefusalReason } from '#schema/model/consent.ts';
import type { Role } from '#schema/model/request.ts';

type ResponsePath = readonly (string | number)[];

/** One entry of `extensions.consent`. */
export interface ConsentEntry {
  readonly coordinate: string;
  readonly purpose: string | null;
  readonly reason: RefusalReason;
  /** Distinct rows; absent for partners and analysts. */
  readonly count?: number;
  /** For associates and the person only: a refusal is personal data too. At most 1,000. */
  readonly paths?: readonly ResponsePath[];
}

/** One entry of `extensions.provenance`; `asOf` is the oldest of its values. At most 100 paths. */
export interface ProvenanceEntry {
  readonly system: string;
  readonly lane: string;
  readonly asOf: string | null;
  readonly stale: boolean;
  readonly degraded: boolean;
  readonly paths: readonly ResponsePath[];
}

/** Collects, over all fetches of one request, what the answer must say beside its data. */
export interface RequestNotices {
  /** Client paths of refusals are wanted. */
  readonly wantsRefusalPaths: boolean;
  /** A selected field that role or purpose can never open: told even where the answer has no row of it. */
  readonly forbid: (field: Pick<Refusal, 'coordinate' | 'purpose'>) => void;
  readonly refuse: (refusal: Omit<Refusal, 'path'>, clientPath: ResponsePath | null) => void;
  readonly degrade: (source: Omit<DegradedSource, 'path'>, clientPath: ResponsePath | null) => void;
  readonly consent: () => readonly ConsentEntry[];
  readonly provenance: () => readonly ProvenanceEntry[];
}

const MAX_REFUSAL_PATHS = 1_000;
const MAX_SOURCE_PATHS = 100;
const PATHS_FOR: ReadonlySet<Role> = new Set<Role>(['associate', 'customer']);
const NO_COUNT_FOR: ReadonlySet<Role> = new Set<Role>(['partner', 'analyst']);

type RefusedField = Pick<Refusal, 'coordinate' | 'purpose' | 'reason'>;

interface RefusalGroup {
  readonly coordinate: string;
  readonly purpose: string | null;
  readonly reason: RefusalReason;
  readonly rows: Set<string>;
  readonly paths: ResponsePath[];
}

interface SourceGroup {
  readonly source: Omit<DegradedSource, 'path'>;
  asOf: string | null;
  readonly paths: Map<string, ResponsePath>;
}

/** An empty collector for a request of the given role; null: nobody is known, nothing is told. */
export function createRequestNotices(role: Role | null): RequestNotices {
  const refusals = new Map<string, RefusalGroup>();
  const sources = new Map<string, SourceGroup>();
  const wantsRefusalPaths = role !== null && PATHS_FOR.has(role);

  const groupOf = ({ coordinate, purpose, reason: told }: RefusedField): RefusalGroup => {
    const reason = reasonFor(role, told);
    const create = () => ({ coordinate, purpose, reason, rows: new Set<string>(), paths: [] });
    return upsert(refusals, `${coordinate} ${purpose} ${reason}`, create);
  };

  const forbid: RequestNotices['forbid'] = (field) => {
    groupOf({ ...field, reason: 'PURPOSE_NOT_ALLOWED' });
  };

  const refuse: RequestNotices['refuse'] = (refusal, clientPath) => {
    const group = groupOf(refusal);
    group.rows.add(refusal.rowKey);
    if (wantsRefusalPaths && clientPath !== null && group.paths.length < MAX_REFUSAL_PATHS)
      group.paths.push(clientPath);
  };

  const degrade: RequestNotices['degrade'] = (source, clientPath) => {
    const { system, lane, stale, degraded } = source;
    const group = upsert(sources, `${system} ${lane} ${stale} ${degraded}`, () => ({
      source,
      asOf: source.asOf,
      paths: new Map<string, ResponsePath>(),
    }));
    group.asOf = older(group.asOf, source.asOf);
    if (clientPath !== null && group.paths.size < MAX_SOURCE_PATHS) group.paths.set(clientPath.join('.'), clientPath);
  };

  const consent = (): readonly ConsentEntry[] =>
    [...refusals.values()].map(({ rows, paths, ...entry }) => ({
      ...entry,
      ...(role === null || NO_COUNT_FOR.has(role) ? {} : { count: rows.size }),
      ...(wantsRefusalPaths ? { paths } : {}),
    }));
  const provenance = (): readonly ProvenanceEntry[] =>
    [...sources.values()].map(({ source, asOf, paths }) => ({
      system: source.system,
      lane: source.lane,
      asOf,
      stale: source.stale,
      degraded: source.degraded,
      paths: [...paths.values()],
    }));
  return { wantsRefusalPaths, forbid, refuse, degrade, consent, provenance };
}

/** Partners and analysts must not learn why: a restriction or an unknown person looks like a missing consent. */
function reasonFor(role: Role | null, reason: RefusalReason): RefusalReason {
  return role !== null && NO_COUNT_FOR.has(role) && reason === 'RESTRICTED' ? 'CONSENT_REQUIRED' : reason;
}

/** Unknown (null) counts as oldest. ISO 8601 UTC instants sort as text. */
function older(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return null;
  return a < b ? a : b;
}

function upsert<V>(map: Map<string, V>, key: string, create: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const created = create();
  map.set(key, created);
  return created;
}
