import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SandboxError } from './sandbox-error.ts';

/** Answers one request; `request.signal` fires when the caller has gone. */
export type WebHandler = (request: Request) => Promise<Response>;

/** Thrown by a handler to cut the connection instead of answering. */
export class ConnectionCut extends Error {}

export interface ListenOptions {
  /** What the port serves, for messages. */
  readonly name: string;
  /** 0: any free port. */
  readonly port: number;
  /** The flag that sets the port. */
  readonly flag: string;
  readonly handler: WebHandler;
}

export interface Listening {
  readonly port: number;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Ends open connections too. */
  readonly close: () => Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const MAX_BODY_BYTES = 4 * 1_048_576;

/**
 * Serves a handler on a port of the loopback interface.
 * @throws {SandboxError} when the port is taken; names port and flag
 */
export async function listen(options: ListenOptions): Promise<Listening> {
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing, options.handler).catch(() => outgoing.destroy());
  });
  server.keepAliveTimeout = 60_000;
  await bind(server, options);
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://${LOOPBACK}:${port}`, close: () => close(server) };
}

function bind(server: Server, { name, port, flag }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE' || error.code === 'EACCES';
      const message = taken
        ? `port ${port} (${name}) is in use or not allowed: choose another with ${flag}, or ${flag} 0 for any free one`
        : `cannot listen on port ${port} (${name}): ${error.message}`;
      reject(new SandboxError(message, error));
    });
    server.listen(port, LOOPBACK, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answer(incoming: IncomingMessage, outgoing: ServerResponse, handler: WebHandler): Promise<void> {
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  const body = await readBody(incoming);
  if (body === null) return send(outgoing, new Response('{"error":"the body is larger than 4 MiB"}', { status: 413 }));
  try {
    await send(outgoing, await handler(toRequest(incoming, body, gone.signal)));
  } catch (error) {
    if (error instanceof ConnectionCut) {
      incoming.socket.resetAndDestroy();
      return;
    }
    await send(outgoing, Response.json({ error: 'the sandbox failed' }, { status: 500 }));
    throw error;
  }
}

/** Null: larger than the limit. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes <= MAX_BODY_BYTES) parts.push(part);
  }
  return bytes > MAX_BODY_BYTES ? null : Buffer.concat(parts);
}

function toRequest(incoming: IncomingMessage, body: Buffer, signal: AbortSignal): Request {
  const method = incoming.method ?? 'GET';
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const url = new URL(incoming.url ?? '/', `http://${incoming.headers.host ?? LOOPBACK}`);
  const carries = method !== 'GET' && method !== 'HEAD' && body.length > 0;
  return new Request(url, { method, headers, signal, ...(carries ? { body: new Uint8Array(body) } : {}) });
}

async function send(outgoing: ServerResponse, response: Response): Promise<void> {
  if (outgoing.destroyed) return;
  const body = Buffer.from(await response.arrayBuffer());
  const headers = Object.fromEntries(response.headers);
  outgoing.writeHead(response.status, { ...headers, 'content-length': body.length });
  outgoing.end(body);
}
