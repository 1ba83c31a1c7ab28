import { z } from 'zod';

import { tracedCache, tracedCall, tracedDecision, type TraceRecord } from './trace-record.ts';
import type { TraceSink } from '#schema/model/trace.ts';

const MAX_LINES = 64;
const part = z.object({
  trace: z.object({
    calls: z.array(tracedCall).max(MAX_LINES),
    caches: z.array(tracedCache).max(MAX_LINES),
    decisions: z.array(tracedDecision).max(MAX_LINES),
    // Subgraphs of an older version do not say.
    omitted: z.int().nonnegative().max(1_000_000).default(0),
  }),
});
type TracePart = Pick<TraceRecord, 'calls' | 'caches' | 'decisions' | 'omitted'>;

/** What a subgraph of another process hands back beside its notices, with times since its own start; null: nothing. */
export function writeTracePart({
  calls,
  caches,
  decisions,
  omitted,
}: TraceRecord): { readonly trace: TracePart } | null {
  return calls.length + caches.length + decisions.length === 0
    ? null
    : { trace: { calls, caches, decisions, omitted } };
}

/**
 * Tells the request's trace what a subgraph handed back. Its times count from when the fetch began here, so that the
 * clocks of two machines need not agree. A part that does not fit is left out: a trace costs no answer.
 */
export function adoptTracePart(value: unknown, trace: TraceSink | undefined, fetchStartedAtMs: number): void {
  // Most answers have none, and to refuse what is not there costs more than to read one.
  if (trace === undefined || value === undefined) return;
  const read = part.safeParse(value);
  if (!read.success) return;
  const { calls, caches, decisions, omitted } = read.data.trace;
  trace.omit(omitted);
  for (const { startMs, ...call } of calls) trace.call({ ...call, startedAtMs: fetchStartedAtMs + startMs });
  for (const cache of caches) trace.cache(cache);
  for (const { coordinate, allowed, refused } of decisions) {
    trace.decide(coordinate, null, allowed ?? 0);
    for (const [reason, rows] of Object.entries(refused)) {
      if (rows === null) trace.deny(coordinate, reason);
      else trace.decide(coordinate, reason, rows);
    }
  }
}
