/** What waits to be planned, by who asked: one of each in turn, so that whoever asks for much waits for himself. */
export interface PlannerQueue<Item> {
  /** False: as many wait as may, in all or of this caller; nothing was added. */
  readonly add: (caller: string, item: Item) => boolean;
  /** Takes the next out of the queue; undefined: nothing waits. */
  readonly next: () => Item | undefined;
  /** Takes all out that are not kept, in the order in which they would have come. */
  readonly drop: (isKept: (item: Item) => boolean) => readonly Item[];
  readonly size: () => number;
}

export interface PlannerQueueLimits {
  readonly inAll: number;
  readonly perCaller: number;
}

export function createPlannerQueue<Item>({ inAll, perCaller }: PlannerQueueLimits): PlannerQueue<Item> {
  // Whose turn is next comes first: a caller who was served goes to the end of the map.
  const lanes = new Map<string, Item[]>();
  let served: string | null = null;
  const size = (): number => [...lanes.values()].reduce((sum, lane) => sum + lane.length, 0);
  const next = (): Item | undefined => {
    const callers = [...lanes.keys()];
    // Who was just served is the first in the map when nobody else waited; whoever came since goes before.
    const caller = callers.find((waiting) => waiting !== served) ?? callers[0];
    const lane = lanes.get(caller ?? '');
    if (caller === undefined || lane === undefined) return undefined;
    const item = lane.shift();
    lanes.delete(caller);
    if (lane.length > 0) lanes.set(caller, lane);
    served = caller;
    return item;
  };
  return {
    size,
    next,
    add: (caller, item) => {
      const lane = lanes.get(caller) ?? [];
      if (lane.length >= perCaller || size() >= inAll) return false;
      lane.push(item);
      lanes.set(caller, lane);
      return true;
    },
    drop: (isKept) => {
      const dropped: Item[] = [];
      for (const [caller, lane] of lanes) {
        dropped.push(...lane.filter((item) => !isKept(item)));
        const kept = lane.filter(isKept);
        if (kept.length === 0) lanes.delete(caller);
        else lanes.set(caller, kept);
      }
      return dropped;
    },
  };
}
