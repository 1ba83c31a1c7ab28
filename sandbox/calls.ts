import { SANDBOX_SYSTEMS } from './faults.ts';
import type { SandboxSystem } from './world/types.ts';

/** Requests per system and operation since the start or the last reset. */
export type CallCounts = Readonly<Record<SandboxSystem, Readonly<Record<string, number>>>>;

export interface Calls {
  readonly count: (system: SandboxSystem, operation: string) => void;
  readonly counts: () => CallCounts;
  readonly clear: () => void;
}

export function createCalls(): Calls {
  const counted = new Map<SandboxSystem, Map<string, number>>();
  return {
    count: (system, operation) => {
      const operations = counted.get(system) ?? new Map<string, number>();
      counted.set(system, operations.set(operation, (operations.get(operation) ?? 0) + 1));
    },
    counts: () => {
      const rows = SANDBOX_SYSTEMS.map((system) => [system, Object.fromEntries(counted.get(system) ?? [])] as const);
      return Object.fromEntries(rows) as CallCounts;
    },
    clear: () => counted.clear(),
  };
}
