import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { listen } from '#gateway/http/listen.ts';
import { killGroup, PROJECT } from './mortar-process.ts';

/** The shell blocks of a page of docs/, in order. */
export function readCommands(page: string): readonly string[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block]) => String(block));
}

/** The script with each port that matches replaced by a free one, the same for the same; and what was put for what. */
export async function onFreePorts(script: string, ports: RegExp) {
  const free = new Map<string, string>();
  for (const [port] of script.matchAll(ports)) if (!free.has(port)) free.set(port, await freePort());
  return { script: script.replaceAll(ports, (port) => free.get(port) ?? port), free };
}

async function freePort(): Promise<string> {
  const server = createServer();
  const { port } = new URL(await listen(server, { host: '127.0.0.1', port: 0, flag: '' }));
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const WITHIN_MS = 120_000;

/** Runs a script as a reader's shell does, in the project's folder; ends with it whatever it started in the background. */
export async function runShell(script: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn('bash', ['-c', `set -euo pipefail\ntrap 'kill $(jobs -p); wait' EXIT\n${script}`], {
    cwd: PROJECT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => texts.push(text));
  const timer = setTimeout(() => killGroup(child.pid ?? -1), WITHIN_MS);
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  clearTimeout(timer);
  killGroup(child.pid ?? -1);
  return { code, output: texts.join('') };
}
