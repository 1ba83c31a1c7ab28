/** One fetch from a subgraph, as a plan words it. */
export interface TracedFetch {
  readonly subgraph: string;
  /** From 1: a wave needs what the waves before it fetched. */
  readonly wave: number;
  /** Path of the rows it fills, by names of fields, `@` for each entry of a list; empty: the root. */
  readonly path: string;
  /** Entities asked for; null: it asks the root. */
  readonly representations: number | null;
  /** Entities that came back, or 1 for the root; 0 when nothing did. */
  readonly rows: number;
  /** What went over the wire, compressed as it was; null for a subgraph of this process, where nothing does. */
  readonly sentBytes: number | null;
  readonly receivedBytes: number | null;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  readonly elapsedMs: number;
  /** `ok` or the code of the failure. */
  readonly outcome: string;
}

/** One call to a connected system, or a share in a call that another read made. */
export interface TracedCall {
  readonly system: string;
  readonly operation: string;
  /** HTTP status; 0: no answer came; null: it was not sent (the system rests, its limits are reached, no time is left). */
  readonly status: number | null;
  readonly attempt: number;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  readonly elapsedMs: number;
  /** Null: it succeeded. */
  readonly errorCode: string | null;
  /** Another read made the call, and this one waited for its answer. */
  readonly shared: boolean;
}

/** Keys looked up in a cache that stands before a system. */
export interface TracedCacheRead {
  readonly cache: string;
  readonly hits: number;
  readonly misses: number;
  /** Age of the oldest value that answered; null: none did. */
  readonly oldestMs: number | null;
}

/**
 * Where the parts of a request are told for its trace. Coordinates, counts, times, names of systems and operations only:
 * never a value, a variable, a key or a person. Must not throw.
 */
export interface TraceSink {
  readonly fetch: (fetch: TracedFetch) => void;
  readonly call: (call: TracedCall) => void;
  readonly cache: (read: TracedCacheRead) => void;
  /** A governed field of one row, or of so many; null: it was allowed. */
  readonly decide: (coordinate: string, refusal: string | null, rows?: number) => void;
  /** So many lines were left out where they were made. */
  readonly omit: (lines: number) => void;
  /** A field that was not fetched for anybody: role, purpose or scopes can never open it. */
  readonly deny: (coordinate: string, reason: string) => void;
}
