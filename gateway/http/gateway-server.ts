import type { Server } from 'node:http';
import type { FastifyInstance } from 'fastify';

import { startApolloServer } from './apollo.ts';
import { createApp } from './app.ts';
import { addGraphiqlRoutes } from './graphiql.ts';
import { createGraphqlHandler } from './graphql-route.ts';
import { addHealthRoutes } from './health-routes.ts';
import { createMetricsServer } from './metrics-server.ts';
import { addWebhookRoutes } from './webhooks.ts';
import { createIssuerKeys } from '#gateway/auth/issuer-keys.ts';
import { createTokenVerifier } from '#gateway/auth/verify-token.ts';
import type { Config } from '#gateway/config-schema.ts';
import type { Graph } from '#gateway/graph.ts';
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import type { Metrics } from '#platform/metrics.ts';

export interface GatewayServerDeps {
  readonly config: Config;
  readonly graph: Graph;
  readonly supergraphSdl: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface GatewayServer {
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
  const server = await startApolloServer({
    supergraphSdl: deps.supergraphSdl,
    subgraphs: graph.subgraphs,
    clock,
    logger,
    limits: config.limits,
    fetchMs: config.limits.fetchMs,
    observeFetch: metrics.observeFetch,
    introspection: !config.production,
  });
  const keys = createIssuerKeys(config.issuer.url, { clock, logger });
  const app = createApp(config, logger);
  const handler = createGraphqlHandler({
    server,
    verifyToken: createTokenVerifier({ issuer: config.issuer, keys, clock }),
    limits: config.limits,
    clock,
    logger,
    metrics,
    publicUrl: config.publicUrl,
    openIntrospection: !config.production,
  });
  app.route({ method: ['GET', 'POST'], url: '/graphql', handler });
  addHealthRoutes(app, { config, graph, isDraining: () => draining });
  addWebhookRoutes(app, { config, logger, systems: graph.webhooks ?? [] });
  await addGraphiqlRoutes(app, config);
  const metricsServer = createMetricsServer(metrics);
  return {
    app,
    metricsServer,
    drain: () => {
      draining = true;
    },
    close: async () => {
      draining = true;
      await app.close();
      await server.stop();
      metricsServer.closeAllConnections();
      if (metricsServer.listening) await new Promise((resolve) => metricsServer.close(resolve));
    },
  };
}
