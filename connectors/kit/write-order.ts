// Writes of one thing reach the system in the order they were asked for: a withdrawal is never followed by an older grant.

interface Place {
  /** The write that counts; null: it has ended. */
  latest: symbol | null;
  /** A write of this key is with the system. */
  underWay: Promise<void> | null;
}

/** One write among those of the same keys. */
export interface WriteTurn {
  /** False: a later write of the key was asked for. */
  readonly isLatest: (key: string) => boolean;
  /** What of these keys is with the system now; a write that is not the latest comes no more. */
  readonly others: (keys: readonly string[]) => Promise<unknown>;
  /** Asked before each attempt: null when one of the keys has a later write, otherwise what to call when the attempt ended. */
  readonly begin: (keys: readonly string[]) => (() => void) | null;
  /** The write has ended. */
  readonly end: () => void;
}

/** The order of the writes of one sink in this process. Each write takes its turn when it is asked for. */
export function createWriteOrder(): (keys: readonly string[]) => WriteTurn {
  const places = new Map<string, Place>();
  return (all) => {
    const own = Symbol('write');
    for (const key of all) places.set(key, { underWay: places.get(key)?.underWay ?? null, latest: own });
    const isLatest = (key: string): boolean => places.get(key)?.latest === own;
    return {
      isLatest,
      others: (keys) => Promise.all(keys.flatMap((key) => places.get(key)?.underWay ?? [])),
      begin: (keys) => {
        if (!keys.every(isLatest)) return null;
        const { promise, resolve } = Promise.withResolvers<void>();
        for (const key of keys) places.set(key, { latest: own, underWay: promise });
        return () => {
          for (const key of keys) {
            const place = places.get(key);
            if (place?.underWay !== promise) continue;
            place.underWay = null;
            if (place.latest === null) places.delete(key);
          }
          resolve();
        };
      },
      end: () => {
        for (const key of all) {
          const place = places.get(key);
          if (place?.latest !== own) continue;
          // One that waited in vain has an older one still with the system: the next must wait for that.
          if (place.underWay === null) places.delete(key);
          else place.latest = null;
        }
      },
    };
  };
}
