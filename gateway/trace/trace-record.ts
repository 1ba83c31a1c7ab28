import { z } from 'zod';

import type { Role } from '#schema/model/request.ts';

const count = z.int().nonnegative();
const name = z.string().max(200);

const tracedFetch = z.object({
  subgraph: name,
  wave: count,
  path: z.string().max(1_000),
  representations: count.nullable(),
  rows: count.nullable(),
  sentBytes: count.nullable(),
  receivedBytes: count.nullable(),
  /** Since the request began. */
  startMs: z.number(),
  elapsedMs: z.number(),
  outcome: name,
});
export const tracedCall = z.object({
  system: name,
  operation: name,
  status: z.int().nullable(),
  attempt: count,
  startMs: z.number(),
  elapsedMs: z.number(),
  errorCode: name.nullable(),
  shared: z.boolean(),
});
export const tracedCache = z.object({ cache: name, hits: count, misses: count, oldestMs: z.number().nullable() });
export const tracedDecision = z.object({
  coordinate: name,
  /** Rows whose field was opened; null: not shown to the reader. */
  allowed: count.nullable(),
  /** Reason -> rows; null: for every row, before anything was fetched, or not shown to the reader. */
  refused: z.record(name, count.nullable()),
});

/** What is kept of one request: never a value, a variable, a key or a person. */
export const traceRecord = z.object({
  requestId: name,
  /** ISO 8601 UTC: when the request came. */
  at: name,
  elapsedMs: z.number(),
  /** Null: the request was refused before its caller was known. */
  client: name.nullable(),
  role: name.nullable(),
  purpose: name.nullable(),
  operation: name.nullable(),
  /** `ok`, `partial` or the code that refused the whole request. */
  outcome: name,
  fetches: z.array(tracedFetch),
  calls: z.array(tracedCall),
  caches: z.array(tracedCache),
  decisions: z.array(tracedDecision),
  /** Stale or degraded sources; `count`: places in the answer. */
  sources: z.array(
    z.object({
      system: name,
      lane: name,
      asOf: name.nullable(),
      stale: z.boolean(),
      degraded: z.boolean(),
      count: count.nullable(),
    }),
  ),
  errors: z.array(z.object({ code: name, subgraph: name.nullable(), system: name.nullable(), count })),
  /** Lines left out because there were too many. */
  omitted: count,
});
export type TraceRecord = z.infer<typeof traceRecord>;

/** They may not learn how many rows there are, nor why a person's field is withheld: see extensions.consent. */
const WITHOUT_COUNTS: ReadonlySet<Role> = new Set<Role>(['partner', 'analyst']);

/** The record as its reader may see it. */
export function visibleTo(role: Role, record: TraceRecord): TraceRecord {
  if (!WITHOUT_COUNTS.has(role)) return record;
  return {
    ...record,
    fetches: record.fetches.map((fetch) => ({
      ...fetch,
      representations: null,
      rows: null,
      sentBytes: null,
      receivedBytes: null,
    })),
    caches: [],
    decisions: record.decisions.flatMap(({ coordinate, refused }) => {
      const reasons = new Set(
        Object.keys(refused).map((reason) => (reason === 'RESTRICTED' ? 'CONSENT_REQUIRED' : reason)),
      );
      if (reasons.size === 0) return [];
      return [{ coordinate, allowed: null, refused: Object.fromEntries([...reasons].map((reason) => [reason, null])) }];
    }),
    sources: record.sources.map((source) => ({ ...source, count: null })),
  };
}
