import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { apiSchemaOf } from '#gateway/api-schema.ts';
import { composeSubgraphs } from '#gateway/composition.ts';
import { createGraphSwap } from './graph-swap.ts';
import { loadGraph } from '#gateway/executor/loaded-graph.ts';
import type { Graph } from '#gateway/graph.ts';
import { systemClock } from '#platform/clock.ts';
import { nextTurn } from '#platform/turns.ts';
import { readSupergraph } from '#gateway/supergraph.ts';
import { createChanges } from '#platform/changes.ts';
import type { Subgraph } from '#platform/subgraph.ts';
import { holdDuring } from '#test/support/event-loop.ts';
import {
  aSilentSubgraph,
  createFixtureGateway,
  createFixtureSubgraphs,
  startTestIssuer,
  type TestIssuer,
} from '#test/support/gateway.ts';

const changes = createChanges({ key: new Uint8Array(32) });
const behavior = { verdict: () => ({ allowed: true }) as const, points: () => 1, fetches: [], degraded: null, changes };
const before = composeSubgraphs(createFixtureSubgraphs(behavior));
/** Products without a title, and nothing else. */
const after = before.replace(/ {2}"""Title\."""\s+title: String\n/, '');
const TITLE = '{ product(sku: "1") { sku title } }';
const SKU = '{ product(sku: "1") { sku } }';

let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await startTestIssuer();
});
afterAll(() => issuer.close());

/** A gateway whose fetches wait for `release` once `hold` was called. */
async function aGateway(graph: Partial<Graph> = {}) {
  let gate: Promise<void> = Promise.resolve();
  let asked = (): void => undefined;
  let release = (): void => undefined;
  const wrap = (subgraph: Subgraph): Subgraph => ({
    ...subgraph,
    execute: async (fetch) => {
      asked();
      await gate;
      return subgraph.execute(fetch);
    },
  });
  const gateway = await createFixtureGateway({ issuer, wrap, graph });
  const hold = (): Promise<void> => {
    const held = Promise.withResolvers<void>();
    [gate, release] = [held.promise, held.resolve];
    return new Promise((resolve) => (asked = resolve));
  };
  return { ...gateway, hold, release: () => release(), [Symbol.asyncDispose]: gateway.close };
}

describe('createGraphSwap', () => {
  it('finishes what runs on the graph it began with, and answers the next request by the new one', async () => {
    await using gateway = await aGateway();
    const fetching = gateway.hold();
    const running = gateway.ask(TITLE);
    await fetching;
    expect(await gateway.supergraph.offer(after)).toBe('swapped');
    gateway.release();
    expect((await running).body).toMatchObject({ data: { product: { sku: '1', title: 'title-1' } } });
    expect((await gateway.ask(TITLE)).body.errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
    expect((await gateway.ask(SKU)).body.data).toEqual({ product: { sku: '1' } });
  });

  it('keeps the rules of the graph a request began with, whatever comes meanwhile', async () => {
    await using gateway = await aGateway();
    const query = '{ customer(id: 1) { id points notes } }';
    const fetching = gateway.hold();
    const running = gateway.ask(query);
    await fetching;
    const strict = before.replace(
      'points: Int @join__field',
      'points: Int @requiresScopes(scopes: [["privacy:admin"]]) @join__field',
    );
    expect(strict).not.toBe(before);
    expect(await gateway.supergraph.offer(strict)).toBe('swapped');
    gateway.release();
    expect((await running).body.data).toEqual({ customer: { id: '1', points: 10, notes: null } });
    expect((await gateway.ask(query)).body.data).toEqual({ customer: { id: '1', points: null, notes: null } });
  });

  it.each([
    ['that does not parse', 'type Query {', /Syntax Error/],
    ['that is none', 'type Query { a: Int }', /supergraph|core|join/i],
    [
      'with a security feature nobody enforces',
      before.replace(
        '@link(url: "https://specs.apollo.dev/join',
        '@link(url: "https://paywall.example/paywall/v0.1", for: SECURITY)\n  @link(url: "https://specs.apollo.dev/join',
      ),
      /security feature that is not enforced here/,
    ],
    [
      'with a subgraph nobody knows',
      before.replaceAll('"shop"', '"lost"'),
      /the subgraph lost is told nothing of the caller/,
    ],
    [
      'that opens personal fields',
      before.replace(/ @personalData\(category: "[^)]*\)/, ''),
      /is no longer @personalData/,
    ],
    [
      'that gives a field away for fewer scopes',
      before.replace(/(notes: .*) @requiresScopes\([^)]*\)/, '$1'),
      /Customer\.notes asks for fewer scopes/,
    ],
  ])('refuses a graph %s with a line in the log, and serves on', async (_, bad, reason) => {
    await using gateway = await aGateway();
    expect(bad).not.toBe(before);
    expect(await gateway.supergraph.offer(bad)).toBe('refused');
    expect(gateway.logged.join('\n')).toMatch(/error a supergraph was refused; the one before is served on/);
    expect(gateway.logged.join('\n')).toMatch(reason);
    expect((await gateway.ask(TITLE)).body.data).toMatchObject({ product: { title: 'title-1' } });
    const ready = await gateway.app.inject('/readyz');
    expect(ready.json()).toMatchObject({
      status: 'ready',
      graph: { refused: { id: expect.stringMatching(/^\w{16}$/) } },
    });
    expect((await gateway.metrics.render()).text).toContain('mortar_graph_swaps_total{outcome="refused"} 1');
    expect(await gateway.supergraph.offer(before)).toBe('same');
    expect(gateway.supergraph.status().refused).toBeNull();
  });

  it('tells who keeps connections which subgraphs are left, once the new graph is served', async () => {
    const retained: unknown[] = [];
    await using gateway = await aGateway({
      retainRemotes: (subgraphs) => void retained.push(subgraphs.map(({ name }) => name)),
    });
    expect(await gateway.supergraph.offer('{')).toBe('refused');
    expect(retained).toEqual([]);
    expect(await gateway.supergraph.offer(after)).toBe('swapped');
    expect(retained).toEqual([['people', 'shop']]);
  });

  it('swaps one at a time, in the order they were offered', async () => {
    const loaded = await loadGraph(before);
    const steps: string[] = [];
    const swap = createGraphSwap({
      engine: {
        graph: () => loaded,
        update: async (sdl) => {
          steps.push(`begins ${sdl}`);
          await nextTurn();
          steps.push(`ends ${sdl}`);
          return loaded;
        },
      },
      assertServable: () => Promise.resolve(),
      onSwapped: () => undefined,
      observeGraph: () => undefined,
      clock: systemClock,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    await Promise.all(['one', 'two'].map(swap.offer));
    expect(steps).toEqual(['begins one', 'ends one', 'begins two', 'ends two']);
  });

  it('lets requests go on between the steps of a swap', async () => {
    const supergraphSdl = readSupergraph();
    const names = [...supergraphSdl.matchAll(/@join__graph\(name: "([^"]+)"/g)].map(([, name]) => name ?? '');
    await using gateway = await createFixtureGateway({
      issuer,
      supergraphSdl,
      graph: { subgraphs: names.map((name) => aSilentSubgraph(name, apiSchemaOf(supergraphSdl))) },
    }).then((opened) => ({ ...opened, [Symbol.asyncDispose]: opened.close }));
    const holds: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      // oxlint-disable-next-line no-await-in-loop -- swaps come one after the other
      const { cpuMs } = await holdDuring(() => gateway.supergraph.offer(`${supergraphSdl}\n# ${turn}`));
      holds.push(cpuMs);
    }
    expect(gateway.supergraph.status().refused).toBeNull();
    // All in one turn it is about 100 ms, on code that runs warm.
    expect(Math.min(...holds)).toBeLessThan(60);
  });

  it('takes no graph that is offered at the end, and calls nobody for it', async () => {
    const gateway = await aGateway();
    await gateway.close();
    expect(await gateway.supergraph.offer(after)).toBe('refused');
    expect(gateway.logged.join('\n')).toContain('info a supergraph that was offered at the end is not loaded');
    expect(gateway.logged.join('\n')).not.toContain('error ');
    expect(gateway.supergraph.status().refused).toBeNull();
  });

  it('tells the graph that is served, its age and the last refusal', async () => {
    await using gateway = await aGateway();
    const { id } = gateway.supergraph.status();
    expect((await gateway.app.inject('/readyz')).json()).toMatchObject({ graph: { id, ageSeconds: 0, refused: null } });
    expect(await gateway.supergraph.offer(before)).toBe('same');
    expect(await Promise.all([gateway.supergraph.offer('{'), gateway.supergraph.offer(after)])).toEqual([
      'refused',
      'swapped',
    ]);
    const status = gateway.supergraph.status();
    expect(status).toMatchObject({ refused: null });
    expect(status.id).not.toBe(id);
    const { text } = await gateway.metrics.render();
    expect(text).toMatch(new RegExp(`mortar_graph_loaded_timestamp_seconds\\{graph="${status.id}"\\} \\d+`));
    expect(text).not.toContain(id);
  });
});
