import type { TraceRecord } from './trace-record.ts';

/** A line with what belongs below it. */
interface Branch {
  readonly text: string;
  readonly below?: readonly Branch[];
}

/** The record as a tree of lines, for people at a terminal. */
export function formatTrace(record: TraceRecord): readonly string[] {
  const { requestId, outcome, at } = record;
  const branches = [
    callerOf(record),
    planOf(record),
    upstreamOf(record),
    listOf('caches', record.caches, cacheLine),
    listOf('decisions', record.decisions, decisionLine),
    listOf('stale or degraded sources', record.sources, sourceLine),
    listOf('errors', record.errors, errorLine),
    record.omitted === 0 ? null : { text: `${record.omitted} more lines were not kept` },
  ].filter((branch) => branch !== null);
  const head = `${requestId}  ${outcome}  ${ms(record.elapsedMs)}  ${at}`;
  return [head, ...drawAll(branches, '')];
}

function drawAll(branches: readonly Branch[], indent: string): readonly string[] {
  return branches.flatMap(({ text, below = [] }, index) => {
    const last = index === branches.length - 1;
    return [`${indent}${last ? '└─' : '├─'} ${text}`, ...drawAll(below, `${indent}${last ? '   ' : '│  '}`)];
  });
}

const ms = (value: number): string => `${Math.round(value * 10) / 10} ms`;
const plural = (value: number, noun: string): string => `${value} ${noun}${value === 1 ? '' : 's'}`;

function callerOf({ client, role, purpose, operation }: TraceRecord): Branch {
  if (client === null) return { text: 'caller: unknown, refused before its token was accepted' };
  const name = operation ?? '(without a name)';
  return { text: `client ${client}, role ${role}, purpose ${purpose ?? 'none'}, operation ${name}` };
}

function planOf({ fetches }: TraceRecord): Branch {
  if (fetches.length === 0) return { text: 'plan: nothing was fetched' };
  const waves = [...new Set(fetches.map(({ wave }) => wave))].toSorted((a, b) => a - b);
  return {
    text: `plan: ${plural(fetches.length, 'fetch').replace(/hs$/, 'hes')} in ${plural(waves.length, 'wave')}`,
    below: waves.map((wave) => ({
      text: `wave ${wave}`,
      below: fetches.filter((fetch) => fetch.wave === wave).map((fetch) => ({ text: fetchLine(fetch) })),
    })),
  };
}

function fetchLine(fetch: TraceRecord['fetches'][number]): string {
  const { subgraph, path, representations, rows, sentBytes, receivedBytes, startMs, elapsedMs, outcome } = fetch;
  const asked =
    representations === null ? '' : `${rows ?? '?'} of ${plural(representations, 'entity').replace('ys', 'ies')}`;
  const bytes = receivedBytes === null ? '' : `${sentBytes ?? '?'} bytes out, ${receivedBytes} in`;
  const facts = [path === '' ? 'root' : path, asked, bytes, `at ${ms(startMs)}, took ${ms(elapsedMs)}`, outcome];
  return [subgraph, ...facts.filter((fact) => fact !== '')].join('  ');
}

function upstreamOf({ calls }: TraceRecord): Branch {
  if (calls.length === 0) return { text: 'upstream: no system was asked' };
  const systems = [...new Set(calls.map(({ system }) => system))];
  return {
    text: `upstream: ${plural(calls.length, 'call')} to ${plural(systems.length, 'system')}`,
    below: systems.map((system) => ({
      text: system,
      below: calls.filter((call) => call.system === system).map((call) => ({ text: callLine(call) })),
    })),
  };
}

function callLine({
  operation,
  status,
  attempt,
  startMs,
  elapsedMs,
  errorCode,
  shared,
}: TraceRecord['calls'][number]): string {
  const answer = status === null ? 'not sent' : status === 0 ? 'no answer' : `status ${status}`;
  const how = shared ? "waited for another read's call" : `attempt ${attempt}`;
  const failure = errorCode === null ? [] : [errorCode];
  return [operation, answer, how, `at ${ms(startMs)}, took ${ms(elapsedMs)}`, ...failure].join('  ');
}

function listOf<T>(title: string, entries: readonly T[], line: (entry: T) => string): Branch | null {
  return entries.length === 0 ? null : { text: title, below: entries.map((entry) => ({ text: line(entry) })) };
}

function cacheLine({ cache, hits, misses, oldestMs }: TraceRecord['caches'][number]): string {
  return `${cache}  ${hits} answered${oldestMs === null ? '' : `, the oldest ${ms(oldestMs)} old`}, ${misses} not there`;
}

function decisionLine({ coordinate, allowed, refused }: TraceRecord['decisions'][number]): string {
  const reasons = Object.entries(refused).map(
    ([reason, rows]) => `refused${rows === null ? '' : ` ${rows}`}: ${reason}`,
  );
  const opened = allowed === null || (allowed === 0 && reasons.length > 0) ? [] : [`allowed ${allowed}`];
  return [coordinate, ...opened, ...reasons].join('  ');
}

function sourceLine({ system, lane, asOf, stale, degraded, count }: TraceRecord['sources'][number]): string {
  const how = [...(stale ? ['stale'] : []), ...(degraded ? ['degraded'] : [])].join(' and ');
  const places = count === null ? [] : [plural(count, 'place')];
  return [system, lane, how, `as of ${asOf ?? 'unknown'}`, ...places].join('  ');
}

function errorLine({ code, subgraph, system, count }: TraceRecord['errors'][number]): string {
  return [
    code,
    ...(subgraph === null ? [] : [subgraph]),
    ...(system === null ? [] : [system]),
    plural(count, 'time'),
  ].join('  ');
}
