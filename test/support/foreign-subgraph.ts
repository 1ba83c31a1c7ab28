import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';
import { z } from 'zod';

type Modules = Parameters<typeof buildSubgraphSchema>[0];

const request = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

export interface ForeignSubgraph extends AsyncDisposable {
  readonly url: string;
  /** Headers of every request, in the order they came. */
  readonly headers: readonly IncomingHttpHeaders[];
  /** Their bodies as they came. */
  readonly bodies: readonly string[];
}

export interface ForeignSubgraphOptions {
  readonly sdl: string;
  /** Resolvers by type, as @apollo/subgraph takes them. */
  readonly resolvers: Readonly<Record<string, object>>;
  /** Milliseconds each answer takes. @default 0 */
  readonly delayMs?: number;
}

/** A subgraph as others write them: plain @apollo/subgraph behind HTTP, with nothing of this product. */
export async function serveForeignSubgraph(options: ForeignSubgraphOptions): Promise<ForeignSubgraph> {
  const { sdl, resolvers, delayMs = 0 } = options;
  // Plain resolvers by type are what it takes; its own type is narrower.
  const schema = buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers }] as Modules);
  const headers: IncomingHttpHeaders[] = [];
  const bodies: string[] = [];
  const server = createServer((incoming, response) => {
    headers.push(incoming.headers);
    const chunks: Buffer[] = [];
    incoming.on('error', () => undefined);
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      bodies.push(body);
      const { query, variables, operationName } = request.parse(JSON.parse(body));
      const answer = async (): Promise<void> => {
        const result = await graphql({
          schema,
          source: query,
          variableValues: variables ?? {},
          operationName: operationName ?? null,
        });
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
      };
      setTimeout(() => void answer(), delayMs);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    headers,
    bodies,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
