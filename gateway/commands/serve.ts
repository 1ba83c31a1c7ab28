import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { createProgressPrinter } from './load-progress.ts';
import { type SandboxProcess, startSandboxProcess } from './sandbox-process.ts';
import { formatSummary } from './summary.ts';
import { type Environment, loadConfig, type ServeFlags } from '#gateway/config.ts';
import type { Config } from '#gateway/config-schema.ts';
import type { Graph } from '#gateway/graph.ts';
import { lockHome } from '#gateway/home-lock.ts';
import type { GatewayServer } from '#gateway/http/gateway-server.ts';
import { listen } from '#gateway/http/listen.ts';
import { systemClock } from '#platform/clock.ts';
import { MortarError } from '#platform/errors.ts';
import { createLogger, type Logger } from '#platform/log.ts';
import { createMetrics } from '#platform/metrics.ts';

/** The configuration file that is taken when no --config is given. */
const DEFAULT_CONFIG = 'mortar.config.yaml';
const ENTRY = fileURLToPath(new URL('../main.ts', import.meta.url));
const PROGRESS_MS = 250;
const PRODUCTION_DRAIN_MS = 3_000;
const SIGNAL_GRACE_MS = 200;

export interface ServeOutput {
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
}

/** Called when what was just started must end with the process; last started is closed first. */
type OnClose = (close: () => Promise<void> | void) => void;

interface Booted {
  readonly server: GatewayServer;
  readonly config: Config;
  readonly logger: Logger;
}

/**
 * Serves the graph until it is asked to stop; resolves with the exit code. Whatever was started before a failure or an
 * early Ctrl-C is closed before it resolves.
 * @throws {MortarError} CONFIGURATION_INVALID when it cannot start
 */
export async function runServe(flags: ServeFlags, environment: Environment, output: ServeOutput): Promise<number> {
  const startedAtMs = systemClock.nowMs();
  const closers: (() => Promise<void> | void)[] = [];
  const onClose: OnClose = (close) => void closers.push(close);
  try {
    onClose(lockHome(resolve(flags.home)).release);
    const sandbox = chooseSandbox(flags, environment);
    if (sandbox !== null) onClose(sandbox.stop);
    const stop = listenForStop(sandbox);
    const booting = boot({ flags, environment, output, sandbox, startedAtMs }, onClose);
    const first = await Promise.race([booting, stop]);
    if ('kind' in first) return finish(first, output);
    const reason = await stop;
    first.server.drain();
    const code = finish(reason, output);
    // Load balancers need a moment to see /readyz turn before the listener closes.
    if (first.config.production && reason.kind === 'signal') await sleep(PRODUCTION_DRAIN_MS);
    return code;
  } finally {
    for (const close of closers.splice(0).toReversed()) await close();
  }
}

interface BootOptions {
  readonly flags: ServeFlags;
  readonly environment: Environment;
  readonly output: ServeOutput;
  readonly sandbox: SandboxProcess | null;
  readonly startedAtMs: number;
}

async function boot(options: BootOptions, onClose: OnClose): Promise<Booted> {
  const { output } = options;
  // The gateway's modules load while the sandbox boots in its own process.
  const modules = loadModules();
  modules.catch(() => undefined);
  const { config, urls } = await readConfig(options);
  const { createGraph, createGatewayServer, readSupergraph } = await modules;
  const logger = createLogger({ level: config.logLevel });
  const metrics = createMetrics({
    feedLags: () => graph.systems().map(({ id, lagSeconds }) => ({ system: id, lagSeconds })),
  });
  const graph = await createGraph(config, {
    clock: systemClock,
    logger,
    onUpstreamCall: metrics.observeUpstreamCall,
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
      systems: graph.systems(),
      sandbox: config.sandbox,
      sandboxUrls: urls,
      pagesBuilt: existsSync(new URL('../web/dist/index.html', import.meta.url)),
      startedInMs: systemClock.nowMs() - options.startedAtMs,
    }),
  );
  onClose(showProgress(graph, output));
  return { server, config, logger };
}

/** Null: a configuration file was given or lies in the working folder. @throws {MortarError} CONFIGURATION_INVALID in production */
function chooseSandbox(flags: ServeFlags, environment: Environment): SandboxProcess | null {
  if (flags.config !== undefined || existsSync(DEFAULT_CONFIG)) return null;
  if (environment.production) {
    throw new MortarError('CONFIGURATION_INVALID', {
      message: `there is no ${DEFAULT_CONFIG}, and the sandbox never runs in production: pass --config FILE with your issuer and systems`,
    });
  }
  const pairs: readonly [string, string | number | undefined][] = [
    ['--home', resolve(flags.home)],
    ['--sandbox-port', flags.sandboxPort],
    ['--control-port', flags.controlPort],
    ['--scale', flags.scale],
    ['--seed', flags.seed],
    ['--dataset', flags.dataset],
    ['--stores', flags.stores],
  ];
  const given = pairs.flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]));
  return startSandboxProcess({ entry: ENTRY, arguments: given, home: resolve(flags.home) });
}

async function loadModules() {
  const [{ createGraph }, { createGatewayServer }, { readSupergraph }] = await Promise.all([
    import('#gateway/wiring.ts'),
    import('#gateway/http/gateway-server.ts'),
    import('#gateway/supergraph.ts'),
  ]);
  return { createGraph, createGatewayServer, readSupergraph };
}

async function readConfig({ flags, environment, sandbox }: BootOptions) {
  if (sandbox === null) {
    const config = loadConfig({ file: flags.config ?? DEFAULT_CONFIG, flags, environment, sandbox: false });
    return { config, urls: {} };
  }
  const ready = await sandbox.ready;
  const variables = { ...environment.variables, ...ready.environment };
  const config = loadConfig({
    file: ready.configFile,
    flags,
    environment: { ...environment, variables },
    sandbox: true,
  });
  return { config, urls: ready.urls };
}

async function listenBoth({ app, metricsServer }: GatewayServer, config: Config) {
  const url = await listen(app, { host: config.host, port: config.port, flag: '--port' });
  const metricsUrl = await listen(metricsServer, {
    host: config.host,
    port: config.metricsPort,
    flag: '--metrics-port',
  });
  return { url, metricsUrl };
}

function showProgress(graph: Graph, output: ServeOutput): () => void {
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

type StopReason =
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'sandbox'; readonly code: number | null; readonly logFile: string };

/** Resolves when the process is asked to stop, or its sandbox died; a second signal ends the process at once. */
function listenForStop(sandbox: SandboxProcess | null): Promise<StopReason> {
  const { promise, resolve: stop } = Promise.withResolvers<StopReason>();
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(130);
      asked = true;
      stop({ kind: 'signal', signal });
    });
  }
  // A terminal sends Ctrl-C to both processes: our own signal, which may come a moment later, is then the reason.
  void sandbox?.died.then((death) => setTimeout(() => stop({ kind: 'sandbox', ...death }), SIGNAL_GRACE_MS));
  return promise;
}

function finish(reason: StopReason, output: ServeOutput): number {
  if (reason.kind === 'signal') {
    output.write('\n  Stopping …\n');
    return 0;
  }
  const how = reason.code === null ? 'by a signal' : `with code ${reason.code}`;
  output.write(`\n  The sandbox stopped unexpectedly ${how}; see ${reason.logFile}. Stopping.\n`);
  return 1;
}
