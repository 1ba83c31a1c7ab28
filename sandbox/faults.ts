import { z } from 'zod';
import { ConnectionCut } from './http-server.ts';
import { createRandom } from './world/random.ts';
import type { SandboxSystem, Vendor } from './world/types.ts';

export const SANDBOX_SYSTEMS = ['erp', 'wms', 'pos', 'crm', 'marketplace'] as const satisfies readonly SandboxSystem[];
const MAX_MS = 3_600_000;

const target = {
  /** `*`: every system. */
  system: z.enum([...SANDBOX_SYSTEMS, '*']),
  /** Milliseconds from now; absent: until /reset. */
  for: z.int().min(1).max(MAX_MS).optional(),
};
/** Share of the requests it hits. */
const ratio = z.number().min(0).max(1).default(1);

/** The body of `POST /faults`. A fault of the same kind on the same system is replaced; different kinds add up. */
export const faultInput = z.discriminatedUnion('fault', [
  z.strictObject({ ...target, fault: z.literal('latency'), value: z.number().min(0).max(MAX_MS) }),
  z.strictObject({ ...target, fault: z.literal('error'), value: ratio }),
  z.strictObject({ ...target, fault: z.literal('rateLimit'), value: ratio }),
  z.strictObject({ ...target, fault: z.literal('hang'), value: ratio }),
  z.strictObject({ ...target, fault: z.literal('garbage'), value: ratio }),
  z.strictObject({ ...target, fault: z.literal('reset'), value: ratio }),
]);
export type FaultInput = z.infer<typeof faultInput>;

export interface Faults {
  readonly set: (input: FaultInput) => void;
  readonly clear: () => void;
  /** Runs `next` as the faults of the vendor's system let it. @throws {ConnectionCut} for the fault `reset` */
  readonly apply: (vendor: Vendor, request: Request, next: () => Promise<Response>) => Promise<Response>;
}

interface Active {
  readonly input: FaultInput;
  readonly untilMs: number;
}

/** @param seed - decides which requests a fault with a value below 1 hits */
export function createFaults({ seed, nowMs }: { readonly seed: number; readonly nowMs: () => number }): Faults {
  const random = createRandom(seed, 'faults');
  const active = new Map<string, Active>();
  let cleared = new AbortController();

  const find = (system: SandboxSystem, kind: FaultInput['fault']): Active | null => {
    const key = `${system} ${kind}`;
    const found = active.get(key);
    if (found === undefined) return null;
    if (found.untilMs > nowMs()) return found;
    active.delete(key);
    return null;
  };
  const strikes = (system: SandboxSystem, kind: FaultInput['fault']): Active | null => {
    const found = find(system, kind);
    return found !== null && random.chance(found.input.value) ? found : null;
  };

  return {
    set: (input) => {
      const systems = input.system === '*' ? SANDBOX_SYSTEMS : [input.system];
      const untilMs = input.for === undefined ? Number.POSITIVE_INFINITY : nowMs() + input.for;
      for (const system of systems) active.set(`${system} ${input.fault}`, { input, untilMs });
    },
    clear: () => {
      active.clear();
      cleared.abort();
      cleared = new AbortController();
    },
    apply: async (vendor, request, next) => {
      const { system } = vendor;
      const ends = [request.signal, cleared.signal];
      const latency = find(system, 'latency');
      if (latency !== null) await pause(latency.input.value, ends);
      const hang = strikes(system, 'hang');
      if (hang !== null) {
        await pause(Math.min(MAX_MS, hang.untilMs - nowMs()), ends);
        throw new ConnectionCut('the hang is over');
      }
      if (strikes(system, 'reset') !== null) throw new ConnectionCut('reset');
      if (strikes(system, 'rateLimit') !== null) return vendor.rateLimited();
      if (strikes(system, 'error') !== null) return vendor.failed();
      if (strikes(system, 'garbage') !== null) return garbage();
      return next();
    },
  };
}

function garbage(): Response {
  return new Response('{"value": [{"id": "\u0000\ufffd', { headers: { 'content-type': 'application/json' } });
}

/** Waits, but no longer than until one of the signals fires. */
function pause(durationMs: number, ends: readonly AbortSignal[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), durationMs);
  const stop = () => resolve(undefined);
  for (const signal of ends) {
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  }
  return promise.finally(() => {
    clearTimeout(timer);
    for (const signal of ends) signal.removeEventListener('abort', stop);
  });
}
