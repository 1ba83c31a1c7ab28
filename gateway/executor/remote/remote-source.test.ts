import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

import { createRemoteSources, type RemoteSourcesDeps, type RemoteSubgraph } from './remote-source.ts';
import { systemClock } from '#platform/clock.ts';
import type { ContextFacts } from '#platform/context-token.ts';
import { FAULTS, LEAK } from '#test/support/federation/faults.ts';
import {
  type HttpSubgraph,
  sendJson,
  serveSubgraph,
  type SubgraphCall,
} from '#test/support/federation/http-subgraph.ts';
import { answered, createScriptedEngine } from '#test/support/federation/scripted-engine.ts';
import { aRequestOf } from '#test/support/requests.ts';

const PEOPLE = 'type Query { people: [Person] } type Person @key(fields: "id") { id: ID! name: String }';
const SHOP = `
type Query { item: String }
type Mutation { buy: Int }
type Person @key(fields: "id") { id: ID! points: Int size: Int! }
`;
const people = ['1', '2'].map((id) => ({ __typename: 'Person', id, name: `name-${id}` }));
const pointsOf = ({ variables }: SubgraphCall) =>
  (variables['representations'] as { readonly id: string }[]).map(({ id }) => ({ points: Number(id) * 10 }));
const points = (call: SubgraphCall): void => sendJson(call, { data: { _entities: pointsOf(call) } });

/** People in this process, the shop behind HTTP. */
async function mixed(shop: HttpSubgraph | string, more: Partial<RemoteSourcesDeps & RemoteSubgraph> = {}) {
  const { fetchMs = 2_000, trust = 'none', ...deps } = more;
  const logs: object[] = [];
  const remote = createRemoteSources({
    clock: systemClock,
    logger: { warn: (fields) => void logs.push(fields) },
    subgraphs: [{ name: 'shop', url: typeof shop === 'string' ? shop : shop.url, trust, fetchMs }],
    sign: null,
    ...deps,
  });
  const engine = await createScriptedEngine(
    { people: { sdl: PEOPLE, answer: () => answered({ people }) }, shop: { sdl: SHOP } },
    { findRemote: remote.find },
  );
  return { ...engine, remote, logs, [Symbol.asyncDispose]: remote.close };
}

describe('a remote subgraph', () => {
  it('that no graph names any more answers what runs; then its connections are closed', async () => {
    const asked = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    await using shop = await serveSubgraph(async (call) => {
      asked.resolve();
      await released.promise;
      points(call);
    });
    await using graph = await mixed(shop);
    const running = graph.ask('{ people { points } }');
    await asked.promise;
    graph.remote.retain([]);
    released.resolve();
    expect((await running).errors).toEqual([]);
    // A request that began before may still need it.
    expect((await graph.ask('{ people { points } }')).errors).toEqual([]);
    expect(shop.connections()).toBe(2);
  });

  it('that no graph names any more is broken off when all are closed', async () => {
    const asked = Promise.withResolvers<void>();
    await using shop = await serveSubgraph(() => {
      asked.resolve();
      return new Promise(() => undefined);
    });
    await using graph = await mixed(shop);
    const running = graph.ask('{ people { points } }');
    await asked.promise;
    graph.remote.retain([]);
    await graph.remote.close();
    // A rejection that nobody handles would fail the run.
    expect((await running).errors).toHaveLength(2);
  });

  it('answers beside one of this process, over kept connections', async () => {
    await using shop = await serveSubgraph(points);
    await using graph = await mixed(shop);
    for (let turn = 0; turn < 5; turn += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      expect(await graph.ask('{ people { id points } }')).toMatchObject({
        data: {
          people: [
            { id: '1', points: 10 },
            { id: '2', points: 20 },
          ],
        },
        errors: [],
      });
    }
    // The pool may open a second one while the first finishes.
    expect(shop.connections()).toBeLessThan(3);
    expect(shop.calls[0]?.headers).toMatchObject({ 'x-request-id': 'request-1', 'accept-encoding': 'gzip, br' });
    expect(shop.calls[0]?.headers['mortar-context']).toBeUndefined();
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ] as const)('may answer in %s', async (encoding, compress) => {
    await using shop = await serveSubgraph((call) => {
      const body = compress(JSON.stringify({ data: { _entities: pointsOf(call) } }));
      const headers = { 'content-type': 'application/graphql-response+json', 'content-encoding': encoding };
      call.response.writeHead(200, headers).end(body);
    });
    await using graph = await mixed(shop);
    expect(await graph.ask('{ people { points } }')).toMatchObject({
      data: { people: [{ points: 10 }, { points: 20 }] },
    });
  });

  it('may answer 8 MiB, and not a byte more', async () => {
    let over = 0;
    await using shop = await serveSubgraph((call) => {
      const body = JSON.stringify({ data: { _entities: pointsOf(call) } });
      // Spaces around JSON mean nothing.
      const text = body.padEnd(8 * 1024 * 1024 + over, ' ');
      call.response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    });
    await using graph = await mixed(shop);
    expect((await graph.ask('{ people { points } }')).errors).toEqual([]);
    over = 1;
    expect((await graph.ask('{ people { points } }')).errors).toHaveLength(2);
    expect(graph.logs).toMatchObject([{ reason: 'the answer is larger than 8388608 bytes' }]);
  });

  it('is asked a second time when a kept connection breaks before it answers, and once only', async () => {
    let breaking = 1;
    await using shop = await serveSubgraph((call) => {
      if (call.query.includes('points') && breaking-- > 0) call.socket.destroy();
      else points(call);
    });
    await using graph = await mixed(shop);
    expect(await graph.ask('{ people { points } }')).toMatchObject({ errors: [] });
    expect(shop.calls).toHaveLength(2);
    breaking = 9;
    expect((await graph.ask('{ people { points } }')).errors).toHaveLength(2);
    expect(shop.calls).toHaveLength(4);
  });

  it('is never asked a second time for a change', async () => {
    await using shop = await serveSubgraph(({ socket }) => void socket.destroy());
    await using graph = await mixed(shop);
    expect((await graph.ask('mutation { buy }')).errors).toEqual(['buy SUBGRAPH_UNAVAILABLE shop']);
    expect(shop.calls).toHaveLength(1);
  });

  it.each(['none', 'token'] as const)(
    'keeps of what it tells the codes that are its to tell, at client paths (trust: %s)',
    async (trust) => {
      await using shop = await serveSubgraph((call) => {
        const codes = ['BAD_USER_INPUT', 'NO_POINTS', 'UNAUTHENTICATED'];
        const errors = codes.map((code, row) => ({
          message: LEAK,
          path: ['_entities', row % 2, 'points'],
          extensions: { code, system: LEAK, stack: { a: 1 } },
        }));
        sendJson(call, { data: { _entities: [{ points: null }, { points: null }] }, errors });
      });
      await using graph = await mixed(shop, { trust });
      expect((await graph.ask('{ people { points } }')).errors).toEqual([
        'people.0.points BAD_USER_INPUT shop',
        'people.0.points INTERNAL_SERVER_ERROR shop',
        'people.1.points INTERNAL_SERVER_ERROR shop',
      ]);
    },
  );

  it('may refuse a request in the words of GraphQL over HTTP, and tell more in extensions to whoever asks', async () => {
    await using shop = await serveSubgraph(({ response }) => {
      const body = { errors: [{ message: 'no', extensions: { code: 'BAD_USER_INPUT' } }], extensions: { cost: 7 } };
      response.writeHead(400, { 'content-type': 'application/graphql-response+json' }).end(JSON.stringify(body));
    });
    await using graph = await mixed(shop);
    expect(await graph.ask('{ item }')).toMatchObject({
      errors: ['item BAD_USER_INPUT shop'],
      extensions: [['shop', { cost: 7 }]],
    });
  });

  it.each(FAULTS)('costs its own fields alone when it goes wrong: $name', async ({ answer, codes }) => {
    await using shop = await serveSubgraph((call) => answer(call, pointsOf(call)));
    await using graph = await mixed(shop, { fetchMs: 500 });
    const { data, errors } = await graph.ask('{ people { id name points } }');
    expect(data).toEqual({
      people: [
        { id: '1', name: 'name-1', points: null },
        { id: '2', name: 'name-2', points: null },
      ],
    });
    const [told] = codes ?? ['SUBGRAPH_UNAVAILABLE'];
    expect(errors).toEqual([`people.0.points ${told} shop`, `people.1.points ${told} shop`]);
    const port = new URL(shop.url).port;
    for (const secret of [LEAK, 'html', port]) expect(JSON.stringify([data, errors, graph.logs])).not.toContain(secret);
  });

  it.each(FAULTS.filter(({ ofEntities }) => ofEntities !== true))(
    'costs its own root field alone when it goes wrong: $name',
    async ({ answer, codes }) => {
      await using shop = await serveSubgraph((call) => answer(call, []));
      await using graph = await mixed(shop, { fetchMs: 500 });
      const { data, errors } = await graph.ask('{ people { id } item }');
      expect(data).toEqual({ people: [{ id: '1' }, { id: '2' }], item: null });
      expect(errors).toEqual([`item ${codes?.[0] ?? 'SUBGRAPH_UNAVAILABLE'} shop`]);
      expect(JSON.stringify([data, errors, graph.logs])).not.toContain(LEAK);
    },
  );

  it('costs its own fields alone when nobody listens', async () => {
    const shop = await serveSubgraph(points);
    await shop[Symbol.asyncDispose]();
    await using graph = await mixed(shop);
    expect((await graph.ask('{ people { name points } }')).errors).toHaveLength(2);
    expect(graph.logs).toEqual([{ subgraph: 'shop', requestId: 'request-1', reason: 'the connection failed' }]);
  });

  it('sees its connection closed when the client leaves', async () => {
    const asked = Promise.withResolvers<SubgraphCall>();
    await using shop = await serveSubgraph(asked.resolve);
    await using graph = await mixed(shop);
    const client = new AbortController();
    const answer = graph.ask('{ people { points } }', { request: aRequestOf({ signal: client.signal }) });
    const call = await asked.promise;
    const closed = new Promise((resolve) => {
      call.response.once('close', resolve);
    });
    client.abort();
    await closed;
    expect((await answer).errors[0]).toContain('DEADLINE_EXCEEDED');
    expect(graph.logs).toEqual([]);
  });
});

describe('a remote subgraph of ours', () => {
  const refusal = { coordinate: 'Person.points', purpose: null, reason: 'CONSENT_REQUIRED', rowKey: 'row' };
  const source = { system: 'pos', lane: 'REALTIME', asOf: null, stale: true, degraded: true };
  const told = (call: SubgraphCall): void => {
    const refusals = [{ ...refusal, path: ['_entities', 1, 'points'] }];
    const degraded = [{ ...source, path: ['_entities', 0, 'points'] }];
    sendJson(call, { data: { _entities: pointsOf(call) }, extensions: { mortar: { refusals, degraded } } });
  };

  it('gets the signed context with the time it has, and is believed what it refused and where it fell back', async () => {
    const signed: ContextFacts[] = [];
    await using shop = await serveSubgraph(told);
    const sign = (facts: ContextFacts, { subgraph }: { readonly subgraph: string }) => {
      signed.push(facts);
      return `signed-for-${subgraph}`;
    };
    await using graph = await mixed(shop, { trust: 'context', sign, fetchMs: 1_000 });
    const { consent, provenance } = await graph.ask('{ people { points } }');
    expect(shop.calls[0]?.headers['mortar-context']).toBe('signed-for-shop');
    expect(signed[0]).toMatchObject({ requestId: 'request-1', purpose: 'ORDER_FULFILLMENT' });
    expect(signed[0]?.timeLeftMs).toBeGreaterThan(0);
    expect(signed[0]?.timeLeftMs).toBeLessThanOrEqual(1_000);
    expect(consent).toMatchObject([{ coordinate: 'Person.points', reason: 'CONSENT_REQUIRED', count: 1 }]);
    expect(provenance).toMatchObject([{ system: 'pos', paths: [['people', 0, 'points']] }]);
  });

  it('is handed the caller’s own token instead when that is what it trusts', async () => {
    await using shop = await serveSubgraph(told);
    await using graph = await mixed(shop, { trust: 'token' });
    const asked = { request: aRequestOf({ medium: 'EMAIL' }), authorization: 'Bearer mine' };
    expect(await graph.ask('{ people { points } }', asked)).toMatchObject({ consent: [] });
    expect(shop.calls[0]?.headers).toMatchObject({
      authorization: 'Bearer mine',
      'mortar-purpose': 'ORDER_FULFILLMENT',
      'mortar-medium': 'EMAIL',
    });
  });

  it('is not believed when it is somebody else’s', async () => {
    await using shop = await serveSubgraph(told);
    await using graph = await mixed(shop);
    const asked = { authorization: 'Bearer mine' };
    expect(await graph.ask('{ people { points } }', asked)).toMatchObject({ consent: [], provenance: [] });
    expect(JSON.stringify(shop.calls[0]?.headers)).not.toMatch(/Bearer|ORDER_FULFILLMENT/);
  });

  it('is refused whole when its notices do not fit, for what it refused would go untold', async () => {
    await using shop = await serveSubgraph((call) =>
      sendJson(call, { data: { _entities: pointsOf(call) }, extensions: { mortar: { refusals: [{}] } } }),
    );
    await using graph = await mixed(shop, { trust: 'context', sign: () => 'signed' });
    expect((await graph.ask('{ people { points } }')).errors).toHaveLength(2);
  });
});

describe('createRemoteSources', () => {
  it('sends the headers it is given with each fetch, and none in the place of its own', async () => {
    await using shop = await serveSubgraph(points);
    const headers = { 'x-api-key': 'key-1', 'x-request-id': 'forged', 'content-type': 'text/plain' };
    await using graph = await mixed(shop, { subgraphs: [{ name: 'shop', url: shop.url, trust: 'none', headers }] });
    await graph.ask('{ people { points } }');
    expect(shop.calls[0]?.headers).toMatchObject({ 'x-api-key': 'key-1', 'content-type': 'application/json' });
    expect(shop.calls[0]?.headers['x-request-id']).not.toBe('forged');
  });

  it('refuses to load a graph of ours when nothing can sign', async () => {
    await expect(mixed('http://127.0.0.1:1', { trust: 'context' })).rejects.toThrow(/MORTAR_KEY_CONTEXT is not set/);
  });

  it.each(['token', 'context'] as const)('takes no address from a supergraph for one that trusts %s', (trust) => {
    const remote = createRemoteSources({
      clock: systemClock,
      logger: { warn: () => undefined },
      subgraphs: [{ name: 'shop', trust }],
      sign: () => 'signed',
    });
    expect(() => remote.find({ name: 'shop', url: 'http://127.0.0.1:1/graphql' })).toThrow(
      /the subgraph shop is told who asks .*, so the configuration names its url/,
    );
  });

  it.each([
    ['no URL', 'shop.internal', /not an http or https URL/],
    ['another protocol', 'file:///etc/passwd', /not an http or https URL/],
    ['a password', 'http://user:hidden@shop', /holds a password/],
    ['nothing', 'mortar://shop', /is not wired and has no address/],
  ])('refuses to load a graph whose address is %s', async (_what, address, message) => {
    const loading = mixed(address);
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.not.toThrow(/hidden/);
  });
});
