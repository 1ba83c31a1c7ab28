import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { systemClock } from '#platform/clock.ts';
import { MortarError } from '#platform/errors.ts';
import { toSku } from '#schema/model/ids.ts';
import type { CallScope } from '#schema/model/request.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

import type { CallTrace } from './caller.ts';
import { connectSystem } from './connect-system.ts';
import type { BatchReadDefinition, ConnectorDefinition, StockKey } from './definition.ts';
import type { ProfileDraft, StockDraft } from './draft.ts';
import { byKey, readRows, rows } from './rows.ts';

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

const definition: ConnectorDefinition<null> = {
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
}

function connect(url: string, setup: Setup = {}) {
  const traces: CallTrace[] = [];
  const system = connectSystem(
    { ...definition, ...setup.definition },
    {
      config: { id: 'crm', connector: 'test-system', url, credentials: {}, options: setup.options ?? {} },
      clock: systemClock,
      logger: silent,
      trace: (line) => traces.push(line),
      random: () => 0,
    },
  );
  const read = system.profiles?.profilesById;
  const stockRead = system.stock?.stockByItem;
  if (read === undefined || stockRead === undefined) throw new Error('ports are bound');
  return { system, read, stockRead, traces, [Symbol.asyncDispose]: system.close };
}

function scope(ms = 5_000, signal: AbortSignal = new AbortController().signal): CallScope {
  return { requestId: 'request-1', deadlineAtMs: Date.now() + ms, signal };
}

function echo(body: string): { rows: { id: string; name: string }[] } {
  const { ids } = z.object({ ids: z.array(z.string()) }).parse(JSON.parse(body));
  return { rows: ids.filter((id) => !id.startsWith('gone')).map((id) => ({ id, name: `Person ${id}` })) };
}

function codeOf(slot: unknown): string {
  return slot instanceof MortarError ? slot.code : `no error: ${String(slot)}`;
}

describe('batch reads', () => {
  it('asks each key once, in chunks of the limit, and answers in key order with null for unknown keys', async () => {
    await using upstream = await startUpstream(({ body }, response) => sendJson(response, echo(body)));
    await using crm = connect(upstream.url);
    const slots = await crm.read(['1', '2', 'gone', '4', '1', '5'], scope());
    expect(slots.map((slot) => (slot instanceof Error ? slot.message : (slot?.givenName ?? null)))).toEqual([
      'Person 1',
      'Person 2',
      null,
      'Person 4',
      'Person 1',
      'Person 5',
    ]);
    expect(upstream.seen.map(({ body }) => JSON.parse(body).ids)).toEqual([
      ['1', '2', 'gone'],
      ['4', '5'],
    ]);
  });

  it('answers null for keys no system can know, without sending them', async () => {
    await using upstream = await startUpstream(({ body }, response) => sendJson(response, echo(body)));
    await using crm = connect(upstream.url);
    const hostile = ['', 'a\u0000b', 'a\r\nHost: evil', 'x'.repeat(256), '\ud800'];
    expect(await crm.read(hostile, scope())).toEqual([null, null, null, null, null]);
    expect(upstream.seen).toEqual([]);
  });

  it('follows cursors inside a batch and refuses an endless one', async () => {
    await using upstream = await startUpstream(({ body }, response) => {
      const { cursor, ids } = JSON.parse(body) as { cursor?: string; ids: string[] };
      if (ids[0] === 'loop') return sendJson(response, { rows: [], next: 'again' });
      if (cursor === undefined) return sendJson(response, { rows: [{ id: '1', name: 'A' }], next: 'page2' });
      return sendJson(response, { rows: [{ id: '2', name: 'B' }] });
    });
    await using crm = connect(upstream.url);
    const [first, second] = await crm.read(['1', '2'], scope());
    expect([first, second]).toMatchObject([{ givenName: 'A' }, { givenName: 'B' }]);
    expect(codeOf((await crm.read(['loop'], scope()))[0])).toBe('UPSTREAM_CONTRACT');
    expect(upstream.seen.length).toBe(52);
  });

  it('fills where and when a value was read, and calls it stale by the declared freshness', async () => {
    await using upstream = await startUpstream((_request, response) => sendJson(response, { rows: [] }));
    await using crm = connect(upstream.url);
    const [readings] = await crm.stockRead([{ sku: toSku('A'), externalId: 'i1' }], scope());
    if (readings instanceof Error || readings === null || readings === undefined) throw new Error('read');
    expect(readings[0]).toMatchObject({
      system: 'crm',
      provenance: {
        asOf: '2026-01-01T00:00:00.000Z',
        lane: 'REALTIME',
        stale: true,
        source: { system: 'crm', connector: 'test-system' },
      },
    });
  });

  it('fails the keys of unreadable rows and of none other that was answered', async () => {
    await using upstream = await startUpstream((_request, response) =>
      sendJson(response, {
        rows: [
          { id: '1', name: 'A' },
          { id: '2', name: 5 },
        ],
      }),
    );
    await using crm = connect(upstream.url);
    const [good, bad] = await crm.read(['1', '2'], scope());
    expect(good).toMatchObject({ givenName: 'A' });
    expect(codeOf(bad)).toBe('UPSTREAM_CONTRACT');
  });
});

describe('failures', () => {
  it('ends a call that gets no answer at its timeout', async () => {
    await using upstream = await startUpstream(() => {});
    await using crm = connect(upstream.url, { options: { timeoutMs: 60 } });
    const [slot] = await crm.read(['1'], scope(70));
    expect(codeOf(slot)).toBe('UPSTREAM_TIMEOUT');
    expect(slot).toMatchObject({ system: 'crm', attempts: 1 });
  });

  it('ends a call whose body stalls', async () => {
    await using upstream = await startUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"rows":');
    });
    await using crm = connect(upstream.url, { options: { timeoutMs: 60 } });
    expect(codeOf((await crm.read(['1'], scope(70)))[0])).toBe('UPSTREAM_TIMEOUT');
  });

  it('stops at once when the caller leaves', async () => {
    const controller = new AbortController();
    await using upstream = await startUpstream(() => controller.abort());
    await using crm = connect(upstream.url);
    const [slot] = await crm.read(['1'], scope(60_000, controller.signal));
    expect(codeOf(slot)).toBe('UPSTREAM_TIMEOUT');
    expect(crm.system.health()).toEqual({ state: 'UP', lastErrorCode: null });
  });

  it('tries a reset connection once more and succeeds', async () => {
    await using upstream = await startUpstream(({ body }, response, count) => {
      if (count === 1) response.destroy();
      else sendJson(response, echo(body));
    });
    await using crm = connect(upstream.url);
    expect((await crm.read(['1'], scope()))[0]).toMatchObject({ givenName: 'Person 1' });
    expect(crm.traces.map(({ attempt, status, errorCode }) => ({ attempt, status, errorCode }))).toEqual([
      { attempt: 1, status: 0, errorCode: 'UPSTREAM_UNAVAILABLE' },
      { attempt: 2, status: 200, errorCode: null },
    ]);
  });

  it('asks a failing system twice and no more', async () => {
    await using upstream = await startUpstream((_request, response) => sendJson(response, { message: 'down' }, 503));
    await using crm = connect(upstream.url);
    const [slot] = await crm.read(['1'], scope());
    expect(codeOf(slot)).toBe('UPSTREAM_UNAVAILABLE');
    expect(upstream.seen.length).toBe(2);
  });

  it.each([
    ['HTML', '<html>secret-value</html>'],
    ['broken JSON', '{"rows": [{"id": "secret-value"'],
    ['an empty body', ''],
    ['a wrong type', '{"rows": "secret-value"}'],
    ['null', 'null'],
  ])('answers UPSTREAM_CONTRACT to %s and repeats none of it', async (_name, text) => {
    await using upstream = await startUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    });
    await using crm = connect(upstream.url);
    const [slot] = await crm.read(['secret-key'], scope());
    expect(codeOf(slot)).toBe('UPSTREAM_CONTRACT');
    expect(`${String(slot)} ${JSON.stringify(crm.traces)}`).not.toMatch(/secret/);
    expect(upstream.seen.length).toBe(1);
  });

  it('refuses an answer of 9 MiB, declared or streamed', async () => {
    const megabyte = ' '.repeat(1024 * 1024);
    await using upstream = await startUpstream((_request, response, count) => {
      response.writeHead(200, count === 1 ? { 'content-length': 9 * 1024 * 1024 } : {});
      for (let index = 0; index < 9; index += 1) response.write(megabyte);
      response.end();
    });
    await using crm = connect(upstream.url);
    expect(codeOf((await crm.read(['1'], scope()))[0])).toBe('UPSTREAM_CONTRACT');
    expect(codeOf((await crm.read(['2'], scope()))[0])).toBe('UPSTREAM_CONTRACT');
  });

  it('follows no redirect', async () => {
    await using elsewhere = await startUpstream((_request, response) => sendJson(response, { rows: [] }));
    await using upstream = await startUpstream((_request, response) => {
      response.writeHead(307, { location: elsewhere.url }).end();
    });
    await using crm = connect(upstream.url);
    expect(codeOf((await crm.read(['1'], scope()))[0])).toBe('UPSTREAM_CONTRACT');
    expect(elsewhere.seen).toEqual([]);
  });

  it('rests a system after five failures in a row and says that it is down', async () => {
    await using upstream = await startUpstream((_request, response) => void response.destroy());
    await using crm = connect(upstream.url);
    for (const key of ['1', '2', '3', '4', '5', '6', '7']) {
      expect(codeOf((await crm.read([key], scope()))[0])).toBe('UPSTREAM_UNAVAILABLE');
    }
    expect(upstream.seen.length).toBe(5);
    expect(crm.system.health()).toEqual({ state: 'DOWN', lastErrorCode: 'UPSTREAM_UNAVAILABLE' });
  });
});

describe('limits', () => {
  it('waits out a 429 that fits the deadline', async () => {
    await using upstream = await startUpstream(({ body }, response, count) => {
      if (count === 1) sendJson(response, {}, 429, { 'retry-after': '0.02' });
      else sendJson(response, echo(body));
    });
    await using crm = connect(upstream.url);
    expect((await crm.read(['1'], scope()))[0]).toMatchObject({ givenName: 'Person 1' });
    expect(upstream.seen.length).toBe(2);
  });

  it('fails fast on a 429 that does not fit, and keeps everyone away meanwhile', async () => {
    await using upstream = await startUpstream((_request, response) =>
      sendJson(response, {}, 429, { 'retry-after': '30' }),
    );
    await using crm = connect(upstream.url);
    const [slot] = await crm.read(['1'], scope(1_000));
    expect(codeOf(slot)).toBe('UPSTREAM_RATE_LIMITED');
    expect(slot).toMatchObject({ retryAfterMs: 30_000 });
    expect(codeOf((await crm.read(['2'], scope(1_000)))[0])).toBe('UPSTREAM_RATE_LIMITED');
    expect(upstream.seen.length).toBe(1);
  });

  it('keeps to the concurrency of the connector', async () => {
    await using upstream = await startUpstream(({ body }, response) => {
      setTimeout(() => sendJson(response, echo(body)), 5);
    });
    await using crm = connect(upstream.url);
    const keys = Array.from({ length: 24 }, (_, index) => String(index));
    const slots = await crm.read(keys, scope());
    expect(slots.every((slot) => slot !== null && !(slot instanceof Error))).toBe(true);
    expect(upstream.mostAtOnce()).toBe(2);
  });
});

describe('tokens', () => {
  const tokenAuth = (url: string): ConnectorDefinition<null>['auth'] => ({
    kind: 'token',
    endpoint: () => `${url}/token`,
    form: () => ({ grant_type: 'client_credentials', client_secret: 'a&b' }),
    headers: (token) => ({ authorization: `Bearer ${token}` }),
  });

  it('gets one token for calls at once, and one new token when the system refuses it', async () => {
    let issued = 0;
    let good = 'token-1';
    await using upstream = await startUpstream(({ url, body, headers }, response) => {
      if (url === '/token') {
        issued += 1;
        return sendJson(response, { access_token: `token-${issued}`, expires_in: 3600 });
      }
      if (headers.authorization !== `Bearer ${good}`) return sendJson(response, {}, 401);
      return sendJson(response, echo(body));
    });
    await using crm = connect(upstream.url, { definition: { auth: tokenAuth(upstream.url) } });
    await crm.read(['1', '2', '3', '4', '5', '6'], scope());
    expect(issued).toBe(1);
    expect(upstream.seen[0]).toMatchObject({ body: 'grant_type=client_credentials&client_secret=a%26b' });
    good = 'token-2';
    expect((await crm.read(['1'], scope()))[0]).toMatchObject({ givenName: 'Person 1' });
    expect(issued).toBe(2);
  });

  it('gives up when a new token is refused too', async () => {
    let issued = 0;
    await using upstream = await startUpstream(({ url }, response) => {
      if (url !== '/token') return sendJson(response, {}, 401);
      issued += 1;
      return sendJson(response, { access_token: 'token', expires_in: 3600 });
    });
    await using crm = connect(upstream.url, { definition: { auth: tokenAuth(upstream.url) } });
    expect(codeOf((await crm.read(['1'], scope()))[0])).toBe('UPSTREAM_UNAVAILABLE');
    expect(issued).toBe(2);
    expect(upstream.seen.length).toBe(4);
  });
});
