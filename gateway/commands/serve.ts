import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { Boot, Booted, BootOptions, OnClose, ServeOutput } from './boot.ts';
import { type SandboxProcess, startSandboxProcess } from './sandbox-process.ts';
import { type Environment, loadConfig, type ServeFlags } from '#gateway/config.ts';
import { lockHome } from '#gateway/home-lock.ts';
import { systemClock } from '#platform/clock.ts';
import { MortarError } from '#platform/errors.ts';

/** The configuration file that is taken when no --config is given. */
const DEFAULT_CONFIG = 'mortar.config.yaml';
const ENTRY = fileURLToPath(new URL('../main.ts', import.meta.url));
const PRODUCTION_DRAIN_MS = 3_000;
const SIGNAL_GRACE_MS = 200;

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
    const isWhole = (flags.role ?? 'all') === 'all';
    // Parts of a graph keep nothing in their home but a generated key, and share it.
    if (isWhole) onClose(lockHome(resolve(flags.home)).release);
    const sandbox = isWhole ? chooseSandbox(flags, environment) : null;
    if (sandbox !== null) onClose(sandbox.stop);
    const stop = listenForStop(sandbox);
    const booting = bootRole({ flags, environment, output, onClose, startedAtMs }, sandbox);
    const first = await Promise.race([booting, stop]);
    if ('kind' in first) return finish(first, output);
    const reason = await stop;
    first.drain();
    const code = finish(reason, output);
    // Load balancers need a moment to see /readyz turn before the listener closes.
    if (first.config.production && reason.kind === 'signal') await sleep(PRODUCTION_DRAIN_MS);
    return code;
  } finally {
    for (const close of closers.splice(0).toReversed()) await close();
  }
}

/** Only the modules of the role are loaded, and while the sandbox boots in its own process. */
async function loadBoot(role: ServeFlags['role'] = 'all'): Promise<Boot> {
  switch (role) {
    case 'all':
      return (await import('./boot-all.ts')).bootAll;
    case 'gateway':
      return (await import('./boot-gateway.ts')).bootGateway;
    case 'subgraph':
      return (await import('./boot-subgraph.ts')).bootSubgraph;
  }
}

async function bootRole(options: Omit<BootOptions, 'config'>, sandbox: SandboxProcess | null): Promise<Booted> {
  const boot = loadBoot(options.flags.role);
  const config = readConfig(options, sandbox);
  // Whoever awaits them gets the error; until then it must not count as unhandled.
  for (const promise of [boot, config]) promise.catch(() => undefined);
  return (await boot)({ ...options, config });
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

async function readConfig(
  { flags, environment }: Pick<BootOptions, 'flags' | 'environment'>,
  sandbox: SandboxProcess | null,
): Promise<Awaited<BootOptions['config']>> {
  if (sandbox === null) {
    const file = flags.config ?? DEFAULT_CONFIG;
    return { config: loadConfig({ file, flags, environment, sandbox: flags.sandbox === true }), sandboxUrls: {} };
  }
  const ready = await sandbox.ready;
  const variables = { ...environment.variables, ...ready.environment };
  const config = loadConfig({
    file: ready.configFile,
    flags,
    environment: { ...environment, variables },
    sandbox: true,
  });
  return { config, sandboxUrls: ready.urls };
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
