import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { isSplitMode } from './e2e-mode.ts';
import { killGroup, type MortarProcess, spawnMortar } from './mortar-process.ts';
import {
  createProductClient,
  type Product,
  type ProductOptions,
  type ProductUrls,
  waitForReady,
} from './product-client.ts';
import { descendantsOf, residentBytes, waitForEnd } from './process-tree.ts';

/** Free ports for everything, so that many products run side by side. */
export const ANY_PORTS = ['--port=0', '--metrics-port=0', '--sandbox-port=0', '--control-port=0'];
const STOP_WITHIN_MS = 15_000;
const POLL_MS = 15;

/**
 * The whole product as `npm start` runs it: a child process with its sandbox, on free ports, in a home folder of its own.
 * Under MORTAR_E2E_MODE=split: the same product as a gateway and five subgraphs (see split-product.ts).
 * Disposing ends the whole tree.
 * @throws {Error} with the output when it does not start, and on disposal when a process of it is left
 */
export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  // Loaded only where it is asked for: it needs services.
  if (isSplitMode) return (await import('./split-product.ts')).startSplitProduct(options);
  const { scale = 'small', seed = 1, home = mkdtempSync(join(tmpdir(), 'mortar-e2e-')) } = options;
  const startedAtMs = performance.now();
  const run = spawnMortar({
    arguments: [
      'serve',
      ...ANY_PORTS,
      `--home=${home}`,
      `--scale=${scale}`,
      `--seed=${seed}`,
      ...(options.arguments ?? []),
    ],
    environment: options.environment ?? {},
    nodeArguments: options.nodeArguments ?? [],
    wrapper: options.wrapper ?? [],
  });
  let tree: readonly number[] = [];
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    tree = [...new Set([...tree, ...descendantsOf(run.pid)])];
    if (run.child.exitCode === null && run.child.signalCode === null) process.kill(run.pid, signal);
    const timer = setTimeout(() => killGroup(run.pid), STOP_WITHIN_MS);
    const code = await run.ended;
    clearTimeout(timer);
    return code;
  };
  const cleanUp = async (): Promise<void> => {
    await end('SIGTERM');
    const left = await waitForEnd(tree, 5_000);
    killGroup(run.pid);
    if (options.home === undefined) rmSync(home, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`processes of the product are left: ${left.join(', ')}\n${run.output()}`);
  };
  try {
    const printed = await waitForUrls(run);
    const urls = { ...printed, control: options.control ?? printed.control };
    tree = descendantsOf(run.pid);
    const within = options.readyWithinMs === undefined ? 60_000 : options.readyWithinMs;
    if (within !== null) await waitForReady(run, urls.base, within);
    const readyMs = within === null ? Number.NaN : performance.now() - startedAtMs;
    return {
      process: run,
      home,
      urls,
      readyMs,
      stop: (signal = 'SIGINT') => end(signal),
      rssBytes: () => residentBytes(run.pid),
      ...createProductClient(urls),
      [Symbol.asyncDispose]: cleanUp,
    };
  } catch (error) {
    await cleanUp().catch(() => undefined);
    throw error;
  }
}

async function waitForUrls(run: MortarProcess): Promise<ProductUrls> {
  const state = { ended: false };
  void run.ended.then(() => (state.ended = true));
  const until = Date.now() + 120_000;
  while (Date.now() < until) {
    const urls = parseSummary(run.stdout());
    if (urls !== null) return urls;
    if (state.ended) break;
    await sleep(POLL_MS);
  }
  throw new Error(`the product printed no summary:\n${run.output()}`);
}

/** Reads what a person reads at start-up; null until it is whole. */
function parseSummary(text: string): ProductUrls | null {
  if (!/Stop: {6}Ctrl-C|Tokens come from/.test(text)) return null;
  const url = (name: string): string => new RegExp(`^ {2}${name} +(http://\\S+)`, 'm').exec(text)?.[1] ?? '';
  const systems = [...text.matchAll(/^ {2}[●◐○] (\S+) +\S+ +\S+ +(http:\/\/\S+)/gm)];
  const graph = url('graph');
  return {
    base: graph.replace(/\/graphql$/, ''),
    graph,
    graphiql: url('GraphiQL'),
    metrics: url('metrics'),
    issuer: url('issuer'),
    webhooks: graph.replace(/\/graphql$/, ''),
    control: url('sandbox'),
    systems: Object.fromEntries(systems.map((match) => [match[1] ?? '', match[2] ?? ''])),
  };
}
