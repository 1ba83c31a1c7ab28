import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

import { errorBody } from './request-error.ts';

/** What Node found wrong with the bytes of a request, before there is a request to answer: status and message. */
const FINDINGS: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are too long.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
};

/** Answers what is no well-formed HTTP request in the shape of every other refusal, and closes the connection. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  // Nobody is left to answer.
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = FINDINGS[error.code ?? ''] ?? [400, 'The request is not well-formed HTTP.'];
  const body = JSON.stringify(errorBody('BAD_REQUEST', randomUUID(), message));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
