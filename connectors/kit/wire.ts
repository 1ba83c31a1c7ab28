import { upstreamError } from './failure.ts';

/** One HTTP request as a definition describes it: data only, relative to the system's configured URL. */
export interface WireRequest {
  /** The vendor's own name of the operation, for traces. */
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Starts with `/`; every variable part already percent-encoded. */
  readonly path: string;
  /** Undefined values are left out; names are sent as written (`$filter`). */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as application/json. */
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What makes two reads the same where the body carries an id of its own for every call. @default `json` */
  readonly shareAs?: unknown;
  /** Needs the narrower token that opens personal data, where the vendor has such tokens. @default false */
  readonly restricted?: boolean;
}

/** An answer whose body was read whole and parsed; `body` is undefined when it was empty or not JSON. */
export interface WireResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/**
 * The absolute URL of a request, below the system's own URL.
 * @throws {MortarError} UPSTREAM_CONTRACT when the path would leave the place it names (`..`, a backslash, an unencoded part).
 */
export function buildUrl(baseUrl: string, request: WireRequest): URL {
  const base = new URL(baseUrl);
  const wanted = base.pathname.replace(/\/+$/, '') + request.path;
  const url = new URL(base.origin + wanted);
  if (url.origin !== base.origin || url.pathname !== wanted) {
    throw upstreamError('UPSTREAM_CONTRACT', { message: `The path of ${request.operation} is not safe to send.` });
  }
  url.search = queryText(request.query ?? {});
  return url;
}

function queryText(query: NonNullable<WireRequest['query']>): string {
  return Object.entries(query)
    .filter((entry): entry is [string, string | number | boolean] => entry[1] !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name).replaceAll('%24', '$')}=${encodeURIComponent(String(value))}`)
    .join('&');
}

/**
 * The query of a vendor's link to the next page. Only the query is taken: host and path stay ours, so that an answer can
 * never send us (and our token) elsewhere. Null when the text is not a URL.
 */
export function queryOfLink(link: string): Readonly<Record<string, string>> | null {
  const url = URL.parse(link, 'http://relative.invalid');
  return url === null ? null : Object.fromEntries(url.searchParams);
}

/** Whether any system could know the text as an id: not empty, at most 255 characters, well-formed, no control characters. */
export function isPlausibleKey(key: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return key.length > 0 && key.length <= 255 && key.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(key);
}
