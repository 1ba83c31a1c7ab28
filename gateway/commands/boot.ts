import { existsSync } from 'node:fs';

import { createProgressPrinter } from './load-progress.ts';
import type { Environment, ServeFlags } from '#gateway/config.ts';
import type { Config } from '#gateway/config-schema.ts';
import type { Graph } from '#gateway/graph.ts';
import type { GatewayServer } from '#gateway/http/gateway-server.ts';
import { listen } from '#gateway/http/listen.ts';
import { createLogger, type Logger } from '#platform/log.ts';
import { createMetrics, type Metrics } from '#platform/metrics.ts';

export interface ServeOutput {
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
}

/** Called when what was just started must end with the process; last started is closed first. */
export type OnClose = (close: () => Promise<void> | void) => void;

/** What a role starts with. */
export interface BootOptions {
  readonly flags: ServeFlags;
  readonly environment: Environment;
  readonly output: ServeOutput;
  readonly onClose: OnClose;
  /** The configuration, once the sandbox is up where there is one. */
  readonly config: Promise<{ readonly config: Config; readonly sandboxUrls: Readonly<Record<string, string>> }>;
  readonly startedAtMs: number;
}

/** A process that serves. */
export interface Booted {
  readonly config: Config;
  /** Turns /readyz to 503. */
  readonly drain: () => void;
}

/** Starts what a role is: everything is up and told when it resolves. @throws {MortarError} CONFIGURATION_INVALID */
export type Boot = (options: BootOptions) => Promise<Booted>;

export interface Observers {
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** @param graph of this process, once there is one */
export function openObservers(config: Config, graph: () => Graph): Observers {
  const logger = createLogger({ level: config.logLevel });
  const metrics = createMetrics({
    systems: async () => (await graph().systemStatus?.()) ?? [],
    onUnreadable: (error) => logger.warn({ err: error }, 'the state of the systems could not be read for the metrics'),
  });
  return { logger, metrics };
}

export type ProcessServer = Pick<GatewayServer, 'app' | 'metricsServer' | 'drain' | 'close'>;

export async function listenBoth({ app, metricsServer }: ProcessServer, { host, port, metricsPort }: Config) {
  const url = await listen(app, { host, port, flag: '--port' });
  const metricsUrl = await listen(metricsServer, { host, port: metricsPort, flag: '--metrics-port' });
  return { url, metricsUrl };
}

const PROGRESS_MS = 250;

export function showProgress(graph: Graph, output: ServeOutput): () => void {
  const printer = createProgressPrinter(output);
  const tick = (): void => {
    printer.update(graph.loadProgress());
    if (printer.isOver()) clearInterval(timer);
  };
  const timer = setInterval(tick, PROGRESS_MS);
  timer.unref();
  tick();
  return () => clearInterval(timer);
}

export function arePagesBuilt(): boolean {
  return existsSync(new URL('../web/dist/index.html', import.meta.url));
}
