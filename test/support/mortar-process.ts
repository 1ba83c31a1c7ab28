import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
/** The pinned runtime that `npm start` finds first on its PATH. */
const NODE = join(PROJECT, 'node_modules/.bin/node');
/** The options for Node that `npm start` gives. */
const START_OPTIONS = startOptions();

export interface MortarProcessOptions {
  /** For example `['serve', '--port', '0']`. */
  readonly arguments: readonly string[];
  /** Added to the environment; undefined removes a variable. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Before the entry point, for example `['--import', file]`. */
  readonly nodeArguments?: readonly string[];
  /** A command that runs the process in its own place, for example a tracer with its flags. */
  readonly wrapper?: readonly string[];
}

export interface MortarProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Standard output and error in the order they came. */
  readonly output: () => string;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Null: ended by a signal. */
  readonly ended: Promise<number | null>;
}

/** Starts `mortar ...` as npm does: the pinned Node, the project's folder, no service unless a test names one. */
export function spawnMortar({
  arguments: given,
  environment = {},
  nodeArguments = [],
  wrapper = [],
}: MortarProcessOptions): MortarProcess {
  const env: Record<string, string | undefined> = { ...process.env, LOG_LEVEL: 'warn', ...environment };
  for (const name of ['DATABASE_URL', 'REDIS_URL', 'NODE_OPTIONS', 'NODE_ENV', 'VITEST', 'NODE_CHANNEL_FD']) {
    if (!Object.hasOwn(environment, name)) delete env[name];
  }
  const options = given[0] === 'serve' ? START_OPTIONS : [];
  const [command = NODE, ...words] = [...wrapper, NODE, ...options, ...nodeArguments, 'gateway/main.ts', ...given];
  const child = spawn(command, words, {
    cwd: PROJECT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const all: string[] = [];
  const [out, err]: [string[], string[]] = [[], []];
  const collect = (stream: NodeJS.ReadableStream | null, into: string[]): void => {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      all.push(text);
      into.push(text);
    });
  };
  collect(child.stdout, out);
  collect(child.stderr, err);
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code));
    child.once('error', () => resolve(null));
  });
  return {
    child,
    pid: child.pid ?? -1,
    output: () => all.join(''),
    stdout: () => out.join(''),
    stderr: () => err.join(''),
    ended,
  };
}

export interface MortarResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the product to its end; ends it after `withinMs`. */
export async function runMortar(options: MortarProcessOptions & { readonly withinMs?: number }): Promise<MortarResult> {
  const run = spawnMortar(options);
  const timer = setTimeout(() => killGroup(run.pid), options.withinMs ?? 30_000);
  const code = await run.ended;
  clearTimeout(timer);
  return { code, stdout: run.stdout(), stderr: run.stderr() };
}

/** Ends a process that spawnMortar started, with all its children, at once. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

function startOptions(): readonly string[] {
  // Our own file: the script is there, or nothing could start.
  const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { scripts: { start: string } };
  return scripts.start.split(' ').filter((word) => word.startsWith('--'));
}
