// What the conformance suite is told of a connector with a sandbox.
import type { ConformFixtures, ConformKeys, ConformWebhook, ConformWrites } from './conform-harness.ts';
import { contractsAvailable, loadContract } from './contracts.ts';
import type { Contract } from './contracts.ts';
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
  readonly keys?: (world: World) => Keys;
  readonly writes?: (world: World) => Readonly<Record<string, ConformWrites>>;
  readonly webhook?: ConformWebhook;
  readonly options?: ConformFixtures['options'];
  readonly expired?: () => Response;
}

/** One world for all of them. */
export async function fixturesOf(setup: ConformSetup): Promise<ConformFixtures> {
  const { vendor, contracts = {}, keys, options, expired, writes, webhook, basePath = '' } = setup;
  const truth = await world();
  const loaded = new Map<string, Contract>();
  if (contractsAvailable()) {
    for (const [prefix, file] of Object.entries(contracts)) loaded.set(prefix, await loadContract(file, { basePath }));
  }
  return {
    basePath,
    credentials: vendor.credentials,
    options: { ...vendor.options, ...options },
    answer: (request) => vendor.handler(request, truth),
    contractOf: (path) => [...loaded].find(([prefix]) => path.startsWith(prefix))?.[1] ?? null,
    keys: keys?.(truth) ?? {},
    ...(expired && { expired }),
    ...(writes && { writes: writes(truth) }),
    ...(webhook && { webhook }),
  };
}
