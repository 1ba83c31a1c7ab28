import type {
  BatchReadDefinition,
  Context,
  Decoded,
  FeedDefinition,
  FeedStep,
  LocationsDefinition,
  WriteDefinition,
} from '#connectors/kit/definition.ts';
import { type LocationDraft, type Origin, sealLocation } from '#connectors/kit/draft.ts';
import type { WireRequest } from '#connectors/kit/wire.ts';
import { batchesOf } from '#platform/batches.ts';
import type { SystemId } from '#schema/model/ids.ts';

import type { Exchange } from './exchange.ts';
import type { Outcome } from './finding.ts';
import type { Part } from './probe.ts';
import { renamed } from './renamed.ts';

// The pure functions of a port over an example, as the kit would call them, without the kit's I/O.

/* eslint-disable typescript/no-explicit-any -- keys, pages and settings are each definition's own affair */
export type AnyContext = Context<any>;
export type AnyRead = BatchReadDefinition<any, any, any, any>;
export type AnyLocations = LocationsDefinition<any, any>;
export type AnyFeed = FeedDefinition<any, any, any>;
export type AnyWrite = WriteDefinition<any, any, any, any>;
/* eslint-enable typescript/no-explicit-any */

/** A draft as the canonical record. */
export type Seal = (draft: unknown, origin: Origin) => unknown;

export interface Replay {
  readonly parts: readonly Part[];
  readonly requests: readonly WireRequest[];
  /** Runs over the example, or something else in its place; null: refused. */
  readonly run: (given?: Given) => Outcome | null;
}

export interface Given {
  readonly answers?: readonly unknown[];
  readonly context?: AnyContext;
  readonly keys?: readonly unknown[];
  /** Only the answer of this index is not as it was when the replay was made. */
  readonly changed?: number;
}

/** One call and the ones that followed from it. */
interface ReadResult extends Decoded<unknown> {
  readonly next: readonly (WireRequest | null)[];
}

/** A read in calls of as many keys as the vendor takes. @throws {Error} when the connector asks for something else than the example answers */
export function replayRead(port: AnyRead, example: Exchange, { context, seal, origin }: Setting): Replay {
  const bodies = example.answers.map(({ body }) => body);
  const requests: WireRequest[] = [];
  const calls = batchesOf(example.keys, port.max).map((keys) => {
    const from = requests.length;
    for (let next: WireRequest | null = port.request(keys, context); next !== null;) {
      const body = port.page.parse(answerTo(example, next, requests.length));
      requests.push(next);
      next = port.more?.(body, next, context)?.request ?? null;
    }
    const chained = requests.length - from;
    for (const request of port.fanOut?.(keys, context) ?? []) {
      answerTo(example, request, requests.length);
      requests.push(request);
    }
    return { from, chained, to: requests.length };
  });
  endOf(example, requests.length);
  let base: readonly ReadResult[] = [];
  const resultsOf = ({ answers = bodies, context: now = context, keys = example.keys, changed }: Given) => {
    const chunks = batchesOf(keys, port.max);
    return calls.map(({ from, chained, to }, index): ReadResult => {
      const known = changed !== undefined && (changed < from || changed >= to) ? base[index] : undefined;
      if (known !== undefined) return known;
      const pages = answers.slice(from, to).map((body) => port.page.parse(body));
      const followed = pages
        .slice(0, chained)
        .map((page, at) => port.more?.(page, requests[from + at] as WireRequest, now)?.request ?? null);
      return { ...port.decode(pages, chunks[index] ?? [], now), next: followed };
    });
  };
  base = resultsOf({});
  const run: Replay['run'] = (given = {}) =>
    attempt(() => {
      const results = resultsOf(given);
      const slots = results.flatMap(({ values }) => [...values.values()]);
      const failed = slots.filter((slot) => slot instanceof Error).length;
      const drafts = slots.filter((slot) => slot !== null && !(slot instanceof Error)).flat();
      return {
        lists: [drafts.map((draft) => seal(draft, origin))],
        unreadable: results.reduce((sum, { rejected }) => sum + rejected, failed),
        next: results.map(({ next }) => next),
      };
    });
  return { requests, run, parts: example.answers.map(({ operation, body }) => ({ name: operation, document: body })) };
}

/** Locations are read all at once: a read without keys. */
export function replayLocations(port: AnyLocations, example: Exchange, setting: Setting): Replay {
  const { page, more } = port;
  const read: AnyRead = {
    max: 1,
    keyOf: String,
    request: (_keys, context) => port.request(context),
    page,
    ...(more && { more }),
    decode: (bodies, _keys, context) => ({ values: new Map([['', port.decode(bodies, context)]]), rejected: 0 }),
    absent: null,
    freshnessMs: null,
  };
  const { system } = setting.origin;
  return replayRead(
    read,
    { ...example, keys: [''] },
    { ...setting, seal: (draft) => sealLocation(draft as LocationDraft, system) },
  );
}

/** A feed's first run. */
export function replayFeed(port: AnyFeed, example: Exchange, { context, seal, origin }: Setting): Replay {
  const bodies = example.answers.map(({ body }) => body);
  const requests: WireRequest[] = [];
  const cursors: (string | null)[] = [];
  let cursor: string | null = null;
  for (let done = false; !done;) {
    const request = port.request(cursor, context);
    const step = port.decode(port.page.parse(answerTo(example, request, requests.length)), cursor, context);
    requests.push(request);
    cursors.push(cursor);
    ({ cursor, done } = step);
  }
  endOf(example, requests.length);
  let base: readonly FeedStep<unknown>[] = [];
  const steps = ({ answers = bodies, context: now = context, changed }: Given) =>
    answers.map((body, index): FeedStep<unknown> => {
      const known = changed !== undefined && changed !== index ? base[index] : undefined;
      return known ?? port.decode(port.page.parse(body), cursors[index] ?? null, now);
    });
  base = steps({});
  const run: Replay['run'] = (given = {}) =>
    attempt(() => {
      const read = steps(given);
      const changes = read.flatMap((step) => step.changes);
      const upserts = changes.flatMap((change) => (change.kind === 'upsert' ? [seal(change.value, origin)] : []));
      const deletes = changes.flatMap((change) =>
        change.kind === 'delete' ? [{ externalId: change.externalId }] : [],
      );
      return {
        lists: [upserts, deletes],
        unreadable: read.reduce((sum, { rejected }) => sum + rejected, 0),
        next: read.map((step) => [step.cursor, step.done]),
      };
    });
  return { requests, run, parts: example.answers.map(({ operation, body }) => ({ name: operation, document: body })) };
}

/** A write of each input for itself: its requests are the records, the inputs the document. */
export function replayWrite(port: AnyWrite, example: Exchange, { context }: Setting): Replay {
  const inputs = example.inputs.map((input) => ({ input }));
  const originals = structuredClone(example.inputs);
  const requestsOf = (
    input: unknown,
    original: unknown,
    now = context,
  ): readonly [WireRequest, WireRequest | undefined] => {
    const before = port.before?.([input], now);
    const read = before && renamed(answerOf(example, before.operation), { from: original, to: input });
    return [port.request([input], now, read), before];
  };
  const requests = originals.flatMap((input) => {
    const [request, before] = requestsOf(input, input);
    return before === undefined ? [request] : [before, request];
  });
  const looked = new Set(originals.map((input) => port.before?.([input], context).operation));
  for (const { operation, body } of example.answers) if (!looked.has(operation)) port.page.parse(body);
  const run: Replay['run'] = ({ answers = inputs, context: now = context } = {}) =>
    attempt(() => {
      const lists = (answers as typeof inputs).map(({ input }, index) => {
        if (port.accepts?.(input, now) === false) throw new Error('not taken');
        if ((port.refuses?.(input, now) ?? null) !== null) return [];
        const [request, before] = requestsOf(input, originals[index], now);
        return [{ ...wordsOf(request), ...(before && { before: wordsOf(before) }) }];
      });
      return { lists, unreadable: 0, next: null };
    });
  const parts = inputs.map((document, index) => {
    const original = originals[index];
    return { name: requestsOf(original, original)[0].operation, document };
  });
  return { requests, run, parts };
}

export interface Setting {
  readonly context: AnyContext;
  readonly origin: Origin & { readonly system: SystemId };
  readonly seal: Seal;
}

/** What of a request can hold an input, by the names of the page. */
function wordsOf({ method, path, query = {}, json }: WireRequest): object {
  const asked = Object.fromEntries(Object.entries(query).map(([name, value]) => [`?${name}`, value]));
  return { [`${method} path`]: path, ...asked, ...(json as object | undefined) };
}

function attempt(work: () => Outcome): Outcome | null {
  try {
    return work();
  } catch {
    // A definition refuses by throwing, whatever it throws: a changed example may be anything.
    return null;
  }
}

function answerTo({ answers }: Exchange, { operation }: WireRequest, index: number): unknown {
  const answer = answers[index];
  if (answer?.operation === operation) return answer.body;
  throw new Error(`answer ${index + 1} is of ${answer?.operation ?? 'nothing'}, but the connector asks ${operation}`);
}

function answerOf({ answers }: Exchange, operation: string): unknown {
  const found = answers.find((answer) => answer.operation === operation);
  if (found === undefined) throw new Error(`no answer is of ${operation}, which the connector asks before it writes`);
  return found.body;
}

function endOf({ answers }: Exchange, count: number): void {
  if (answers.length > count)
    throw new Error(`the connector asks ${count} times, and ${answers.length} answers are given`);
}
