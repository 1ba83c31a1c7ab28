import { pathToFileURL } from 'node:url';

import { arePagesBuilt, type Boot, listenBoth, type OnClose, openObservers, showProgress } from './boot.ts';
import { followSupergraph } from './follow-supergraph.ts';
import { formatSummary } from './summary.ts';
import { type Config, SUBGRAPH_NAMES } from '#gateway/config-schema.ts';
import type { Graph } from '#gateway/graph.ts';
import { createGatewayServer } from '#gateway/http/gateway-server.ts';
import { openRemoteSubgraphs } from '#gateway/remote-graph.ts';
import { readSupergraph } from '#gateway/supergraph.ts';
import { assertServable } from '#gateway/swap/servable.ts';
import { assertCurrent } from '#gateway/swap/stale-fields.ts';
import { createGraph } from '#gateway/wiring.ts';
import { systemClock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';

/** Gateway and subgraphs in one process; with a supergraph of its own, others beside ours, which run elsewhere. */
export const bootAll: Boot = async ({ output, onClose, startedAtMs, ...options }) => {
  const { config, sandboxUrls } = await options.config;
  const { logger, metrics } = openObservers(config, () => graph);
  const routing = openRouting(config, { logger, onClose });
  const ours = await createGraph(config, {
    clock: systemClock,
    logger,
    onUpstreamCall: metrics.observeUpstreamCall,
    onDrift: metrics.observeDrift,
    onDecisionRead: metrics.observeDecisionRead,
  });
  onClose(ours.close);
  if (routing.file !== null) assertCurrent(routing.supergraphSdl, ours.subgraphs);
  const graph: Graph = { ...ours, ...routing.remotes };
  const { supergraphSdl, references } = routing;
  const served = { config, graph, supergraphSdl, references };
  const server = await createGatewayServer({ ...served, clock: systemClock, logger, metrics });
  onClose(server.close);
  const addresses = await listenBoth(server, config);
  if (routing.file !== null) onClose(followSupergraph(routing.file, server, logger));
  output.write(
    formatSummary({
      ...addresses,
      issuerUrl: config.issuer.url,
      parts: graph.systems(),
      what: `one graph over ${graph.systems().length} systems`,
      sandbox: config.sandbox,
      sandboxUrls,
      pagesBuilt: arePagesBuilt(),
      startedInMs: systemClock.nowMs() - startedAtMs,
    }),
  );
  onClose(showProgress(graph, output));
  if (sandboxUrls['control'] !== undefined) await askForWebhooks(sandboxUrls['control'], addresses.url, logger);
  return { config, drain: server.drain };
};

interface Routing {
  readonly supergraphSdl: string;
  /** Where it came from and is followed; null: it is the committed one. */
  readonly file: URL | null;
  readonly references: readonly string[];
  /** What finds subgraphs of other processes. */
  readonly remotes: Pick<Graph, 'findRemote' | 'retainRemotes'>;
}

/** What is served, before anything is opened for it. @throws {MortarError} CONFIGURATION_INVALID when it must not be */
function openRouting(
  config: Config,
  { logger, onClose }: { readonly logger: Logger; readonly onClose: OnClose },
): Routing {
  const own = readSupergraph();
  const { role } = config;
  if (role.kind !== 'all' || role.supergraphFile === null)
    return { supergraphSdl: own, file: null, references: [own], remotes: {} };
  const file = pathToFileURL(role.supergraphFile);
  const supergraphSdl = readSupergraph(file);
  const here = SUBGRAPH_NAMES.map((name) => ({ name, trust: 'context' as const }));
  assertServable(supergraphSdl, { subgraphs: [...here, ...config.subgraphs], references: [own] });
  const deps = { supergraphSdl, here: SUBGRAPH_NAMES, clock: systemClock, logger };
  const { findRemote, retainRemotes, close } = openRemoteSubgraphs(config, deps);
  onClose(close);
  return { supergraphSdl, file, references: [own], remotes: { findRemote, retainRemotes } };
}

/** The sandbox's systems tell of changes from now on; where that fails they are still asked. */
async function askForWebhooks(control: string, to: string, logger: Logger): Promise<void> {
  try {
    const answer = await fetch(`${control}/webhooks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ to }),
      signal: AbortSignal.timeout(5_000),
    });
    if (!answer.ok) throw new Error(`the control port answered ${answer.status}`);
  } catch (error) {
    logger.warn({ err: error }, 'the sandbox sends no webhooks');
  }
}
