import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { LRUCache } from 'lru-cache';
import { type Dispatcher, Pool } from 'undici';

/** One POST to a subgraph. */
export interface Exchange {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** What came back: the whole body, decompressed. */
export interface ExchangeAnswer {
  readonly status: number;
  /** Lower-case, without parameters. */
  readonly mediaType: string;
  readonly text: string;
  /** Of the two bodies as they travelled: the answer's before it was decompressed. */
  readonly wire: { readonly sentBytes: number; readonly receivedBytes: number };
}

/** Why there is no answer, in words of ours: never the address or what was sent. */
export class ExchangeError extends Error {
  /** The connection broke before a byte of the answer came. */
  readonly unanswered: boolean;

  constructor(message: string, { unanswered = false, cause }: { unanswered?: boolean; cause?: unknown } = {}) {
    super(message, { cause });
    this.name = 'ExchangeError';
    this.unanswered = unanswered;
  }
}

export interface Exchanger {
  /** Follows no redirect. @throws {ExchangeError} */
  readonly send: (exchange: Exchange) => Promise<ExchangeAnswer>;
  /** Closes the connections to all other origins, each once what runs there is over; also of requests still to come. */
  readonly retain: (origins: ReadonlySet<string>) => void;
  /** Breaks off what runs. */
  readonly close: () => Promise<void>;
}

/** 8 MiB decompressed: a larger answer would hold the event loop while it is parsed. */
const ANSWER_LIMIT_BYTES = 8 * 1024 * 1024;
/** Connections to one origin; more fetches than that wait their turn within their own time. */
const CONNECTIONS = 128;
/** Origins whose connections are kept; supergraphs may change their addresses for ever. */
const MAX_ORIGINS = 256;
/** A second net beneath the fetch's own signal, beyond the longest time a fetch may have. */
const LONGEST_MS = 125_000;

/** Keep-alive connections, one pool an origin. */
export function createExchanger(): Exchanger {
  const pools = new LRUCache<string, Pool>({
    max: MAX_ORIGINS,
    // Finishes what runs.
    dispose: (pool) => void pool.close(),
  });
  const poolOf = (origin: string): Pool => {
    const known = pools.get(origin);
    if (known !== undefined) return known;
    const pool = new Pool(origin, {
      connections: CONNECTIONS,
      pipelining: 1,
      allowH2: false,
      headersTimeout: LONGEST_MS,
      bodyTimeout: LONGEST_MS,
      keepAliveTimeout: 4_000,
      connect: { timeout: 5_000 },
    });
    pools.set(origin, pool);
    return pool;
  };
  // A request that began before a swap may still ask an origin that nobody needs any more.
  const running = new Map<string, number>();
  let retained: ReadonlySet<string> | null = null;
  const count = (origin: string, step: 1 | -1): void => {
    const now = (running.get(origin) ?? 0) + step;
    if (now > 0) running.set(origin, now);
    else running.delete(origin);
    if (now === 0 && retained?.has(origin) === false) pools.delete(origin);
  };
  return {
    send: async ({ url, headers, body, signal }) => {
      const path = url.pathname + url.search;
      count(url.origin, 1);
      try {
        const answer = await post(poolOf(url.origin), { path, headers, body, signal });
        return await readAnswer(answer, Buffer.byteLength(body));
      } finally {
        count(url.origin, -1);
      }
    },
    retain: (origins) => {
      retained = origins;
      const unused = [...pools.keys()].filter((origin) => !origins.has(origin) && !running.has(origin));
      for (const origin of unused) pools.delete(origin);
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

const BROKEN_CONNECTION: ReadonlySet<unknown> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly chunks: readonly Buffer[];
  readonly receivedBytes: number;
}

interface Post extends Omit<Exchange, 'url'> {
  readonly path: string;
}

/** Without a stream for each answer: answers are bounded, and a stream costs more than the rest of a call. */
function post(pool: Pool, { signal, ...request }: Post): Promise<RawAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const chunks: Buffer[] = [];
  let receivedBytes = 0;
  let answer: Pick<RawAnswer, 'status' | 'headers'> | null = null;
  let controller: Dispatcher.DispatchController | null = null;
  const fail = (error: ExchangeError): void => {
    signal.removeEventListener('abort', leave);
    reject(error);
    controller?.abort(error);
  };
  const leave = (): void => fail(new ExchangeError('nobody waits for the answer any longer'));
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: (started) => {
      controller = started;
      if (signal.aborted) started.abort(new ExchangeError('nobody waits for the answer any longer'));
    },
    onResponseStart: (_started, status, headers) => {
      // 1xx come before the answer.
      if (status < 200) return;
      answer = { status, headers };
      if (Number(headerOf(headers, 'content-length')) > ANSWER_LIMIT_BYTES) fail(tooLarge());
    },
    onResponseData: (_started, chunk) => {
      receivedBytes += chunk.byteLength;
      if (receivedBytes > ANSWER_LIMIT_BYTES) fail(tooLarge());
      else chunks.push(chunk);
    },
    onResponseEnd: () => {
      signal.removeEventListener('abort', leave);
      if (answer !== null) resolve({ ...answer, chunks, receivedBytes });
    },
    onResponseError: (_started, cause) => {
      const code: unknown = 'code' in cause ? cause.code : undefined;
      const unanswered = answer === null && BROKEN_CONNECTION.has(code);
      fail(new ExchangeError(answer === null ? 'the connection failed' : BROKEN_OFF, { unanswered, cause }));
    },
  };
  if (signal.aborted) leave();
  else {
    signal.addEventListener('abort', leave, { once: true });
    pool.dispatch({ ...request, method: 'POST' }, handler);
  }
  return promise;
}

const BROKEN_OFF = 'the answer broke off or its compression is broken';

async function readAnswer(answer: RawAnswer, sentBytes: number): Promise<ExchangeAnswer> {
  const { status, headers, receivedBytes } = answer;
  const encoding = headerOf(headers, 'content-encoding').trim().toLowerCase();
  const bytes = await decompress(Buffer.concat(answer.chunks), encoding);
  const mediaType = headerOf(headers, 'content-type').split(';')[0]?.trim().toLowerCase() ?? '';
  return { status, mediaType, text: decode(bytes), wire: { sentBytes, receivedBytes } };
}

function headerOf(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}

const gunzip = promisify<Buffer, object, Buffer>(zlib.gunzip);
const brotli = promisify<Buffer, object, Buffer>(zlib.brotliDecompress);

/** Never more than the limit: a few bytes can stand for gigabytes. */
async function decompress(bytes: Buffer, encoding: string): Promise<Buffer> {
  if (encoding === '' || encoding === 'identity') return bytes;
  if (encoding !== 'gzip' && encoding !== 'br')
    throw new ExchangeError('the answer is compressed in a way that was not offered');
  try {
    return await (encoding === 'gzip' ? gunzip : brotli)(bytes, { maxOutputLength: ANSWER_LIMIT_BYTES });
  } catch (cause) {
    const isTooLarge = cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE';
    throw isTooLarge ? tooLarge() : new ExchangeError(BROKEN_OFF, { cause });
  }
}

function tooLarge(): ExchangeError {
  return new ExchangeError(`the answer is larger than ${ANSWER_LIMIT_BYTES} bytes`);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ExchangeError('the answer is not UTF-8 text', { cause });
  }
}
