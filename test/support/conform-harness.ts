// The bench of the conformance suite: a connector over a system that behaves, except where a test says otherwise.
import { systemClock } from '#platform/clock.ts';
import { MortarError } from '#platform/errors.ts';
import type { CallScope } from '#schema/model/request.ts';
import type { ConnectedSystem, FeedSource } from '#schema/model/sources.ts';

import type { CallTrace } from '#connectors/kit/caller.ts';
import { connectSystem } from '#connectors/kit/connect-system.ts';
import type { ConnectorDefinition } from '#connectors/kit/definition.ts';
import { systemConfig } from '#schema/model/configuration.ts';

import { createContractTally } from './contract-tally.ts';
import type { ContractTally } from './contract-tally.ts';
import type { Oracle } from './oracle.ts';

export const BASE_URL = 'http://vendor.test';

/** Keys of one batch port, as texts; `toKey` makes the port's key of one. */
export interface ConformKeys {
  /** Keys the system knows. */
  readonly known: readonly string[];
  /** The n-th key the system could know and does not. */
  readonly unknown: (n: number) => string;
  /** @default the text itself */
  readonly toKey?: (text: string) => unknown;
}

/** Inputs of one write port. */
export interface ConformWrites {
  /** The n-th input, different from the others, that the system takes. */
  readonly input: (n: number) => unknown;
  /** Inputs of other kinds, which go by operations and words of their own. */
  readonly others?: readonly unknown[];
  /** Inputs without the permission they need. */
  readonly refused?: readonly unknown[];
  /** Inputs the system could not take. */
  readonly unfit?: readonly unknown[];
  /** Personal texts in inputs 0 and 1. */
  readonly personal: readonly string[];
}

/** A webhook as the vendor would send it. */
export interface ConformWebhook {
  /** Configured beside the fixtures' own. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly url: string;
  readonly body: string;
  /** Header names in lower case. */
  readonly headers: (body: string, sentAtMs: number) => Readonly<Record<string, string>>;
  /** A body that proves nothing, where the proof is in the body. @default the same body, with another's signature */
  readonly forgedBody?: string;
  readonly feeds: readonly string[];
}

/** What the suite needs to know of a connector beside its definition. */
export interface ConformFixtures {
  readonly credentials: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** Where the system's URL ends. @default the root */
  readonly basePath?: string;
  /** A system that behaves: the vendor's sandbox. */
  readonly answer: (request: Request) => Promise<Response>;
  /** Who judges the calls to a path; null: nobody can. */
  readonly oracleOf: (path: string) => Oracle | null;
  /** Why nobody can judge a path; null: somebody must, and a call there is wrong. @default nobody judges anything */
  readonly outsideOf?: (path: string) => string | null;
  /** One entry for every batch port of the definition. */
  readonly keys: Readonly<Record<string, ConformKeys>>;
  /** Present where the definition has a webhook. */
  readonly webhook?: ConformWebhook;
  /** One entry for every write port of the definition. */
  readonly writes?: Readonly<Record<string, ConformWrites>>;
  /** How the vendor says that a page token is no longer good; absent: its feeds have no such tokens. */
  readonly expired?: () => Response;
}

/** Answers instead of the system; `count` is 1 for the first call that is not about tokens. */
export type Fault = (request: Request, count: number, next: () => Promise<Response>) => Promise<Response>;

export interface Bench {
  readonly system: ConnectedSystem;
  /** Calls to the system, without those about tokens. */
  readonly calls: readonly {
    readonly method: string;
    readonly url: URL;
    readonly headers: Headers;
    readonly body: string;
  }[];
  readonly tokenCalls: () => number;
  readonly traces: readonly CallTrace[];
  /** Everything the kit told anybody: traces and log lines. Without the times it measured, whose digits are nobody's. */
  readonly told: () => string;
  /** What was wrong by the vendor's contract, with calls the fault left alone. */
  readonly violations: readonly string[];
  /** What was judged, with calls the fault left alone. */
  readonly judged: ContractTally;
  /** How many keys each call carried, by port. */
  readonly sizes: ReadonlyMap<string, number[]>;
}

interface BenchOptions {
  readonly fault?: Fault;
  readonly timeoutMs?: number;
}

/** The connector, connected anew: no breaker, pause or token of an earlier test. */
export function openBench<S>(
  definition: ConnectorDefinition<S>,
  fixtures: ConformFixtures,
  { fault, timeoutMs = 10_000 }: BenchOptions = {},
): Bench {
  const calls: { method: string; url: URL; headers: Headers; body: string }[] = [];
  const traces: CallTrace[] = [];
  const logs: object[] = [];
  const judged = createContractTally(fixtures);
  const sizes = new Map<string, number[]>();
  let tokenCalls = 0;
  const config = systemConfig.parse({
    id: 'vendor',
    connector: definition.id,
    url: `${BASE_URL}${fixtures.basePath ?? ''}`,
    credentials: fixtures.credentials,
    options: { ...fixtures.options, timeoutMs },
  });
  const isTokenCall = tokenCallsOf(definition, definition.settings(config));
  const serve = (request: Request, body: string): Promise<Response> =>
    judged.judge({ request, body, answer: () => fixtures.answer(request) });
  const fetchFunction = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    if (isTokenCall(request)) {
      tokenCalls += 1;
      return await fixtures.answer(request);
    }
    const body = await request.clone().text();
    calls.push({ method: request.method, url: new URL(request.url), headers: request.headers, body });
    const next = (): Promise<Response> => serve(request, body);
    return fault === undefined ? await next() : await fault(request, calls.length, next);
  };
  const log = (facts: object, message: string): void => void logs.push({ ...facts, message });
  const system = connectSystem(watched(definition, sizes), {
    config,
    clock: systemClock,
    logger: { debug: log, info: log, warn: log, error: log },
    trace: (line) => traces.push(line),
    random: () => 0,
    fetch: fetchFunction,
  });
  // A price of 16.99 is in a call that took 116.99 ms.
  const told = (): string => JSON.stringify([traces.map((line) => ({ ...line, elapsedMs: 0 })), logs]);
  return { system, calls, tokenCalls: () => tokenCalls, traces, told, violations: judged.findings, judged, sizes };
}

/** The definition, with the size of every batch written down. */
function watched<S>(definition: ConnectorDefinition<S>, sizes: Map<string, number[]>): ConnectorDefinition<S> {
  const ports = Object.entries(definition.ports).map(([name, port]: [string, object]) => {
    if (!('max' in port)) return [name, port] as const;
    const batch = port as unknown as { request: (keys: readonly unknown[], ...rest: unknown[]) => unknown };
    const request = (keys: readonly unknown[], ...rest: unknown[]): unknown => {
      sizes.set(name, [...(sizes.get(name) ?? []), keys.length]);
      return batch.request(keys, ...rest);
    };
    return [name, { ...port, request }] as const;
  });
  return { ...definition, ports: Object.fromEntries(ports) };
}

/** Calls to get a token. A login may go where everything goes: it is the call without a key. */
function tokenCallsOf<S>({ auth }: ConnectorDefinition<S>, settings: S): (request: Request) => boolean {
  if (auth.kind === 'headers') return () => false;
  const endpoint = auth.endpoint(settings);
  if (auth.kind === 'session') return ({ url, headers }) => url === endpoint && !headers.has('authorization');
  const exchange = auth.restricted?.(settings)?.endpoint ?? null;
  return ({ url }) => url === endpoint || url === exchange;
}

type Batch = (keys: readonly unknown[], scope: CallScope) => Promise<readonly unknown[]>;

/** The batch read or write of a connected system by the port's name in the definition. */
export function batchOf(system: ConnectedSystem, port: string): Batch {
  const bound = (system as unknown as Record<string, Record<string, unknown>>)[port] ?? {};
  const read = Object.values(bound).find((value) => typeof value === 'function');
  if (read === undefined) throw new Error(`${port} is not bound`);
  return read as Batch;
}

/** A feed of a connected system by the port's name in the definition. */
export function feedOf(system: ConnectedSystem, port: string): FeedSource<unknown> {
  const feed = (system as unknown as Record<string, FeedSource<unknown> | undefined>)[port];
  if (feed === undefined) throw new Error(`${port} is not bound`);
  return feed;
}

/** A call with `ms` left. */
export function within(ms: number): CallScope {
  return { requestId: 'conform', deadlineAtMs: Date.now() + ms, signal: new AbortController().signal };
}

/** The code of a slot's or a rejection's error; `no error` otherwise. */
export function codeOf(value: unknown): string {
  return value instanceof MortarError ? value.code : value instanceof Error ? `foreign ${value.name}` : 'no error';
}

const PERSONAL = new Set(['givenName', 'familyName', 'email', 'phone', 'birthDate', 'lines', 'number', 'postalCode']);

/** The personal texts in canonical records: what must never be found in traces, logs, errors and cursors. */
export function personalTexts(value: unknown, isPersonal = false): readonly string[] {
  if (typeof value === 'string') return isPersonal && value.length >= 5 ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((entry) => personalTexts(entry, isPersonal));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, entry]) => personalTexts(entry, isPersonal || PERSONAL.has(name)));
}
