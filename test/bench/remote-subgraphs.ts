import { execute, parse, type DocumentNode } from 'graphql';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { createShopGraph } from '#test/support/federation/shop-graph.ts';

// A child process of executor-remote: the four subgraphs of the public benchmark over HTTP, each on a port of its own.
const documents = new Map<string, DocumentNode>();
let latencyMs = 0;

const ports = await Promise.all(
  [...createShopGraph().schemas].map(async ([name, schema]) => {
    const answer = async (body: string): Promise<string> => {
      const { query, variables } = JSON.parse(body) as { query: string; variables?: Record<string, unknown> };
      const document = documents.get(query) ?? parse(query);
      documents.set(query, document);
      return JSON.stringify(await execute({ schema, document, variableValues: variables, contextValue: {} }));
    };
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const send = async (): Promise<void> => {
          const text = await answer(Buffer.concat(chunks).toString());
          response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
          response.end(text);
        };
        if (latencyMs === 0) void send();
        else setTimeout(() => void send(), latencyMs);
      });
    });
    // Longer than one contestant waits for the windows of the others.
    server.keepAliveTimeout = 180_000;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return [name, (server.address() as AddressInfo).port] as const;
  }),
);
process.on('message', (message: { readonly latencyMs: number }) => {
  latencyMs = message.latencyMs;
  process.send?.('done');
});
process.on('disconnect', () => process.exit());
process.send?.({ urls: Object.fromEntries(ports.map(([name, port]) => [name, `http://127.0.0.1:${port}/graphql`])) });
