/**
 * Every error code a caller may see. docs/errors.md is generated from this table. A code is never renamed or reused.
 * `http`: status when the whole request fails with it. `message`: what clients read. `action`: what they can do.
 */
export const ERROR_CODES = {
  UNAUTHENTICATED: {
    http: 401,
    retryable: false,
    message: 'A valid bearer token is required.',
    action: 'Get a token from the issuer named at /.well-known/oauth-protected-resource.',
    since: '0.1.0',
  },
  SCOPE_REQUIRED: {
    http: 403,
    retryable: false,
    message: 'The token lacks a scope this field needs.',
    action: 'Ask for a token with the scope named in `scopes`.',
    since: '0.1.0',
  },
  PURPOSE_NOT_ALLOWED: {
    http: 403,
    retryable: false,
    message: 'The token may not declare this purpose.',
    action: 'Declare one of the purposes the token carries in the header mortar-purpose.',
    since: '0.1.0',
  },
  PURPOSE_REQUIRED: {
    http: 400,
    retryable: false,
    message: 'Personal fields need a declared purpose.',
    action: 'Send the header mortar-purpose with exactly one of the purposes the token carries.',
    since: '0.1.0',
  },
  BAD_USER_INPUT: {
    http: 400,
    retryable: false,
    message: 'The request has an invalid value.',
    action: 'Correct the value named in the message.',
    since: '0.1.0',
  },
  BAD_REQUEST: {
    http: 400,
    retryable: false,
    message: 'The request is not a well-formed GraphQL request.',
    action: 'Send JSON with a string `query` and, if needed, objects `variables` and `extensions`.',
    since: '0.1.0',
  },
  GRAPHQL_PARSE_FAILED: {
    http: 400,
    retryable: false,
    message: 'The document is not valid GraphQL.',
    action: 'Correct the syntax.',
    since: '0.1.0',
  },
  GRAPHQL_VALIDATION_FAILED: {
    http: 400,
    retryable: false,
    message: 'The document does not fit the schema.',
    action: 'Correct the field, argument or type named in the message.',
    since: '0.1.0',
  },
  OPERATION_RESOLUTION_FAILURE: {
    http: 400,
    retryable: false,
    message: 'The operation cannot be chosen.',
    action: 'Name one of the operations of the document in operationName.',
    since: '0.1.0',
  },
  PERSISTED_QUERY_NOT_FOUND: {
    http: 200,
    retryable: true,
    message: 'The persisted query is not known here.',
    action: 'Send the document with its hash once.',
    since: '0.1.0',
  },
  LIMIT_LIST: {
    http: 400,
    retryable: false,
    message: 'A list or page is too long.',
    action: 'Ask for 1 to 100 rows a page and at most 200 keys a list.',
    since: '0.1.0',
  },
  LIMIT_DEPTH: {
    http: 400,
    retryable: false,
    message: 'The document is nested too deeply.',
    action: 'Ask for fewer levels.',
    since: '0.1.0',
  },
  LIMIT_ALIASES: {
    http: 400,
    retryable: false,
    message: 'The document has too many aliases, or one that is not allowed.',
    action: 'Use fewer aliases and no alias that starts with two underscores.',
    since: '0.1.0',
  },
  LIMIT_ROOT_FIELDS: {
    http: 400,
    retryable: false,
    message: 'The document has too many root fields.',
    action: 'Split the request.',
    since: '0.1.0',
  },
  LIMIT_COST: {
    http: 400,
    retryable: false,
    message: 'The document asks for too much at once.',
    action: 'Ask for smaller pages or fewer nested lists.',
    since: '0.1.0',
  },
  REQUEST_TOO_LARGE: {
    http: 413,
    retryable: false,
    message: 'The request body is too large.',
    action: 'Send at most 1 MiB.',
    since: '0.1.0',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    http: 415,
    retryable: false,
    message: 'The content type is not supported.',
    action: 'Send application/json.',
    since: '0.1.0',
  },
  NOT_FOUND: {
    http: 404,
    retryable: false,
    message: 'There is nothing here.',
    action: 'Check the address. The graph answers at /graphql.',
    since: '0.1.0',
  },
  METHOD_NOT_ALLOWED: {
    http: 405,
    retryable: false,
    message: 'The method is not allowed here.',
    action: 'Use POST for GraphQL.',
    since: '0.1.0',
  },
  DEADLINE_EXCEEDED: {
    http: 504,
    retryable: true,
    message: 'The answer was not ready in time.',
    action: 'Try again, or ask for less.',
    since: '0.1.0',
  },
  OVERLOADED: {
    http: 503,
    retryable: true,
    message: 'The service is busy.',
    action: 'Try again after the time in Retry-After.',
    since: '0.1.0',
  },
  UPSTREAM_TIMEOUT: {
    http: 504,
    retryable: true,
    message: 'A connected system did not answer in time.',
    action: 'Try again; the other fields are right.',
    since: '0.1.0',
  },
  UPSTREAM_UNAVAILABLE: {
    http: 503,
    retryable: true,
    message: 'A connected system is not available.',
    action: 'Try again later; the other fields are right.',
    since: '0.1.0',
  },
  UPSTREAM_RATE_LIMITED: {
    http: 503,
    retryable: true,
    message: 'A connected system asked us to slow down.',
    action: 'Try again after a moment; the other fields are right.',
    since: '0.1.0',
  },
  UPSTREAM_CONTRACT: {
    http: 502,
    retryable: false,
    message: 'A connected system gave an answer we cannot trust.',
    action: 'Tell the platform team; the other fields are right.',
    since: '0.1.0',
  },
  LEDGER_UNAVAILABLE: {
    http: 503,
    retryable: true,
    message: 'The consent ledger cannot be reached.',
    action: 'Try again; nothing was recorded.',
    since: '0.1.0',
  },
  SUBGRAPH_UNAVAILABLE: {
    http: 503,
    retryable: true,
    message: 'A part of the graph is not available.',
    action: 'Try again; the other fields are right.',
    since: '0.1.0',
  },
  CONFIGURATION_INVALID: {
    http: 500,
    retryable: false,
    message: 'The configuration is not valid.',
    action: 'Correct the key named in the message.',
    since: '0.1.0',
  },
  INTERNAL_SERVER_ERROR: {
    http: 500,
    retryable: false,
    message: 'Something went wrong on our side.',
    action: 'Report the request id.',
    since: '0.1.0',
  },
} as const satisfies Record<
  string,
  {
    readonly http: number;
    readonly retryable: boolean;
    readonly message: string;
    readonly action: string;
    readonly since: string;
  }
>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface MortarErrorOptions {
  /** For operators and logs: never personal data, secrets or upstream bodies. @default the code's client message */
  readonly message?: string;
  readonly cause?: unknown;
  /** The connected system concerned. */
  readonly system?: string;
  readonly attempts?: number;
  readonly elapsedMs?: number;
  /** Milliseconds the source asked us to wait. */
  readonly retryAfterMs?: number;
  /** Further facts clients may see. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** The only error class that means something to callers; anything else is masked as INTERNAL_SERVER_ERROR. */
export class MortarError extends Error {
  readonly code: ErrorCode;
  readonly system: string | undefined;
  readonly attempts: number | undefined;
  readonly elapsedMs: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, options: MortarErrorOptions = {}) {
    super(
      options.message ?? ERROR_CODES[code].message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'MortarError';
    this.code = code;
    this.system = options.system;
    this.attempts = options.attempts;
    this.elapsedMs = options.elapsedMs;
    this.retryAfterMs = options.retryAfterMs;
    this.facts = options.facts ?? {};
  }
}

export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === 'string' && Object.hasOwn(ERROR_CODES, text);
}
