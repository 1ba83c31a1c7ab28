import { pathToFileURL } from 'node:url';

import { arePagesBuilt, type Boot, listenBoth, openObservers } from './boot.ts';
import { followSupergraph } from './follow-supergraph.ts';
import { formatSummary } from './summary.ts';
import type { Config } from '#gateway/config-schema.ts';
import { createGatewayServer } from '#gateway/http/gateway-server.ts';
import { createRemoteGraph } from '#gateway/remote-graph.ts';
import { readSupergraph } from '#gateway/supergraph.ts';
import { assertServable } from '#gateway/swap/servable.ts';
import { systemClock } from '#platform/clock.ts';

/** The gateway alone: it routes to subgraphs of other processes, and has neither a database nor a system. */
export const bootGateway: Boot = async ({ output, onClose, startedAtMs, ...options }) => {
  const { config, sandboxUrls } = await options.config;
  const { logger, metrics } = openObservers(config, () => graph);
  const supergraphSdl = readSupergraph(supergraphFileOf(config));
  // The product's own supergraph says which fields are personal, whatever the given one says.
  const references = [readSupergraph()];
  assertServable(supergraphSdl, { subgraphs: config.subgraphs, references });
  const graph = createRemoteGraph(config, { supergraphSdl, clock: systemClock, logger });
  onClose(graph.close);
  const served = { config, graph, supergraphSdl, references };
  const server = await createGatewayServer({ ...served, clock: systemClock, logger, metrics });
  onClose(server.close);
  const addresses = await listenBoth(server, config);
  onClose(followSupergraph(supergraphFileOf(config), server, logger));
  const parts = graph.addresses.map(({ name, url }) => ({
    id: name,
    state: 'UP' as const,
    connector: 'subgraph',
    url,
  }));
  output.write(
    formatSummary({
      ...addresses,
      issuerUrl: config.issuer.url,
      parts,
      what: `one graph over ${parts.length} subgraphs`,
      sandbox: config.sandbox,
      sandboxUrls,
      pagesBuilt: arePagesBuilt(),
      startedInMs: systemClock.nowMs() - startedAtMs,
    }),
  );
  return { config, drain: server.drain };
};

function supergraphFileOf({ role }: Config): URL {
  if (role.kind !== 'gateway') throw new Error('only a gateway has a supergraph of its own');
  return pathToFileURL(role.supergraphFile);
}
