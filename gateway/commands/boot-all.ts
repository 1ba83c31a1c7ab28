import { arePagesBuilt, type Boot, listenBoth, openObservers, showProgress } from './boot.ts';
import { formatSummary } from './summary.ts';
import { createGatewayServer } from '#gateway/http/gateway-server.ts';
import { readSupergraph } from '#gateway/supergraph.ts';
import { createGraph } from '#gateway/wiring.ts';
import { systemClock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';

/** Gateway and subgraphs in one process. */
export const bootAll: Boot = async ({ output, onClose, startedAtMs, ...options }) => {
  const { config, sandboxUrls } = await options.config;
  const { logger, metrics } = openObservers(config, () => graph);
  const graph = await createGraph(config, {
    clock: systemClock,
    logger,
    onUpstreamCall: metrics.observeUpstreamCall,
    onDrift: metrics.observeDrift,
    onDecisionRead: metrics.observeDecisionRead,
  });
  onClose(graph.close);
  const supergraphSdl = readSupergraph();
  const server = await createGatewayServer({ config, graph, supergraphSdl, clock: systemClock, logger, metrics });
  onClose(server.close);
  const addresses = await listenBoth(server, config);
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
