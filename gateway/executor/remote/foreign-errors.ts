import { ERROR_CODES, type ErrorCode } from '#platform/errors.ts';
import type { SubgraphError } from '#platform/subgraph.ts';

/** What a subgraph of others may say of its own field; everything else speaks of the gateway's own affairs. */
const KEPT: ReadonlySet<unknown> = new Set<ErrorCode>([
  'BAD_USER_INPUT',
  'SCOPE_REQUIRED',
  'DEADLINE_EXCEEDED',
  'OVERLOADED',
  'UPSTREAM_TIMEOUT',
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_RATE_LIMITED',
]);

/**
 * The errors of a subgraph that is not ours: paths and a code of a short list, in our own words. Its own, and every fact it
 * adds, may hold addresses or persons, and would reach the client as if we had written them.
 */
export function maskForeignErrors(errors: readonly SubgraphError[]): readonly SubgraphError[] {
  return errors.map(({ path, extensions }) => {
    const code = isKept(extensions['code']) ? extensions['code'] : 'INTERNAL_SERVER_ERROR';
    return { message: ERROR_CODES[code].message, path, extensions: { code } };
  });
}

function isKept(code: unknown): code is ErrorCode {
  return KEPT.has(code);
}
