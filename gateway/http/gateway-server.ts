import type { Server } from 'node:http';
import type { FastifyInstance } from 'fastify';

import { startApolloServer } from './apollo.ts';
import { createApp } from './app.ts';
import { addGraphiqlRoutes } from './graphiql.ts';
import { createGraphqlHandler } from './graphql-route.ts';
import { addHealthRoutes } from './health-routes.ts';
import { createMetricsServer } from './metrics-server.ts';
import { addTraceRoute } from './trace-route.ts';
import { addWebhookRoutes } from './webhooks.ts';
import { createIssuerKeys } from '#gateway/auth/issuer-keys.ts';
import { createTokenVerifier } from '#gateway/auth/verify-token.ts';
import type { Config } from '#gateway/config-schema.ts';
import type { Graph } from '#gateway/graph.ts';
import { createGraphSwap, type GraphSwap } from '#gateway/swap/graph-swap.ts';
import { assertServable } from '#gateway/swap/servable.ts';
import { assertCurrent } from '#gateway/swap/stale-fields.ts';
import { createMemoryTraces, createSharedTraces, type TraceStore } from '#gateway/trace/trace-store.ts';
import { createLiveStreams } from '#gateway/live/live-streams.ts';
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import type { Metrics } from '#platform/metrics.ts';
import { createRedisDoor } from '#platform/redis.ts';
import { nextTurn } from '#platform/turns.ts';

export interface GatewayServerDeps {
  readonly config: Config;
  readonly graph: Graph;
  readonly supergraphSdl: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Supergraphs whose closed fields another one must not open. @default the one that is served */
  readonly references?: readonly string[];
}

export interface GatewayServer {
  /** Serves another supergraph from the next request on, or refuses it. */
  readonly supergraph: GraphSwap;
  /** Routes added, not listening: `app.inject` works. */
  readonly app: FastifyInstance;
  readonly metricsServer: Server;
  /** Turns /readyz to 503: load balancers send no new requests. */
  readonly drain: () => void;
  /** Finishes what runs, then closes both servers. The graph is its owner's to close. */
  readonly close: () => Promise<void>;
}

/** The gateway over a wired graph, ready to listen. @throws {Error} when supergraph and subgraphs do not fit */
export async function createGatewayServer(deps: GatewayServerDeps): Promise<GatewayServer> {
  const { config, graph, clock, logger, metrics } = deps;
  let draining = false;
  const { server, engine, current, known } = await startApolloServer({
    supergraphSdl: deps.supergraphSdl,
    subgraphs: graph.subgraphs,
    findRemote: graph.findRemote,
    clock,
    logger,
    limits: config.limits,
    fetchMs: config.limits.fetchMs,
    observeFetch: metrics.observeFetch,
    introspection: !config.production,
  });
  const { limits } = config;
  const traces = openTraces(config);
  const { watch, sourceOf } = engine;
  const streams = createLiveStreams({ server, current, watch, sourceOf, limits, clock, logger, metrics, traces });
  const here = graph.subgraphs.map(({ name }) => ({ name, trust: 'context' as const }));
  const supergraph = createGraphSwap({
    engine,
    assertServable: async (offered, before) => {
      const references = [...(deps.references ?? []), before];
      assertServable(offered, { subgraphs: [...here, ...config.subgraphs], references });
      await nextTurn();
      assertCurrent(offered, graph.subgraphs);
    },
    onSwapped: ({ subgraphs }) => {
      graph.retainRemotes?.(subgraphs);
      streams.review();
    },
    clock,
    logger,
    observeGraph: metrics.observeGraph,
  });
  const keys = createIssuerKeys(config.issuer.url, { clock, logger });
  const app = createApp(config, logger);
  const verifyToken = createTokenVerifier({ issuer: config.issuer, keys, clock });
  const handler = createGraphqlHandler({
    server,
    known,
    streams,
    verifyToken,
    traces,
    limits: config.limits,
    clock,
    logger,
    metrics,
    publicUrl: config.publicUrl,
    openIntrospection: !config.production,
  });
  app.route({ method: ['GET', 'POST'], url: '/graphql', handler });
  addHealthRoutes(app, { config, graph, clock, supergraph: supergraph.status, isDraining: () => draining });
  addWebhookRoutes(app, { config, clock, logger, systems: graph.webhooks ?? [] });
  addTraceRoute(app, { verifyToken, traces, publicUrl: config.publicUrl });
  await addGraphiqlRoutes(app, config);
  const metricsServer = createMetricsServer(metrics);
  return {
    app,
    supergraph,
    metricsServer,
    drain: () => {
      draining = true;
      streams.drain();
    },
    close: async () => {
      draining = true;
      streams.drain();
      await app.close();
      await server.stop();
      await traces.close();
      metricsServer.closeAllConnections();
      if (metricsServer.listening) await new Promise((resolve) => metricsServer.close(resolve));
    },
  };
}

/** Shared by the processes of one Redis; without one, each remembers its own. The catalog's door tells when Redis is away. */
function openTraces({ redisUrl }: Config): TraceStore {
  return redisUrl === null ? createMemoryTraces() : createSharedTraces(createRedisDoor({ url: redisUrl }));
}
