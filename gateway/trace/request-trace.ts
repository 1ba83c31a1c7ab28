import type { GraphQLFormattedError } from 'graphql';

import type { TraceRecord } from './trace-record.ts';
import type { ProvenanceEntry } from '#gateway/executor/request-notices.ts';
import { toIso } from '#platform/clock.ts';
import type { Principal } from '#schema/model/request.ts';
import type { TracedCacheRead, TracedCall, TracedFetch, TraceSink } from '#schema/model/trace.ts';
import type { Purpose } from '#schema/purposes.ts';

/** Lines of one kind; a request that makes more is told by its first ones and a count of the others. */
const MAX_LINES = 64;
const MAX_NAME = 100;
/** What a record may hold at most, see trace-record.ts: a line that is cut is better than a request that is not found. */
const MAX_TEXT = 200;
const MAX_PATH = 1_000;

/** What an answer tells beside its data. */
interface TracedAnswer {
  readonly operation: string | null;
  readonly outcome: string;
  readonly errors: readonly GraphQLFormattedError[];
  readonly sources: readonly ProvenanceEntry[];
}

/** Collects what happens for one request. */
export interface RequestTrace extends TraceSink {
  /** Who asks, once it is known. */
  readonly caller: (principal: Principal, purpose: Purpose | null) => void;
  readonly answered: (answer: TracedAnswer) => void;
  /** Refused as a whole, before or instead of an answer. */
  readonly refused: (outcome: string) => void;
  /** All so far. */
  readonly record: (nowMs: number) => TraceRecord;
}

interface Decided {
  allowed: number;
  readonly refused: Map<string, number | null>;
}

export function createRequestTrace(requestId: string, startedAtMs: number): RequestTrace {
  const fetches: TracedFetch[] = [];
  const calls: TracedCall[] = [];
  const caches: TracedCacheRead[] = [];
  const decisions = new Map<string, Decided>();
  let asker: Pick<TraceRecord, 'client' | 'role' | 'purpose'> = { client: null, role: null, purpose: null };
  let answer: TracedAnswer = { operation: null, outcome: 'INTERNAL_SERVER_ERROR', errors: [], sources: [] };
  let omitted = 0;
  const keep = <T>(lines: T[], line: T): void => {
    if (lines.length < MAX_LINES) lines.push(line);
    else omitted += 1;
  };
  const decided = (coordinate: string): Decided | null => {
    const known = decisions.get(coordinate);
    if (known !== undefined) return known;
    if (decisions.size === MAX_LINES) {
      omitted += 1;
      return null;
    }
    const made = { allowed: 0, refused: new Map<string, number | null>() };
    decisions.set(coordinate, made);
    return made;
  };
  return {
    fetch: (fetch) => keep(fetches, cut(fetch)),
    call: (call) => keep(calls, shortened(call)),
    cache: (read) => keep(caches, read),
    omit: (lines) => {
      omitted += lines;
    },
    decide: (coordinate, refusal, rows = 1) => {
      const entry = decided(coordinate);
      if (entry === null) return;
      if (refusal === null) entry.allowed += rows;
      else entry.refused.set(refusal, (entry.refused.get(refusal) ?? 0) + rows);
    },
    deny: (coordinate, reason) => void decided(coordinate)?.refused.set(reason, null),
    caller: ({ client, role }, purpose) => {
      asker = { client: client.slice(0, MAX_NAME), role, purpose };
    },
    answered: (given) => {
      answer = given;
    },
    refused: (outcome) => {
      answer = { ...answer, outcome };
    },
    record: (nowMs) => ({
      requestId,
      at: toIso(startedAtMs),
      elapsedMs: nowMs - startedAtMs,
      ...asker,
      operation: answer.operation?.slice(0, MAX_NAME) ?? null,
      outcome: answer.outcome.slice(0, MAX_TEXT),
      fetches: fetches.map((fetch) => fetchSinceStart(fetch, startedAtMs)),
      calls: calls.map((call) => sinceStart(call, startedAtMs)),
      caches,
      decisions: [...decisions].map(([coordinate, { allowed, refused }]) => ({
        coordinate,
        allowed,
        refused: Object.fromEntries(refused),
      })),
      sources: answer.sources
        .slice(0, MAX_LINES)
        .map(({ paths, ...source }) => ({ ...shortened(source), count: paths.length })),
      errors: countErrors(answer.errors),
      omitted,
    }),
  };
}

/** Each request tells several: every text is named, for to look for them costs more than all else here. */
function cut(fetch: TracedFetch): TracedFetch {
  const { subgraph, outcome, path } = fetch;
  if (subgraph.length <= MAX_TEXT && outcome.length <= MAX_TEXT && path.length <= MAX_PATH) return fetch;
  return { ...shortened(fetch), path: path.slice(0, MAX_PATH) };
}

/** The same line with no text longer than a record may hold. */
function shortened<T extends object>(line: T): T {
  const entries = Object.entries(line).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' ? value.slice(0, MAX_TEXT) : value,
  ]);
  // Texts stay texts, and everything else is as it was.
  return Object.fromEntries(entries) as T;
}

/** Named one by one, for each request makes several. */
function fetchSinceStart(line: TracedFetch, startedAtMs: number): TraceRecord['fetches'][number] {
  return {
    subgraph: line.subgraph,
    wave: line.wave,
    path: line.path,
    representations: line.representations,
    rows: line.rows,
    sentBytes: line.sentBytes,
    receivedBytes: line.receivedBytes,
    startMs: line.startedAtMs - startedAtMs,
    elapsedMs: line.elapsedMs,
    outcome: line.outcome,
  };
}

function sinceStart<T extends { readonly startedAtMs: number }>(line: T, startedAtMs: number) {
  const { startedAtMs: at, ...facts } = line;
  return { ...facts, startMs: at - startedAtMs };
}

/** By code, subgraph and system; no path, for it would hold the caller's own words. */
function countErrors(errors: readonly GraphQLFormattedError[]): TraceRecord['errors'] {
  const counts = new Map<string, TraceRecord['errors'][number]>();
  for (const { extensions = {} } of errors) {
    const { code, serviceName, system, occurrences } = extensions;
    const facts = shortened({ code: String(code), subgraph: textOf(serviceName), system: textOf(system) });
    const key = JSON.stringify(facts);
    const count = (counts.get(key)?.count ?? 0) + (typeof occurrences === 'number' ? occurrences : 1);
    counts.set(key, { ...facts, count });
  }
  return [...counts.values()].slice(0, MAX_LINES);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
