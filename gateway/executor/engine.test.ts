import dns from 'node:dns';
import net from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { apiSchemaOf } from '#gateway/api-schema.ts';
import { stripSecurity } from '#gateway/composition.ts';
import { EngineClosed } from './engine.ts';
import { readOwners } from '#gateway/supergraph.ts';
import { answered, createScriptedEngine } from '#test/support/federation/scripted-engine.ts';
import { aSilentSubgraph, createFixtureGateway, startTestIssuer } from '#test/support/gateway.ts';
import { composePlannerBomb } from '#test/support/hostile-supergraphs.ts';
import { threadCount } from '#test/support/threads.ts';

afterEach(() => vi.restoreAllMocks());

describe('createEngine', () => {
  it('opens no socket but to the issuer, from construction to the answer', async () => {
    const issuer = await startTestIssuer();
    const connect = vi.spyOn(net.Socket.prototype, 'connect');
    const lookup = vi.spyOn(dns, 'lookup');
    const gateway = await createFixtureGateway({ issuer });
    expect((await gateway.ask('{ customer(id: 1) { id points } }')).status).toBe(200);
    const ports = connect.mock.calls.map(([target]) => JSON.stringify(target).match(/"port":"?(\d+)/)?.[1]);
    expect(new Set(ports)).toEqual(new Set([new URL(issuer.url).port]));
    expect(lookup.mock.calls.map(([host]) => host).filter((host) => host !== '127.0.0.1')).toEqual([]);
    await gateway.close();
    await issuer.close();
  });

  it('refuses a supergraph whose subgraph is not wired', async () => {
    const issuer = await startTestIssuer();
    const lost = createFixtureGateway({
      issuer,
      wrap: (subgraph) => ({ ...subgraph, name: `${subgraph.name}-renamed` }),
    });
    await expect(lost).rejects.toThrow(/which is not wired/);
    await issuer.close();
  });

  it('plans what was asked most for another supergraph before it takes over', async () => {
    const answer = () => answered({ a: 1 });
    const { engine, ask } = await createScriptedEngine({ one: { sdl: 'type Query { a: Int b: Int }', answer } });
    await ask('{ a }');
    const { supergraphSdl } = engine.graph();
    const planned = (await engine.update(`${supergraphSdl}\n# another`)).mostUsed(5);
    expect(planned.map(({ queryHash }) => queryHash.replaceAll(/\s/g, ''))).toEqual(['{a}']);
    await engine.close();
  });

  it('answers in time whoever asks for what is long planned, and ends the threads of graphs that went', async () => {
    const issuer = await startTestIssuer();
    const supergraphSdl = composePlannerBomb();
    const gateway = await createFixtureGateway({
      issuer,
      supergraphSdl,
      // Less than the two seconds of planning after which it is refused.
      limits: { requestMs: { query: 500 } },
      graph: { subgraphs: [0, 1, 2, 3, 4].map((at) => aSilentSubgraph(`s${at}`, apiSchemaOf(supergraphSdl))) },
    });
    const { status, body } = await gateway.ask(`{ t ${'{ f0 '.repeat(10)}{ own0 own1 }${' }'.repeat(10)} }`);
    expect([status, body.errors?.[0]?.extensions['code']]).toEqual([504, 'DEADLINE_EXCEEDED']);
    await expect.poll(threadCount).toBe(1);
    expect(await gateway.supergraph.offer(`${supergraphSdl}\n# another`)).toBe('swapped');
    await expect.poll(threadCount).toBe(0);
    await gateway.close();
    await issuer.close();
  });

  it('takes no supergraph over once it is closed, and leaves no thread of one', async () => {
    // Four steps, each answered by any of five: planned in a thread.
    const subgraph = (query: string) => ({
      sdl: `${query} type T @key(fields: "id") { id: ID! n: T @shareable }`,
      answer: () => answered({ t: null }),
    });
    const [one, another] = [subgraph('type Query { t: T }'), subgraph('')];
    const { engine, ask } = await createScriptedEngine({ one, b: another, c: another, d: another, e: another });
    await ask(`{ t ${'{ n '.repeat(4)}{ id }${' }'.repeat(4)} }`);
    const served = engine.graph();
    const update = engine.update(`${served.supergraphSdl}\n# another`);
    const outcome = update.catch((error: unknown) => error);
    // One thread of the graph before, and one of the graph that is made ready.
    await vi.waitFor(() => expect(threadCount()).toBe(2), { timeout: 15_000, interval: 5 });
    await engine.close();
    expect(await outcome).toBeInstanceOf(EngineClosed);
    expect(engine.graph()).toBe(served);
    expect(threadCount()).toBe(0);
    await expect(engine.load()).rejects.toThrow(EngineClosed);
  }, 40_000);

  it('refuses a security feature nobody enforces', () => {
    const sdl =
      'schema @link(url: "https://specs.apollo.dev/policy/v0.1", for: SECURITY) { query: Query } type Query { a: String }';
    expect(() => stripSecurity(sdl)).toThrow('https://specs.apollo.dev/policy/v0.1');
  });
});

describe('readOwners', () => {
  it('names the subgraph of each field, by field or by type', () => {
    const owners = readOwners(`
      enum join__Graph { SHOP @join__graph(name: "shop", url: "") PEOPLE @join__graph(name: "people", url: "") }
      type Query @join__type(graph: PEOPLE) { a: String b: String @join__field(graph: SHOP) }`);
    expect(Object.fromEntries(owners)).toEqual({ 'Query.a': 'people', 'Query.b': 'shop' });
  });
});
