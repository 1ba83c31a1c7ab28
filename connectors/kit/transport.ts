import { Pool } from 'undici';

import { upstreamError } from './failure.ts';

export interface HttpExchange {
  readonly url: URL;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly signal: AbortSignal;
}

/** Status, headers (lower-case) and the whole body as text. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface Transport {
  /** Follows no redirect. Rejects with the connection's own error, or UPSTREAM_CONTRACT when the body is too large or no UTF-8. */
  readonly send: (exchange: HttpExchange) => Promise<HttpAnswer>;
  readonly close: () => Promise<void>;
}

/** 8 MiB: the most an upstream answer may have (a larger one blocks the event loop while parsed). */
const RESPONSE_LIMIT_BYTES = 8 * 1024 * 1024;

/** Keep-alive connections, one pool an origin. The kit's own timer ends late calls; the pool's timers are a second net. */
export function poolTransport(connections: number): Transport {
  const pools = new Map<string, Pool>();
  const poolOf = (origin: string): Pool => {
    const known = pools.get(origin);
    if (known !== undefined) return known;
    const made = new Pool(origin, {
      connections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: 30_000,
      bodyTimeout: 30_000,
      keepAliveTimeout: 10_000,
      connect: { timeout: 5_000 },
    });
    pools.set(origin, made);
    return made;
  };
  return {
    send: async ({ url, method, headers, body, signal }) => {
      const answer = await poolOf(url.origin).request({
        path: url.pathname + url.search,
        method,
        headers,
        body,
        signal,
      });
      return {
        status: answer.statusCode,
        headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
        text: await readText(answer.body, String(answer.headers['content-length'] ?? '')),
      };
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
      pools.clear();
    },
  };
}

/** The same over a fetch function, for tests and for handlers called in process. */
export function fetchTransport(fetchFunction: typeof fetch): Transport {
  return {
    send: async ({ url, method, headers, body, signal }) => {
      const answer = await fetchFunction(url, { method, headers, body, signal, redirect: 'manual' });
      return {
        status: answer.status,
        headers: Object.fromEntries(answer.headers),
        text: answer.body === null ? '' : await readText(answer.body, answer.headers.get('content-length') ?? ''),
      };
    },
    close: async () => {},
  };
}

async function readText(body: AsyncIterable<Uint8Array>, declaredLength: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  const declared = Number(declaredLength);
  let size = declared > RESPONSE_LIMIT_BYTES ? declared : 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > RESPONSE_LIMIT_BYTES) {
      throw upstreamError('UPSTREAM_CONTRACT', { message: 'The answer is larger than 8 MiB.' });
    }
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw upstreamError('UPSTREAM_CONTRACT', { message: 'The answer is not UTF-8 text.', cause });
  }
}
