// What the conformance suite is told of a connector with a sandbox.
import type { ConformFixtures, ConformKeys, ConformWebhook, ConformWrites } from './conform-harness.ts';
import { contractsAvailable, loadContract, toOracle } from './contracts.ts';
import type { Oracle } from './oracle.ts';
import { buildWorld } from '#sandbox/world/build.ts';
import type { ExtraSystem, SandboxSystem, Vendor, World } from '#sandbox/world/types.ts';

let built: Promise<World> | null = null;
const world = (): Promise<World> =>
  (built ??= buildWorld({ seed: 7, scale: 'small', builtAt: '2026-11-20T00:00:00.000Z' }));

type Keys = Readonly<Record<string, ConformKeys>>;

export interface ConformSetup {
  readonly vendor: Vendor<SandboxSystem | ExtraSystem>;
  /** Where the system's URL ends. @default the root */
  readonly basePath?: string;
  /** Contract files by the beginning of a path. */
  readonly contracts?: Readonly<Record<string, string>>;
  /** The contracts' objects are made of parts, so that none can be closed: fields nobody declared pass. @default false */
  readonly openContracts?: boolean;
  /** Other oracles by the beginning of a path. */
  readonly oracles?: Readonly<Record<string, () => Promise<Oracle>>>;
  /** Why nobody can judge a path, by its beginning. */
  readonly outside?: Readonly<Record<string, string>>;
  readonly keys?: (world: World) => Keys;
  readonly writes?: (world: World) => Readonly<Record<string, ConformWrites>>;
  readonly webhook?: ConformWebhook;
  readonly options?: ConformFixtures['options'];
  readonly expired?: () => Response;
}

/** One world for all of them. */
export async function fixturesOf(setup: ConformSetup): Promise<ConformFixtures> {
  const { vendor, keys, options, expired, writes, webhook, outside = {}, basePath = '' } = setup;
  const truth = await world();
  const loaded = await loadOracles(setup);
  return {
    basePath,
    credentials: vendor.credentials,
    options: { ...vendor.options, ...options },
    answer: (request) => vendor.handler(request, truth),
    oracleOf: (path) => [...loaded].find(([prefix]) => path.startsWith(prefix))?.[1] ?? null,
    ...(loaded.size > 0 && {
      outsideOf: (path) => Object.entries(outside).find(([prefix]) => path.startsWith(prefix))?.[1] ?? null,
    }),
    keys: keys?.(truth) ?? {},
    ...(expired && { expired }),
    ...(writes && { writes: writes(truth) }),
    ...(webhook && { webhook }),
  };
}

async function loadOracles(setup: ConformSetup): Promise<Map<string, Oracle>> {
  const { contracts = {}, oracles = {}, basePath = '', openContracts = false } = setup;
  const loaded = new Map<string, Oracle>();
  if (!contractsAvailable()) return loaded;
  for (const [prefix, file] of Object.entries(contracts))
    loaded.set(prefix, toOracle(await loadContract(file, { basePath, closed: !openContracts })));
  for (const [prefix, load] of Object.entries(oracles)) loaded.set(prefix, await load());
  return loaded;
}
