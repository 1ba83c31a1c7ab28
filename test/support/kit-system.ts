// A small connector over a scripted upstream, for the tests of the connector kit.
import { z } from 'zod';

import { systemClock } from '#platform/clock.ts';
import { MortarError } from '#platform/errors.ts';
import type { TracedCall, TraceSink } from '#schema/model/trace.ts';
import type { CallScope } from '#schema/model/request.ts';

import type { BudgetStore } from '#connectors/kit/budget.ts';
import type { CallTrace } from '#connectors/kit/caller.ts';
import { connectSystem } from '#connectors/kit/connect-system.ts';
import type { BatchReadDefinition, ConnectorDefinition, StockKey } from '#connectors/kit/definition.ts';
import type { ProfileDraft, StockDraft } from '#connectors/kit/draft.ts';
import { byKey, readRows, rows } from '#connectors/kit/rows.ts';

const row = z.object({ id: z.string(), name: z.string() });
const page = z.object({ rows, next: z.string().optional() });
type Page = z.infer<typeof page>;

function profile(id: string, name: string): ProfileDraft {
  return {
    externalId: id,
    kind: 'PROFILE',
    givenName: name,
    familyName: null,
    email: null,
    emailVerified: false,
    phone: null,
    addresses: [],
    birthDate: null,
    preferences: null,
    loyaltyNumber: null,
    country: null,
    isTest: false,
    doNotLink: false,
    createdAt: null,
    stamp: { asOf: '2026-01-01T00:00:00.000Z', reference: id, sequence: '7' },
  };
}

const profiles: BatchReadDefinition<string, ProfileDraft, null, Page> = {
  max: 3,
  keyOf: (id) => id,
  request: (ids) => ({ operation: 'readPeople', method: 'POST', path: '/people', json: { ids } }),
  page,
  more: (body, previous) =>
    body.next === undefined
      ? null
      : { request: { ...previous, json: { ...(previous.json as object), cursor: body.next } } },
  decode: (bodies) =>
    byKey(
      readRows(
        row,
        bodies.flatMap((body) => body.rows),
        ({ id, name }) => profile(id, name),
      ),
      (draft) => draft.externalId,
    ),
  absent: null,
  freshnessMs: null,
};

const stock: BatchReadDefinition<StockKey, readonly StockDraft[], null, Page> = {
  max: 10,
  keyOf: ({ externalId }) => externalId,
  request: () => ({ operation: 'readStock', method: 'GET', path: '/stock' }),
  page,
  decode: (_bodies, keys) => ({
    rejected: 0,
    values: new Map(
      keys.map(({ sku, externalId }) => [
        externalId,
        [
          {
            externalId,
            code: sku,
            locationExternalId: 'W1',
            onHand: 4,
            committed: 1,
            incoming: null,
            nets: [],
            stamp: { asOf: '2026-01-01T00:00:00.000Z', reference: null, sequence: null },
          },
        ],
      ]),
    ),
  }),
  absent: [],
  freshnessMs: 60_000,
};

/** Batch reads of people (3 keys a call) and of stock, two calls at once. */
export const definition: ConnectorDefinition<null> = {
  id: 'test-system',
  vendor: 'Test',
  apiVersion: '1',
  settings: () => null,
  auth: { kind: 'headers', headers: () => ({ authorization: 'Bearer fixed' }) },
  limits: { concurrency: 2, pauseMs: 1_000 },
  capabilities: ['profiles:read'],
  ports: { profiles, stock },
};

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

interface Setup {
  readonly definition?: Partial<ConnectorDefinition<null>>;
  readonly options?: Readonly<Record<string, number>>;
  /** @default crm */
  readonly id?: string;
  readonly budgets?: BudgetStore;
}

/** The connected system over the upstream at `url`, its reads, and the traces it wrote. */
export function connect(url: string, setup: Setup = {}) {
  const traces: CallTrace[] = [];
  const system = connectSystem(
    { ...definition, ...setup.definition },
    {
      config: { id: setup.id ?? 'crm', connector: 'test-system', url, credentials: {}, options: setup.options ?? {} },
      clock: systemClock,
      logger: silent,
      trace: (line) => traces.push(line),
      random: () => 0,
      ...(setup.budgets && { budgets: setup.budgets }),
    },
  );
  const read = system.profiles?.profilesById;
  const stockRead = system.stock?.stockByItem;
  if (read === undefined || stockRead === undefined) throw new Error('ports are bound');
  return { system, read, stockRead, traces, [Symbol.asyncDispose]: system.close };
}

/** A call with `ms` left. */
export function scope(ms = 5_000, signal: AbortSignal = new AbortController().signal): CallScope {
  return { requestId: 'request-1', deadlineAtMs: Date.now() + ms, signal };
}

/** A trace that keeps the calls it is told. */
export function collectCalls(): { readonly calls: readonly TracedCall[]; readonly trace: TraceSink } {
  const calls: TracedCall[] = [];
  const ignore = (): void => {};
  const trace = {
    fetch: ignore,
    cache: ignore,
    decide: ignore,
    deny: ignore,
    omit: ignore,
    call: (call: TracedCall) => void calls.push(call),
  };
  return { calls, trace };
}

/** Answers every id asked for, except those that begin with `gone`. */
export function echo(body: string): { rows: { id: string; name: string }[] } {
  const { ids } = z.object({ ids: z.array(z.string()) }).parse(JSON.parse(body));
  return { rows: ids.filter((id) => !id.startsWith('gone')).map((id) => ({ id, name: `Person ${id}` })) };
}

/** The error's code. */
export function codeOf(slot: unknown): string {
  return slot instanceof MortarError ? slot.code : `no error: ${JSON.stringify(slot)}`;
}
