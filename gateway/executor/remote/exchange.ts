import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { type Dispatcher, Pool } from 'undici';

import { AnswerBody } from './answer-body.ts';
import type { Waiting } from '#gateway/executor/waiting.ts';

/** Where a subgraph answers, in the parts a call needs. */
export interface Endpoint {
  readonly origin: string;
  /** With the query. */
  readonly path: string;
}

/** One POST to a subgraph. */
export interface Exchange {
  readonly endpoint: Endpoint;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly waiting: Waiting;
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
/** A second net beneath the fetch's own time, beyond the longest time a fetch may have. */
const LONGEST_MS = 125_000;

interface Origin {
  readonly pool: Pool;
  readonly connections: number;
  /** Exchanges that have a connection, or one is made for them, whether or not anybody still waits for these. */
  sent: number;
  /** Those that wait for one, oldest first. */
  readonly line: Set<Post>;
  isSending: boolean;
}

/**
 * Keep-alive connections, one pool an origin. Exchanges wait here and not in the pool: it would give a connection to those
 * whose time is over by then, and close it again, once for each that waited while a subgraph stood still.
 */
export function createExchanger({ connections = CONNECTIONS }: { readonly connections?: number } = {}): Exchanger {
  // As many as the supergraph in use has, and those of graphs before it that are still asked: each swap calls `retain`.
  const origins = new Map<string, Origin>();
  const leave = (name: string, { pool }: Origin): void => {
    origins.delete(name);
    // Finishes what runs; rejects when the pool is destroyed: a swap may end after all were closed.
    pool.close().catch(() => undefined);
  };
  const originOf = (name: string): Origin => {
    const known = origins.get(name);
    if (known !== undefined) return known;
    const pool = new Pool(name, {
      connections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: LONGEST_MS,
      bodyTimeout: LONGEST_MS,
      keepAliveTimeout: 4_000,
      connect: { timeout: 5_000 },
    });
    const made: Origin = { pool, connections, sent: 0, line: new Set(), isSending: false };
    origins.set(name, made);
    return made;
  };
  let retained: ReadonlySet<string> | null = null;
  return {
    send: ({ endpoint, headers, body, waiting }) => {
      const origin = originOf(endpoint.origin);
      const over = (): void => {
        // A request that began before a swap may still ask an origin that nobody needs any more.
        const isNeeded = isUsed(origin) || retained?.has(endpoint.origin) !== false;
        if (!isNeeded && origins.get(endpoint.origin) === origin) leave(endpoint.origin, origin);
      };
      return new Promise((resolve, reject) => {
        const post = { path: endpoint.path, headers, body: Buffer.from(body) };
        new Post({ origin, post, waiting, resolve, reject, over }).begin();
      });
    },
    retain: (wanted) => {
      retained = wanted;
      const unused = [...origins].filter(([name, origin]) => !wanted.has(name) && !isUsed(origin));
      for (const [name, origin] of unused) leave(name, origin);
    },
    close: async () => {
      // What ends now closes nothing: it is destroyed.
      retained = null;
      await Promise.all([...origins.values()].map(({ pool }) => pool.destroy()));
    },
  };
}

const BROKEN_CONNECTION: ReadonlySet<unknown> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

function isUsed({ sent, line }: Origin): boolean {
  return sent + line.size > 0;
}

/** Gives free connections to who waits. Not from within itself: of a pool that is closed each would fail in the next. */
function sendNext(origin: Origin): void {
  if (origin.isSending) return;
  origin.isSending = true;
  try {
    for (const post of origin.line) {
      if (origin.sent >= origin.connections) break;
      origin.line.delete(post);
      post.send();
    }
  } finally {
    origin.isSending = false;
  }
}

const NOBODY_WAITS = 'nobody waits for the answer any longer';

interface Posting {
  readonly origin: Origin;
  readonly post: { readonly path: string; readonly headers: readonly string[]; readonly body: Buffer };
  readonly waiting: Waiting;
  readonly resolve: (answer: ExchangeAnswer | Promise<ExchangeAnswer>) => void;
  readonly reject: (error: ExchangeError) => void;
  /** Called once, when nothing of it runs any more. */
  readonly over: () => void;
}

/**
 * One exchange from its place in line to its answer. A class, because each call makes one; without a stream for the
 * answer: answers are bounded, and a stream costs more than the rest of a call.
 */
class Post implements Dispatcher.DispatchHandler {
  readonly #posting: Posting;
  readonly #body = new AnswerBody();
  #status = 0;
  #headers: IncomingHttpHeaders | null = null;
  #controller: Dispatcher.DispatchController | null = null;
  #isSent = false;
  #isOver = false;
  #isGone = false;

  constructor(posting: Posting) {
    this.#posting = posting;
  }

  /** Sends it as soon as there is a connection for it. */
  begin(): void {
    const { origin, waiting } = this.#posting;
    if (waiting.isOver) {
      this.fail(new ExchangeError(NOBODY_WAITS));
      return;
    }
    waiting.onOver = () => this.fail(new ExchangeError(NOBODY_WAITS));
    if (origin.sent < origin.connections) this.send();
    else origin.line.add(this);
  }

  send(): void {
    const { origin, post } = this.#posting;
    const { path, headers, body } = post;
    origin.sent += 1;
    this.#isSent = true;
    // It keeps the list and does not change it.
    origin.pool.dispatch({ path, method: 'POST', headers: headers as string[], body }, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(new ExchangeError(NOBODY_WAITS));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // 1xx come before the answer.
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    if (Number(headerOf(headers, 'content-length')) > ANSWER_LIMIT_BYTES) this.fail(tooLarge());
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#body.byteLength + chunk.byteLength > ANSWER_LIMIT_BYTES) this.fail(tooLarge());
    else this.#body.add(chunk);
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    const { resolve, reject, post } = this.#posting;
    this.#end();
    this.#leave();
    if (this.#headers === null) return reject(new ExchangeError(BROKEN_OFF));
    const wire = { sentBytes: post.body.byteLength, receivedBytes: this.#body.byteLength };
    try {
      resolve(readAnswer({ status: this.#status, headers: this.#headers, bytes: this.#body.bytes(), wire }));
    } catch (error) {
      // It throws no other.
      reject(error as ExchangeError);
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    const code: unknown = 'code' in cause ? cause.code : undefined;
    const unanswered = this.#headers === null && BROKEN_CONNECTION.has(code);
    this.fail(new ExchangeError(this.#headers === null ? 'the connection failed' : BROKEN_OFF, { unanswered, cause }));
    this.#leave();
  }

  fail(error: ExchangeError): void {
    if (this.#isOver) return;
    this.#end();
    this.#posting.reject(error);
    // The pool forgets nothing that it has no connection for yet: until it has one, or gives up, that place is taken.
    if (this.#isSent && this.#controller === null) return;
    this.#leave();
    this.#controller?.abort(error);
  }

  #end(): void {
    this.#isOver = true;
    this.#posting.waiting.onOver = null;
  }

  /** Gives back its place in line or its connection. */
  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    const { origin, over } = this.#posting;
    if (this.#isSent) origin.sent -= 1;
    else origin.line.delete(this);
    sendNext(origin);
    over();
  }
}

const BROKEN_OFF = 'the answer broke off or its compression is broken';

interface RawAnswer extends Pick<ExchangeAnswer, 'status' | 'wire'> {
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

/** @throws {ExchangeError} */
function readAnswer({ status, headers, bytes, wire }: RawAnswer): ExchangeAnswer | Promise<ExchangeAnswer> {
  const mediaType = mediaTypeOf(headerOf(headers, 'content-type'));
  const encoding = headerOf(headers, 'content-encoding').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return { status, mediaType, text: decode(bytes), wire };
  return decompress(bytes, encoding).then((plain) => ({ status, mediaType, text: decode(plain), wire }));
}

function headerOf(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}

function mediaTypeOf(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

const gunzip = promisify<Buffer, object, Buffer>(zlib.gunzip);
const brotli = promisify<Buffer, object, Buffer>(zlib.brotliDecompress);

/** Never more than the limit: a few bytes can stand for gigabytes. */
async function decompress(bytes: Buffer, encoding: string): Promise<Buffer> {
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

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new ExchangeError('the answer is not UTF-8 text', { cause });
  }
}
