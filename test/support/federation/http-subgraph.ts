import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** One request as a subgraph got it. */
export interface SubgraphCall {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
}

export interface HttpSubgraph extends AsyncDisposable {
  readonly url: string;
  readonly calls: readonly SubgraphCall[];
  /** Connections that were opened, closed ones too. */
  readonly connections: () => number;
  /** Requests whose answer is not finished and whose connection is open. */
  readonly running: () => number;
}

/** Answers with JSON; status 200 unless said otherwise. */
export function sendJson({ response }: SubgraphCall, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** A subgraph of another process behind real HTTP on a free loopback port, answering what the test says. */
export async function serveSubgraph(answer: (call: SubgraphCall) => void | Promise<void>): Promise<HttpSubgraph> {
  const calls: SubgraphCall[] = [];
  let opened = 0;
  let running = 0;
  const server = createServer((request, response) => {
    running += 1;
    response.once('close', () => void (running -= 1));
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const parsed = JSON.parse(body) as Pick<SubgraphCall, 'query' | 'variables'>;
      const call = { ...parsed, headers: request.headers, body, request, response, socket: request.socket };
      calls.push(call);
      void answer(call);
    });
  });
  server.on('connection', () => void (opened += 1));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    calls,
    connections: () => opened,
    running: () => running,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
