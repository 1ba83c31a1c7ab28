import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SUBGRAPH_NAMES, type SubgraphName } from '#gateway/config-schema.ts';
import { createContextPair } from './context-keys.ts';
import { createPostgres } from './databases.ts';
import type { MortarProcess } from './mortar-process.ts';
import { createProductClient, type Product, type ProductOptions, waitForReady } from './product-client.ts';
import { residentBytes } from './process-tree.ts';
import { createPartStarter, endAll, type Part, type Variables } from './product-parts.ts';
import { startRedis } from './redis-server.ts';
import { startOwnSandbox } from './sandbox-process.ts';

const READY_WITHIN_MS = 120_000;

/** A product in parts, whose parts a test may look at, stop and start again. */
export interface SplitProduct extends Product {
  readonly gateway: Part;
  readonly subgraphs: Readonly<Record<SubgraphName, Part>>;
  /** Starts one process more, for example `['--role=subgraph', '--name=orders']`; it ends with the product. */
  readonly startPart: (given: readonly string[], environment?: Variables) => Promise<Part>;
}

export interface SplitOptions extends ProductOptions {
  /** Of single parts, beside the environment of all. */
  readonly partEnvironment?: Partial<Record<SubgraphName | 'gateway', Variables>>;
  /** Changes the text of the sandbox's configuration file. */
  readonly configure?: (text: string) => string;
}

/**
 * The same product as `startProduct` starts, in parts: sandbox, five subgraphs and a gateway, over a database and a Redis
 * of their own. Disposing ends them all. @throws {Error} with the output of the part that does not start
 */
export async function startSplitProduct(options: SplitOptions = {}): Promise<SplitProduct> {
  const startedAtMs = performance.now();
  await using started = new AsyncDisposableStack();
  const home = options.home ?? mkdtempSync(join(tmpdir(), 'mortar-e2e-'));
  if (options.home === undefined) started.defer(() => rmSync(home, { recursive: true, force: true }));
  const environment = { ...(await startServices(options, started)), ...options.environment };
  const runs: MortarProcess[] = [];
  started.defer(async () => void (await endAll(runs)));
  const world = await startWorld(options, { home, runs });
  const { nodeArguments = [], wrapper = [] } = options;
  const common = [...world.flags, `--home=${home}`, '--port=0', '--metrics-port=0'];
  const startPart = createPartStarter({
    runs,
    flags: common,
    environment: { ...environment, ...world.environment },
    nodeArguments,
    wrapper,
  });
  const { gateway, subgraphs } = await startParts(options, startPart);
  const parts = [gateway, ...Object.values(subgraphs)];
  const within = options.readyWithinMs === undefined ? READY_WITHIN_MS : options.readyWithinMs;
  if (within !== null) await Promise.all(parts.map(async ({ run, base }) => waitForReady(run, base, within)));
  const urls = {
    base: gateway.base,
    graph: `${gateway.base}/graphql`,
    graphiql: `${gateway.base}/graphiql`,
    metrics: gateway.metrics,
    webhooks: subgraphs.catalog.base,
    issuer: /^ {2}issuer +(\S+)/m.exec(gateway.run.stdout())?.[1] ?? '',
    control: options.control ?? world.control,
    systems: world.systems,
  };
  const owned = started.move();
  return {
    process: withOutputOf(gateway.run, runs),
    home,
    urls,
    readyMs: within === null ? Number.NaN : performance.now() - startedAtMs,
    rssBytes: () => residentBytes(gateway.run.pid),
    ...createProductClient(
      urls,
      parts.map(({ metrics }) => metrics),
    ),
    gateway,
    subgraphs,
    startPart,
    stop: (signal = 'SIGINT') => endAll(runs, signal),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A database, a Redis and a key pair of its own, where the test names none. */
async function startServices({ environment = {} }: SplitOptions, started: AsyncDisposableStack): Promise<Variables> {
  const { privatePem, publicPem } = createContextPair();
  const [postgres, redis] = await Promise.all([
    environment['DATABASE_URL'] === undefined ? createPostgres() : null,
    environment['REDIS_URL'] === undefined ? startRedis() : null,
  ]);
  if (postgres !== null) started.use(postgres);
  if (redis !== null) started.use(redis);
  return {
    MORTAR_KEY_CONTEXT: privatePem,
    MORTAR_KEY_CONTEXT_PUBLIC: publicPem,
    ...(postgres !== null && { DATABASE_URL: postgres.url }),
    ...(redis !== null && { REDIS_URL: redis.url }),
  };
}

interface World {
  readonly flags: readonly string[];
  readonly environment: Variables;
  readonly control: string;
  readonly systems: Readonly<Record<string, string>>;
}

/** The systems of the test's own configuration file, or else a sandbox. */
async function startWorld(
  { scale = 'small', seed = 1, arguments: given = [], configure }: SplitOptions,
  { home, runs }: { readonly home: string; readonly runs: MortarProcess[] },
): Promise<World> {
  const flags = [`--scale=${scale}`, `--seed=${seed}`, ...given];
  if (given.some((argument) => argument.startsWith('--config=')))
    return { flags, environment: {}, control: '', systems: {} };
  const { configFile, ...sandbox } = await startOwnSandbox([`--home=${home}`, ...flags], runs);
  if (configure !== undefined) writeFileSync(configFile, configure(readFileSync(configFile, 'utf8')));
  return { ...sandbox, flags: [...flags, `--config=${configFile}`, '--sandbox'] };
}

async function startParts(options: SplitOptions, startPart: SplitProduct['startPart']) {
  const startSubgraph = async (name: SubgraphName) =>
    [name, await startPart(['--role=subgraph', `--name=${name}`], options.partEnvironment?.[name])] as const;
  const started: (readonly [SubgraphName, Part])[] = [];
  // Two at a time: a test has two cores.
  for (const pair of [SUBGRAPH_NAMES.slice(0, 2), SUBGRAPH_NAMES.slice(2, 4), SUBGRAPH_NAMES.slice(4)])
    started.push(...(await Promise.all(pair.map(startSubgraph))));
  const urls = started.map(([name, { base }]) => `--subgraph-url=${name}=${base}/graphql`);
  const gateway = await startPart(['--role=gateway', ...urls], options.partEnvironment?.gateway);
  // One of each name was started.
  return { gateway, subgraphs: Object.fromEntries(started) as Record<SubgraphName, Part> };
}

/** The gateway, with what all parts wrote: a test that looks for errors means any of them. */
function withOutputOf(gateway: MortarProcess, runs: readonly MortarProcess[]): MortarProcess {
  return {
    ...gateway,
    output: () => runs.map((run) => run.output()).join(''),
    stderr: () => runs.map((run) => run.stderr()).join(''),
  };
}
