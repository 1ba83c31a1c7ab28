import { GraphQLError, type GraphQLFormattedError } from 'graphql';

import type { LocatedError } from './plan/report.ts';
import type { DeniedCell } from '#gateway/auth/static-authorization.ts';
import { ERROR_CODES, isErrorCode } from '#platform/errors.ts';

const MAX_ERRORS = 100;

/** One error for each scope-denied field of each row; grouped later. `owners` names the subgraph that owns a coordinate. */
export function scopeErrors(
  cells: readonly DeniedCell[],
  owners: ReadonlyMap<string, string>,
): readonly LocatedError[] {
  return cells.flatMap(({ denial, path }) =>
    denial.kind === 'SCOPE'
      ? [
          {
            message: ERROR_CODES.SCOPE_REQUIRED.message,
            path,
            extensions: {
              code: 'SCOPE_REQUIRED',
              serviceName: owners.get(denial.coordinate) ?? 'gateway',
              scopes: denial.scopes,
            },
          },
        ]
      : [],
  );
}

/**
 * One error for each (selection, code, system): the first with its path, and how often it occurred. At most 100, in the
 * order they came.
 */
export function groupErrors(errors: readonly LocatedError[]): readonly GraphQLError[] {
  if (errors.length === 0) return [];
  const groups = new Map<string, { readonly first: LocatedError; occurrences: number }>();
  for (const error of errors) {
    const selection = (error.path ?? []).filter((step) => typeof step === 'string').join('.');
    const key = `${selection} ${String(error.extensions['code'])} ${String(error.extensions['system'])}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { first: error, occurrences: 1 });
    else known.occurrences += 1;
  }
  return [...groups.values()].slice(0, MAX_ERRORS).map(
    ({ first, occurrences }) =>
      new GraphQLError(first.message, {
        path: first.path ?? null,
        extensions: { ...first.extensions, occurrences },
      }),
  );
}

/** Extensions a caller may see; anything else an error carries stays inside. */
const VISIBLE = [
  'code',
  'serviceName',
  'system',
  'occurrences',
  'scopes',
  'argument',
  'limit',
  'retryAfterMs',
  'requestId',
];
/** Codes whose message is written for the caller who made the mistake; all others say what the table says. */
export const OWN_MESSAGE: ReadonlySet<string> = new Set([
  'UNAUTHENTICATED',
  'PURPOSE_NOT_ALLOWED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
  // Clients of automatic persisted queries look for Apollo's own text.
  'PERSISTED_QUERY_NOT_FOUND',
  'LIMIT_LIST',
  'LIMIT_DEPTH',
  'LIMIT_ALIASES',
  'LIMIT_ROOT_FIELDS',
  'LIMIT_COST',
]);

/** Refusals of persisted queries that Apollo Server leaves without a code of their own. */
const APOLLO_BAD_REQUESTS: ReadonlySet<string> = new Set([
  'provided sha does not match query',
  'Unsupported persisted query version',
]);

function codedByApollo({ message, extensions = {} }: GraphQLFormattedError): Readonly<Record<string, unknown>> {
  return APOLLO_BAD_REQUESTS.has(message) ? { ...extensions, code: 'BAD_REQUEST' } : extensions;
}

/** What graphql finds wrong with a variable, without the value. */
const FINDING =
  /Field "\w*" (?:is not defined by|of required) type "[^"]*"|Expected (?:non-nullable )?type "[^"]*"|\bin "\w+" enum|\w+ cannot represent/g;

/** graphql repeats what it was given, and that may be somebody's address: only place and expectation are told. */
function withoutValues(message: string): string {
  const [, name] = /^Variable "\$(\w+)" got invalid value /.exec(message) ?? [];
  if (name === undefined) return message.replace(/ ?Did you mean [^?]*\?/, '');
  const place = / at "([\w.[\]]+)"; /.exec(message)?.[1] ?? name;
  const finding = message.match(FINDING)?.at(-1);
  const reason = finding?.replace(/^in (".*) enum/, 'No such value in $1').replace('represent', 'represent it');
  return `Variable "$${name}" got an invalid value at "${place}"${reason === undefined ? '' : `; ${reason}`}.`;
}

/** The error as it leaves: a code of the table with its message and the visible facts. The last mask before the client. */
export function toClientError(formatted: GraphQLFormattedError): GraphQLFormattedError {
  const given = codedByApollo(formatted);
  const code = isErrorCode(given['code']) ? given['code'] : 'INTERNAL_SERVER_ERROR';
  const { message, retryable } = ERROR_CODES[code];
  const visible = Object.fromEntries(VISIBLE.filter((key) => given[key] !== undefined).map((key) => [key, given[key]]));
  return {
    message: OWN_MESSAGE.has(code) && code === given['code'] ? withoutValues(formatted.message) : message,
    ...(formatted.path === undefined ? {} : { path: formatted.path }),
    ...(formatted.locations === undefined ? {} : { locations: formatted.locations }),
    extensions: { ...visible, code, retryable },
  };
}
