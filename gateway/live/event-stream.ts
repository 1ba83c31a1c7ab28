import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

import { print } from 'graphql-sse';

export interface EventStreamOptions {
  readonly response: ServerResponse;
  readonly headers: OutgoingHttpHeaders;
  /** A comment is sent so often that no proxy takes the stream for dead, in milliseconds. */
  readonly heartbeatMs: number;
  /** A client that takes nothing for so long is gone, in milliseconds. @default 30_000 */
  readonly stalledMs?: number;
  /** Called once, however the stream ended. */
  readonly onClose: () => void;
}

/** How a stream ends. COMPLETE: nothing more will come. BREAK: the client's library comes again by itself. */
export type StreamEnd = 'COMPLETE' | 'BREAK';

/**
 * Events of one GraphQL operation as graphql-sse's distinct connections mode writes them. Nothing is ever queued beyond
 * one event: `send` resolves when the client has taken it.
 */
export interface EventStream {
  /** Resolves when the next may be sent, or when the stream is closed. Never rejects. */
  readonly send: (result: object) => Promise<void>;
  readonly end: (how: StreamEnd) => void;
  readonly isOpen: () => boolean;
}

const COMMENT = ':\n\n';

export function openEventStream(options: EventStreamOptions): EventStream {
  const { response, headers, heartbeatMs, stalledMs = 30_000, onClose } = options;
  let open = true;
  let blocked = false;
  const close = (): void => {
    if (!open) return;
    open = false;
    clearInterval(heartbeat);
    onClose();
  };
  const heartbeat = setInterval(() => {
    if (!blocked) response.write(COMMENT);
  }, heartbeatMs);
  heartbeat.unref();
  response.once('close', close);
  response.on('error', close);
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'private, no-store',
    // Nginx would otherwise keep events back until a buffer is full.
    'x-accel-buffering': 'no',
  });
  // A client may leave while its stream is being opened.
  if (response.destroyed) setImmediate(close);
  // Some browsers report a stream as open only after its first byte.
  response.write(COMMENT);

  return {
    isOpen: () => open,
    async send(result) {
      if (!open || response.write(print({ event: 'next', data: result }))) return;
      blocked = true;
      await drained(response, stalledMs);
      blocked = false;
    },
    end(how) {
      if (!open) return;
      close();
      if (how === 'COMPLETE') response.write(print({ event: 'complete', data: null }));
      response.end();
    },
  };
}

async function drained(response: ServerResponse, stalledMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => resolve();
  const timer = setTimeout(() => response.destroy(), stalledMs);
  timer.unref();
  response.once('drain', done);
  response.once('close', done);
  await promise;
  clearTimeout(timer);
  response.off('drain', done);
  response.off('close', done);
}
