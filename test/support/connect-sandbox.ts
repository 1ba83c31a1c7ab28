// A connector over a vendor's fake, in process.
import { systemClock } from '#platform/clock.ts';
import { connectSystem } from '#connectors/kit/connect-system.ts';
import type { ConnectorDefinition } from '#connectors/kit/definition.ts';
import type { ExtraSystem, SandboxSystem, Vendor, World } from '#sandbox/world/types.ts';
import { systemConfig } from '#schema/model/configuration.ts';
import type { ConnectedSystem } from '#schema/model/sources.ts';

export interface SandboxConnection {
  readonly vendor: Vendor<SandboxSystem | ExtraSystem>;
  readonly world: World;
  /** Over the vendor's own. */
  readonly options?: Vendor['options'];
  /** Called with the facts of every warning. */
  readonly onWarning?: (facts: object) => void;
}

/** The connected system; every call is answered by the fake over the world as it is then. */
export function connectSandbox<S>(
  definition: ConnectorDefinition<S>,
  { vendor, world, options = {}, onWarning }: SandboxConnection,
): ConnectedSystem {
  return connectSystem(definition, {
    config: systemConfig.parse({
      id: vendor.system,
      connector: definition.id,
      url: `http://${vendor.system}.test`,
      credentials: vendor.credentials,
      options: { ...vendor.options, ...options },
    }),
    clock: systemClock,
    logger: { debug: () => {}, info: () => {}, warn: (facts) => onWarning?.(facts), error: () => {} },
    trace: () => {},
    fetch: (input, init) => vendor.handler(new Request(input, init), world),
  });
}
