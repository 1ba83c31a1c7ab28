import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

import type { CallCounts } from '#sandbox/calls.ts';
import type { EventInput } from '#sandbox/control-events.ts';
import type { FaultInput } from '#sandbox/faults.ts';
import type { WorldTruth } from '#sandbox/world-truth.ts';
import type { MortarProcess } from './mortar-process.ts';

export interface ProductUrls {
  readonly base: string;
  readonly graph: string;
  readonly graphiql: string;
  readonly metrics: string;
  readonly issuer: string;
  /** Without a path: what takes webhooks. */
  readonly webhooks: string;
  /** Empty without the sandbox. */
  readonly control: string;
  /** Address of each connected system. */
  readonly systems: Readonly<Record<string, string>>;
}

export interface AskOptions {
  readonly token?: string | null;
  readonly purpose?: string;
  readonly medium?: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly operationName?: string;
}

const answerError = z.looseObject({
  message: z.string(),
  path: z.array(z.union([z.string(), z.number()])).optional(),
  extensions: z.looseObject({ code: z.string(), occurrences: z.number().optional(), service: z.string().optional() }),
});
export type AnswerError = z.infer<typeof answerError>;
const refusal = z.looseObject({
  coordinate: z.string(),
  purpose: z.string(),
  reason: z.string(),
  count: z.number().optional(),
});
const degradedSource = z.looseObject({
  system: z.string(),
  stale: z.boolean(),
  degraded: z.boolean(),
  paths: z.array(z.unknown()),
});
const answerBody = z.looseObject({
  // Tests read answers of their own documents: they know the shape.
  data: z.any().optional(),
  errors: z.array(answerError).optional(),
  extensions: z
    .looseObject({
      requestId: z.string().optional(),
      consent: z.array(refusal).optional(),
      provenance: z.array(degradedSource).optional(),
    })
    .optional(),
});

/** One answer of the graph over HTTP. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- the shape is that of the test's own document
  readonly data: any;
  readonly errors: readonly AnswerError[];
  readonly consent: readonly z.infer<typeof refusal>[];
  readonly provenance: readonly z.infer<typeof degradedSource>[];
  readonly elapsedMs: number;
}

export interface ProductOptions {
  /** @default 'small' */
  readonly scale?: 'small' | 'medium' | 'large';
  /** @default 1 */
  readonly seed?: number;
  /** Added to the environment of the process; undefined removes a variable. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Further flags of `mortar serve`. */
  readonly arguments?: readonly string[];
  readonly nodeArguments?: readonly string[];
  /** A command that runs the process in its own place, for example a tracer with its flags. */
  readonly wrapper?: readonly string[];
  /** Address of a control port that is not of the product's own sandbox. */
  readonly control?: string;
  /** Kept afterwards; without it the product gets a folder of its own that goes away with it. */
  readonly home?: string;
  /** Null: does not wait for /readyz. @default 60_000 */
  readonly readyWithinMs?: number | null;
}

/** One running product, whatever its processes. */
export interface Product extends AsyncDisposable {
  readonly process: MortarProcess;
  readonly home: string;
  readonly urls: ProductUrls;
  /** Milliseconds from the start command to the first 200 of /readyz; NaN when it was not waited for. */
  readonly readyMs: number;
  /** A token of a development client, straight from the issuer; kept for the product's life. */
  readonly token: (
    client: string,
    binding?: { readonly customer?: string; readonly store?: string; readonly scope?: string },
  ) => Promise<string>;
  readonly ask: (query: string, options?: AskOptions) => Promise<Answer>;
  readonly world: () => Promise<WorldTruth>;
  /** Requests per system and operation since the start or the last reset. */
  readonly calls: () => Promise<CallCounts>;
  readonly fault: (input: FaultInput) => Promise<void>;
  readonly event: (input: EventInput) => Promise<void>;
  /** Clears faults and counts, and rebuilds the world as it was. */
  readonly reset: () => Promise<void>;
  /** Resident memory of the gateway process alone. */
  readonly rssBytes: () => number;
  /** The value of a counter or gauge summed over its labels that match; 0 when it has none. */
  readonly metric: (name: string, labels?: Readonly<Record<string, string>>) => Promise<number>;
  /** Asks it to stop as Ctrl-C does and waits; the exit code. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

const GRANT = 'urn:mortar:params:oauth:grant-type:development';

/** What a client of a running product does: asks the graph, the issuer and the sandbox's control port. */
export function createProductClient(urls: ProductUrls, metrics: readonly string[] = [urls.metrics]) {
  const tokens = new Map<string, Promise<string>>();
  const control = async (path: string, body?: unknown): Promise<unknown> => {
    const init =
      body === undefined
        ? {}
        : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await fetch(`${urls.control}${path}`, init);
    if (!response.ok)
      throw new Error(`the control port answered ${response.status} to ${path}: ${await response.text()}`);
    return response.json();
  };
  return {
    token: (client: string, binding: { customer?: string; store?: string; scope?: string } = {}) => {
      const key = JSON.stringify([client, binding]);
      const token = tokens.get(key) ?? requestToken(urls.issuer, { client, ...binding });
      tokens.set(key, token);
      return token;
    },
    ask: async (query: string, asked: AskOptions = {}) => askGraph(urls.graph, query, asked),
    // The control port is our own sandbox: its answers are of the types it exports.
    world: async () => (await control('/world')) as WorldTruth,
    calls: async () => (await control('/calls')) as CallCounts,
    fault: async (input: FaultInput) => void (await control('/faults', input)),
    event: async (input: EventInput) => void (await control('/events', input)),
    reset: async () => void (await control('/reset', {})),
    metric: async (name: string, labels: Readonly<Record<string, string>> = {}) =>
      (await Promise.all(metrics.map(async (url) => readMetric(url, name, labels)))).reduce(
        (sum, value) => sum + value,
      ),
  };
}

/** Sends one document over HTTP and reads the answer strictly. */
async function askGraph(url: string, query: string, asked: AskOptions = {}): Promise<Answer> {
  const headers: Record<string, string> = { 'content-type': 'application/json', ...asked.headers };
  if (typeof asked.token === 'string') headers['authorization'] = `Bearer ${asked.token}`;
  if (asked.purpose !== undefined) headers['mortar-purpose'] = asked.purpose;
  if (asked.medium !== undefined) headers['mortar-medium'] = asked.medium;
  const startedAt = performance.now();
  const { variables, operationName } = asked;
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query, variables, operationName }),
  });
  const text = await response.text();
  const elapsedMs = performance.now() - startedAt;
  const body = answerBody.parse(JSON.parse(text));
  return {
    status: response.status,
    headers: response.headers,
    text,
    data: body.data ?? null,
    errors: body.errors ?? [],
    consent: body.extensions?.consent ?? [],
    provenance: body.extensions?.provenance ?? [],
    elapsedMs,
  };
}

async function requestToken(
  issuer: string,
  { client, customer, store, scope }: { client: string; customer?: string; store?: string; scope?: string },
): Promise<string> {
  const form = new URLSearchParams({ grant_type: GRANT, client_id: client });
  if (customer !== undefined) form.set('customer_id', customer);
  if (store !== undefined) form.set('store_id', store);
  if (scope !== undefined) form.set('scope', scope);
  const response = await fetch(`${issuer}/token`, { method: 'POST', body: form });
  const body = z.object({ access_token: z.string() }).safeParse(await response.json());
  if (!body.success) throw new Error(`the issuer gave no token for ${client} (${response.status})`);
  return body.data.access_token;
}

export async function readMetric(url: string, name: string, labels: Readonly<Record<string, string>>): Promise<number> {
  const text = await (await fetch(url)).text();
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((pair) => line.includes(pair)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

const READY_POLL_MS = 15;

/** Waits until /readyz is 200. @throws {Error} with what it waits for, and with the output */
export async function waitForReady(
  run: { readonly output: () => string; readonly child: { readonly exitCode: number | null } },
  base: string,
  withinMs: number,
): Promise<void> {
  const until = Date.now() + withinMs;
  let last = 'no answer';
  while (Date.now() < until && run.child.exitCode === null) {
    try {
      const response = await fetch(`${base}/readyz`);
      if (response.status === 200) return;
      last = await response.text();
    } catch (error) {
      last = String(error);
    }
    await sleep(READY_POLL_MS);
  }
  throw new Error(`the product was not ready within ${withinMs} ms: ${last}\n${run.output()}`);
}
