import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

import { MortarError } from '#platform/errors.ts';

const message = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('ready'),
    /** The configuration the gateway starts with. */
    configFile: z.string(),
    /** Variables its credentials refer to. */
    environment: z.record(z.string(), z.string()),
    /** Name -> address, for the summary. */
    urls: z.record(z.string(), z.string()),
  }),
  z.object({ kind: z.literal('error'), message: z.string() }),
]);
export type SandboxReady = Extract<z.infer<typeof message>, { kind: 'ready' }>;

export interface SandboxProcess {
  /** @throws {MortarError} CONFIGURATION_INVALID when it could not start, with its own last words */
  readonly ready: Promise<SandboxReady>;
  /** Resolves when a sandbox that was ready ends without being asked to. */
  readonly died: Promise<{ readonly code: number | null; readonly logFile: string }>;
  readonly stop: () => Promise<void>;
}

export interface SandboxProcessOptions {
  /** gateway/main.ts; the sandbox runs in a process of its own, so that what it costs is not the gateway's. */
  readonly entry: string;
  readonly arguments: readonly string[];
  readonly home: string;
}

const READY_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 3_000;

/** Starts `mortar sandbox` as a child: its output goes to sandbox.log, it ends with us (its IPC channel closes). */
export function startSandboxProcess(options: SandboxProcessOptions): SandboxProcess {
  mkdirSync(options.home, { recursive: true });
  const logFile = join(options.home, 'sandbox.log');
  const log = openSync(logFile, 'w');
  const child = fork(options.entry, ['sandbox', ...options.arguments], { stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  let stopping = false;
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', () => resolve(null));
  });
  const { promise: died, resolve: reportDeath } = Promise.withResolvers<{ code: number | null; logFile: string }>();
  const ready = waitForReady(child, ended, logFile);
  const reportLater = async (): Promise<void> => {
    await ready;
    const code = await ended;
    if (!stopping) reportDeath({ code, logFile });
  };
  reportLater().catch(() => undefined);
  // Whoever awaits it gets the error; until then it must not count as unhandled.
  ready.catch(() => undefined);
  return {
    ready,
    died,
    stop: async () => {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function waitForReady(
  child: ChildProcess,
  ended: Promise<number | null>,
  logFile: string,
): Promise<SandboxReady> {
  const { promise, resolve, reject } = Promise.withResolvers<SandboxReady>();
  const timer = setTimeout(() => reject(failure('it was not ready in time', logFile)), READY_WITHIN_MS);
  child.on('message', (sent) => {
    const parsed = message.safeParse(sent);
    if (!parsed.success) return;
    if (parsed.data.kind === 'ready') resolve(parsed.data);
    else reject(new MortarError('CONFIGURATION_INVALID', { message: parsed.data.message }));
  });
  void ended.then((code) => reject(failure(`it ended with ${code === null ? 'a signal' : `code ${code}`}`, logFile)));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

function failure(what: string, logFile: string): MortarError {
  const words = lastLines(logFile);
  const tail = words === '' ? '' : `\n${words}`;
  return new MortarError('CONFIGURATION_INVALID', {
    message: `the sandbox did not start: ${what} (see ${logFile})${tail}`,
  });
}

function lastLines(file: string): string {
  try {
    return readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .slice(-8)
      .map((line) => `  ${line}`)
      .join('\n')
      .trimEnd();
  } catch {
    return '';
  }
}
