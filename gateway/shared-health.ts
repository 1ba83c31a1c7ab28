import { z } from 'zod';

import type { RedisDoor } from '#platform/redis.ts';
import type { BreakerState, ConnectedSystem, SystemHealth } from '#schema/model/sources.ts';

export interface SharedHealthOptions {
  readonly door: Pick<RedisDoor, 'getMany' | 'setMany'>;
  /** The kind of this process, and all there are. */
  readonly own: string;
  readonly others: readonly string[];
  readonly systems: readonly ConnectedSystem[];
}

/** The health of systems as the processes of one Redis see it together: each calls them for its own domain only. */
export interface SharedHealth {
  /** The same systems, in the worst state any process reported lately. */
  readonly systems: readonly ConnectedSystem[];
  /** Tells what this process sees and reads what others saw. Never rejects. Cost: one read, one write when one is not well. */
  readonly look: () => Promise<void>;
}

/** Reports of trouble are believed this long: three looks. */
const BELIEVED_MS = 6_000;
const STATES = ['UP', 'DEGRADED', 'DOWN'] as const;
const BREAKERS = ['CLOSED', 'HALF_OPEN', 'OPEN'] as const satisfies readonly BreakerState[];

/** Whatever is read is checked: others may write to a shared Redis. */
const report = z.object({
  state: z.enum(STATES),
  readsFail: z.boolean(),
  lastErrorCode: z.string().max(60).nullable(),
  breakers: z.object({ read: z.enum(BREAKERS), feed: z.enum(BREAKERS), write: z.enum(BREAKERS) }),
});
type Report = z.infer<typeof report>;

export function createSharedHealth({ door, own, others, systems }: SharedHealthOptions): SharedHealth {
  const keyOf = (system: string, process: string): string => `mortar:health:2:${system}:${process}`;
  const asked = systems.flatMap(({ system }) =>
    others.filter((name) => name !== own).map((name) => ({ system, key: keyOf(system, name) })),
  );
  let known: ReadonlyMap<string, readonly Report[]> = new Map();
  return {
    systems: systems.map((entry) => ({
      ...entry,
      health: () => (known.get(entry.system) ?? []).reduce(worse, entry.health()),
    })),
    look: async () => {
      const unwell = systems.flatMap(({ system, health }) => {
        const { state, readsFail, lastErrorCode, breakers } = health();
        if (state === 'UP') return [];
        return [
          {
            key: keyOf(system, own),
            value: JSON.stringify({ state, readsFail, lastErrorCode, breakers }),
            ttlMs: BELIEVED_MS,
          },
        ];
      });
      const [values] = await Promise.all([door.getMany(asked.map(({ key }) => key)), door.setMany(unwell)]);
      const reports = asked.flatMap(({ system }, index) => {
        const read = readReport(values?.[index] ?? null);
        return read === null ? [] : [{ system, read }];
      });
      known = new Map(
        [...Map.groupBy(reports, ({ system }) => system)].map(([system, all]) => [system, all.map(({ read }) => read)]),
      );
    },
  };
}

function readReport(text: string | null): Report | null {
  if (text === null) return null;
  try {
    return report.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function worse(own: SystemHealth, other: Report): SystemHealth {
  const breakerOf = (name: keyof Report['breakers']): BreakerState =>
    BREAKERS[Math.max(BREAKERS.indexOf(own.breakers[name]), BREAKERS.indexOf(other.breakers[name]))] ?? 'CLOSED';
  return {
    ...own,
    state: STATES[Math.max(STATES.indexOf(own.state), STATES.indexOf(other.state))] ?? 'UP',
    readsFail: own.readsFail || other.readsFail,
    lastErrorCode: own.lastErrorCode ?? other.lastErrorCode,
    breakers: { read: breakerOf('read'), feed: breakerOf('feed'), write: breakerOf('write') },
  };
}
