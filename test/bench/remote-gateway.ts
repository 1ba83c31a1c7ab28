import './production.ts';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { limitsConfig } from '#gateway/config-schema.ts';
import { stripSecurity } from '#gateway/composition.ts';
import type { GatewayContext } from '#gateway/executor/context.ts';
import { createEngine } from '#gateway/executor/engine.ts';
import { createGovernedGateway } from '#gateway/executor/governed-gateway.ts';
import { createExchanger } from '#gateway/executor/remote/exchange.ts';
import { createRemoteSources } from '#gateway/executor/remote/remote-source.ts';
import { createRequestNotices } from '#gateway/executor/request-notices.ts';
import type { SubgraphSource } from '#gateway/executor/subgraph-calls.ts';
import { startApolloServer } from '#gateway/http/apollo.ts';
import { createApp } from '#gateway/http/app.ts';
import { createGraphqlHandler } from '#gateway/http/graphql-route.ts';
import { createMemoryTraces } from '#gateway/trace/trace-store.ts';
import { systemClock } from '#platform/clock.ts';
import { createMetrics } from '#platform/metrics.ts';
import { createShopGraph } from '#test/support/federation/shop-graph.ts';
import { aRequestOf } from '#test/support/requests.ts';

// A child process of executor-remote: one contestant on a port, named by the second argument. A process each, as they are
// deployed: garbage and compiled code of one would slow the others down. All hand the caller's Authorization on, as the
// public benchmark wants it.
process.env['APOLLO_TELEMETRY_DISABLED'] = 'true';
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const { supergraphSdl } = createShopGraph();
// Its own parent wrote it.
const urls = JSON.parse(process.argv[2] ?? '{}') as Readonly<Record<string, string>>;

async function serve(gateway: ConstructorParameters<typeof ApolloServer<GatewayContext>>[0]): Promise<string> {
  const server = new ApolloServer<GatewayContext>(gateway);
  const started = await startStandaloneServer(server, {
    listen: { port: 0, host: '127.0.0.1' },
    context: ({ req }) => {
      const { authorization } = req.headers;
      const request = aRequestOf({ requestId: `${authorization}` });
      const { principal, purpose } = request;
      return Promise.resolve({
        requestId: request.requestId,
        caller: { principal, purpose, request, authorization },
        notices: createRequestNotices(principal.role),
        answer: { personal: false, outcome: 'ok' },
      });
    },
  });
  return started.url;
}

const base = { logger: silent, introspection: false, stopOnTerminationSignals: false };

function serveApollo(): Promise<string> {
  const gateway = new ApolloGateway({
    supergraphSdl: stripSecurity(supergraphSdl),
    logger: silent,
    buildService: ({ name }) =>
      new RemoteGraphQLDataSource({
        url: urls[name] ?? '',
        willSendRequest: ({ request, context }) => {
          // The context made above.
          const { authorization = '' } = (context as unknown as GatewayContext).caller ?? {};
          request.http?.headers.set('authorization', authorization);
        },
      }),
  });
  return serve({ ...base, gateway });
}

const FLOOR_HEADERS = Object.entries({
  'content-type': 'application/json',
  accept: 'application/graphql-response+json, application/json',
  'accept-encoding': 'gzip, br',
}).flat();

interface Replayed {
  readonly wave: number;
  readonly url: string;
  readonly body: string;
}
const replayed: Replayed[] = [];
let replayedAnswer = '{"data":{}}';
let isRecording = false;

/** Our executor's sources: HTTP, the caller's token handed on. */
function remoteSources(): readonly SubgraphSource[] {
  const remote = createRemoteSources({
    clock: systemClock,
    logger: silent,
    sign: null,
    subgraphs: Object.entries(urls).map(([name, at]) => ({ name, url: at, trust: 'token' as const })),
  });
  return Object.keys(urls).map((name): SubgraphSource => {
    const source = remote.find({ name, url: '' });
    if (source === null) throw new Error('its address was given');
    return {
      ...source,
      execute: (fetch) => {
        const { text: query, variables, operationName, place } = fetch;
        const body = (): string => JSON.stringify({ query, variables, operationName });
        if (isRecording) replayed.push({ wave: place?.wave ?? 1, url: urls[name] ?? '', body: body() });
        return source.execute(fetch);
      },
    };
  });
}

const engineDeps = {
  supergraphSdl,
  clock: systemClock,
  fetchMs: 10_000,
  logger: silent,
  observeFetch: (): void => undefined,
};

/** Our executor alone, behind Apollo's own server. */
function serveExecutor(): Promise<string> {
  const engine = createEngine({ ...engineDeps, subgraphs: remoteSources() });
  return serve({ ...base, gateway: createGovernedGateway(engine).gateway });
}

/** Our gateway as it is deployed: limits, purposes, notices, metrics and traces; only the token's signature is not checked. */
async function serveOurs(): Promise<string> {
  const limits = limitsConfig.parse({});
  const started = await startApolloServer({ ...engineDeps, subgraphs: remoteSources(), limits, introspection: false });
  const { principal } = aRequestOf();
  const app = createApp({ limits }, silent);
  const handler = createGraphqlHandler({
    server: started.server,
    known: started.known,
    verifyToken: (authorization) => Promise.resolve({ ...principal, client: `${authorization}` }),
    limits,
    clock: systemClock,
    logger: silent,
    metrics: createMetrics(),
    openIntrospection: false,
    traces: createMemoryTraces(),
    streams: { open: () => Promise.reject(new Error('nobody subscribes here')) },
  });
  app.route({ method: 'POST', url: '/', handler });
  return app.listen({ port: 0, host: '127.0.0.1' });
}

/** The calls of one request of ours, wave by wave and by the same HTTP client, and nothing else: what HTTP alone takes. */
async function serveFloor(): Promise<string> {
  const exchanger = createExchanger();
  const call = async ({ url: at, body }: Replayed, authorization: string): Promise<void> => {
    const { origin, pathname: path } = new URL(at);
    const headers = [...FLOOR_HEADERS, 'x-request-id', authorization, 'authorization', authorization];
    const waiting = { isOver: false, onOver: null };
    const { status, text } = await exchanger.send({ endpoint: { origin, path }, headers, body, waiting });
    if (status !== 200 || 'errors' in JSON.parse(text)) throw new Error('a replayed call failed');
  };
  const answer = async ({ headers }: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const wave of [...new Set(replayed.map((one) => one.wave))].toSorted((a, b) => a - b))
      // oxlint-disable-next-line no-await-in-loop -- a wave needs what the ones before it fetched
      await Promise.all(
        replayed.filter((one) => one.wave === wave).map((one) => call(one, `${headers.authorization}`)),
      );
    response.setHeader('content-type', 'application/json').end(replayedAnswer);
  };
  // What fails ends the process, and the benchmark with it.
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const contestants = { apollo: serveApollo, ours: serveOurs, executor: serveExecutor, floor: serveFloor };
// Its own parent wrote it.
const url = await contestants[process.argv[3] as keyof typeof contestants]();
type Message = 'cpu' | 'record' | 'stop' | { readonly replay: readonly Replayed[]; readonly answer: string };
process.on('message', (message: Message) => {
  if (typeof message === 'object') {
    replayed.length = 0;
    replayed.push(...message.replay);
    replayedAnswer = message.answer;
  }
  if (message === 'record') replayed.length = 0;
  isRecording = message === 'record';
  process.send?.(message === 'stop' ? { replayed } : { cpu: process.cpuUsage() });
});
process.on('disconnect', () => process.exit());
process.send?.({ url });
