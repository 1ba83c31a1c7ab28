import type { LocatedError, Report } from './plan/report.ts';
import type { RequestNotices } from './request-notices.ts';
import type { Finding } from './shape/complete.ts';
import type { ClientPaths } from './shape/visible-keys.ts';
import { ERROR_CODES } from '#platform/errors.ts';

/** Collects what the fetches of one operation tell, at paths the client knows: hidden keys end at the row they belong to. */
export function createOperationReport(
  paths: ClientPaths,
  notices: Pick<RequestNotices, 'wantsRefusalPaths' | 'refuse' | 'degrade'>,
): { readonly report: Report; readonly errors: LocatedError[] } {
  const errors: LocatedError[] = [];
  const report: Report = {
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
  return { report, errors };
}

/**
 * An error for each value that did not fit and each null that had to be promoted, unless one of the fetches' errors tells
 * of it: at that place, below it, or of the row as a whole.
 */
export function findingErrors(
  findings: readonly Finding[],
  told: readonly LocatedError[],
  owners: ReadonlyMap<string, string>,
): readonly LocatedError[] {
  if (findings.length === 0) return [];
  const exact = new Set<string>();
  const above = new Set<string>();
  for (const { path = [] } of told) {
    exact.add(path.join('.'));
    for (let length = 1; length <= path.length; length += 1) above.add(path.slice(0, length).join('.'));
  }
  return findings
    .filter(({ path }) => !above.has(path.join('.')) && !(path.length > 1 && exact.has(path.slice(0, -1).join('.'))))
    .map(({ path, coordinate }) => ({
      message: ERROR_CODES.INTERNAL_SERVER_ERROR.message,
      path,
      extensions: { code: 'INTERNAL_SERVER_ERROR', serviceName: owners.get(coordinate) ?? 'gateway' },
    }));
}
