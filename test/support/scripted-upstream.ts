// A local HTTP server that plays one upstream system for the connector kit: answers what a test scripts, remembers what
// it was asked.
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  /** Path with query, as sent. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface ScriptedUpstream extends AsyncDisposable {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  /** The most requests that were under way at once. */
  readonly mostAtOnce: () => number;
  /** Requests under way now: not answered, and somebody still waits. */
  readonly running: () => number;
  /** Empties `seen`, for runs too long to remember. */
  readonly forget: () => void;
}

/** Starts the server on a free loopback port; `answer` may do anything with the socket, also nothing. */
export async function startUpstream(
  answer: (request: SeenRequest, response: ServerResponse, count: number) => void | Promise<void>,
): Promise<ScriptedUpstream> {
  const seen: SeenRequest[] = [];
  let running = 0;
  let most = 0;
  let count = 0;
  const server = createServer((request, response) => {
    running += 1;
    most = Math.max(most, running);
    response.on('close', () => {
      running -= 1;
    });
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const asked = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      seen.push(asked);
      count += 1;
      void answer(asked, response, count);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    mostAtOnce: () => most,
    running: () => running,
    forget: () => void seen.splice(0),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers JSON. */
export function sendJson(
  response: ServerResponse,
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}
