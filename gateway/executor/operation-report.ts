import type { ResponsePath } from './plan/paths.ts';
import type { LocatedError, MayTell, Report } from './plan/report.ts';
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
    fail: (error) => void errors.push(error.path === undefined ? error : { ...error, path: paths.visible(error.path) }),
    failFields: (row, keys, cause) => {
      const all = keys.map((key) => paths.visible([...row, key]));
      const seen = all.filter((path) => path.length > row.length);
      // Only what the client asked for is told; a fetch of nothing but hidden keys is told once.
      const told = seen.length > 0 ? seen : [paths.visible(row)];
      for (const path of told) errors.push({ ...cause, path });
    },
    refuse: ({ path, ...facts }, clientPath) => {
      const rowKey = facts.rowKey === '' ? path.join('.') : facts.rowKey;
      notices.refuse({ ...facts, rowKey }, notices.wantsRefusalPaths ? paths.visible(clientPath) : null);
    },
    degrade: ({ path: _path, ...facts }, clientPath) => notices.degrade(facts, paths.visible(clientPath)),
  };
  return { report, errors, untold };
}

/**
 * An error for each value that did not fit and each null that had to be promoted, unless one of the fetches' errors tells
 * of it: at that place, below it, or of the row as a whole; or its subgraph failed at more places than are told.
 */
export function findingErrors(
  findings: readonly Finding[],
  { errors, untold }: ToldErrors,
  owners: ReadonlyMap<string, string>,
): readonly LocatedError[] {
  if (findings.length === 0) return [];
  const told = createToldPlace();
  for (const { path = [] } of errors) addPlace(told, path);
  return findings.flatMap(({ path, coordinate }) => {
    const serviceName = owners.get(coordinate) ?? 'gateway';
    if (untold.has(serviceName) || isTold(told, path)) return [];
    const { message } = ERROR_CODES.INTERNAL_SERVER_ERROR;
    return [{ message, path, extensions: { code: 'INTERNAL_SERVER_ERROR', serviceName } }];
  });
}

/** Places of errors by the steps that lead there. */
interface ToldPlace {
  readonly below: Map<string, ToldPlace>;
  /** An error ends here. */
  isEnd: boolean;
}

function createToldPlace(): ToldPlace {
  return { below: new Map(), isEnd: false };
}

function addPlace(root: ToldPlace, path: ResponsePath): void {
  let at = root;
  for (const step of path) {
    const next = at.below.get(String(step)) ?? createToldPlace();
    at.below.set(String(step), next);
    at = next;
  }
  at.isEnd = true;
}

function isTold(root: ToldPlace, path: ResponsePath): boolean {
  let row: ToldPlace | undefined;
  let at: ToldPlace | undefined = root;
  for (const step of path) {
    row = at;
    at = at?.below.get(String(step));
  }
  return at !== undefined || (path.length > 1 && row?.isEnd === true);
}
