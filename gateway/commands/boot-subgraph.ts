import { type Boot, listenBoth, openObservers, type ProcessServer, showProgress } from './boot.ts';
import { formatSubgraphSummary } from './summary.ts';
import type { Config } from '#gateway/config-schema.ts';
import type { Graph } from '#gateway/graph.ts';
import { missingForReady } from '#gateway/http/health-routes.ts';
import { createMetricsServer } from '#gateway/http/metrics-server.ts';
import { createSubgraphServer } from '#gateway/http/subgraph-server.ts';
import { addWebhookRoutes } from '#gateway/http/webhooks.ts';
import { loadSubgraphTrust } from '#gateway/subgraph-trust.ts';
import { createGraph } from '#gateway/wiring.ts';
import { systemClock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import type { Metrics } from '#platform/metrics.ts';
import { createRedisDoor } from '#platform/redis.ts';
import { createMemoryContexts, createSharedContexts } from '#platform/used-contexts.ts';

/** One of our subgraphs alone, with the feeds that belong to it. */
export const bootSubgraph: Boot = async ({ output, onClose, startedAtMs, ...options }) => {
  const { config } = await options.config;
  const { logger, metrics } = openObservers(config, () => graph);
  const { trust, trusts } = loadSubgraphTrust(config, { clock: systemClock, logger });
  const graph = await createGraph(config, {
    clock: systemClock,
    logger,
    onUpstreamCall: metrics.observeUpstreamCall,
    onDrift: metrics.observeDrift,
    onDecisionRead: metrics.observeDecisionRead,
  });
  onClose(graph.close);
  const server = createProcessServer(config, { graph, trust, logger, metrics });
  onClose(server.close);
  const addresses = await listenBoth(server, config);
  output.write(
    formatSubgraphSummary({
      ...addresses,
      name: graph.subgraphs.map(({ name }) => name).join(', '),
      trusts,
      startedInMs: systemClock.nowMs() - startedAtMs,
    }),
  );
  onClose(showProgress(graph, output));
  return { config, drain: server.drain };
};

interface ServerDeps {
  readonly graph: Graph;
  readonly trust: ReturnType<typeof loadSubgraphTrust>['trust'];
  readonly logger: Logger;
  readonly metrics: Metrics;
}

function createProcessServer(config: Config, { graph, trust, logger, metrics }: ServerDeps): ProcessServer {
  const [subgraph] = graph.subgraphs;
  if (subgraph === undefined) throw new Error('a subgraph process has a subgraph');
  let draining = false;
  const isDraining = (): boolean => draining;
  const { redisUrl } = config;
  // The catalog's door tells when Redis is away.
  const door = redisUrl === null ? null : createRedisDoor({ url: redisUrl });
  const app = createSubgraphServer({
    subgraph,
    trust,
    usedContexts: door === null ? createMemoryContexts(systemClock) : createSharedContexts(door, systemClock),
    limits: config.limits,
    clock: systemClock,
    logger,
    missing: () => missingForReady({ config, graph, isDraining }),
    openSchema: !config.production,
  });
  addWebhookRoutes(app, { config, clock: systemClock, logger, systems: graph.webhooks ?? [] });
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
      await door?.close();
      metricsServer.closeAllConnections();
      if (metricsServer.listening) await new Promise((resolve) => metricsServer.close(resolve));
    },
  };
}
