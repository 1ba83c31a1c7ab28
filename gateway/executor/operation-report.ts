import type { ResponsePath } from './plan/paths.ts';
import type { Cause, LocatedError, MayTell, Report } from './plan/report.ts';
import type { RequestNotices } from './request-notices.ts';
import type { Finding } from './shape/complete.ts';
import type { ClientPaths } from './shape/visible-keys.ts';
import { ERROR_CODES } from '#platform/errors.ts';

/** Errors of one operation that are told place by place, by all its fetches: as many as hold the event loop some 20 ms. */
const MAX_TOLD = 10_000;
/** What each fetch may tell beyond that, so that no subgraph silences another. */
const OWN_TOLD = 100;

/** What the fetches of one operation told. */
export interface ToldErrors {
  readonly errors: LocatedError[];
  /** Subgraphs that had more errors than could be told. */
  readonly untold: Set<string>;
}

/** Collects what the fetches of one operation tell, at paths the client knows: hidden keys end at the row they belong to. */
export function createOperationReport(
  paths: ClientPaths,
  notices: Pick<RequestNotices, 'wantsRefusalPaths' | 'refuse' | 'degrade'>,
): ToldErrors & { readonly report: Report } {
  const errors: LocatedError[] = [];
  const untold = new Set<string>();
  let left = MAX_TOLD;
  const tellingOf = (subgraph: string): MayTell => {
    let own = OWN_TOLD;
    return (count) => {
      if (left > 0) left -= count;
      else if (own > 0) own -= count;
      else {
        untold.add(subgraph);
        return false;
      }
      return true;
    };
  };
  const report: Report = {
    tellingOf,
    fail: ({ path, ...error }) => {
      if (path === undefined) errors.push({ ...error, path });
      else errors.push(placed(error, path, paths));
    },
    failFields: (row, keys, cause) => {
      const all = keys.map((key) => placed(cause, [...row, key], paths));
      const seen = all.filter(({ isHidden }) => isHidden !== true);
      // Only what the client asked for is told; a fetch of nothing but hidden keys is told once.
      const told = seen.length > 0 ? seen : [{ ...placed(cause, row, paths), isHidden: true as const }];
      for (const error of told) errors.push(error);
    },
    refuse: ({ path, ...facts }, clientPath) => {
      const rowKey = facts.rowKey === '' ? path.join('.') : facts.rowKey;
      notices.refuse({ ...facts, rowKey }, notices.wantsRefusalPaths ? paths.visible(clientPath) : null);
    },
    degrade: ({ path: _path, ...facts }, clientPath) => notices.degrade(facts, paths.visible(clientPath)),
  };
  return { report, errors, untold };
}

/** The error as far as the client's document goes. */
function placed(error: Cause, path: ResponsePath, paths: ClientPaths): LocatedError {
  const { message, extensions } = error;
  const visible = paths.visible(path);
  return { message, path: visible, extensions, ...(visible.length < path.length && { isHidden: true as const }) };
}

/**
 * An error for each value that did not fit and each null that had to be promoted, unless one of the fetches' errors tells
 * of it: at that place, below it, or of the row as a whole when it is of the same subgraph or of a hidden key; or its
 * subgraph failed at more places than are told.
 */
export function findingErrors(
  findings: readonly Finding[],
  { errors, untold }: ToldErrors,
  owners: ReadonlyMap<string, string>,
): readonly LocatedError[] {
  if (findings.length === 0) return [];
  const told = createToldPlace();
  for (const error of errors) addPlace(told, error);
  return findings.flatMap(({ path, coordinate }) => {
    const serviceName = owners.get(coordinate) ?? 'gateway';
    if (untold.has(serviceName) || isTold(told, path, serviceName)) return [];
    const { message } = ERROR_CODES.INTERNAL_SERVER_ERROR;
    return [{ message, path, extensions: { code: 'INTERNAL_SERVER_ERROR', serviceName } }];
  });
}

/** Places of errors by the steps that lead there. */
interface ToldPlace {
  readonly below: Map<string, ToldPlace>;
  /** Whose errors end here; ANY: what failed was hidden, and others may have needed it. */
  readonly of: Set<unknown>;
}

function createToldPlace(): ToldPlace {
  return { below: new Map(), of: new Set() };
}

const ANY = Symbol('any subgraph');

function addPlace(root: ToldPlace, { path = [], extensions, isHidden }: LocatedError): void {
  let at = root;
  for (const step of path) {
    const next = at.below.get(String(step)) ?? createToldPlace();
    at.below.set(String(step), next);
    at = next;
  }
  at.of.add(isHidden === true ? ANY : extensions['serviceName']);
}

function isTold(root: ToldPlace, path: ResponsePath, subgraph: string): boolean {
  let row: ToldPlace | undefined;
  let at: ToldPlace | undefined = root;
  for (const step of path) {
    row = at;
    at = at?.below.get(String(step));
  }
  return at !== undefined || (path.length > 1 && row !== undefined && (row.of.has(subgraph) || row.of.has(ANY)));
}
