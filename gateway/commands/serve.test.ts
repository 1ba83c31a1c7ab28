import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { runServe } from './serve.ts';
import { composeSubgraphs } from '#gateway/composition.ts';
import type { Environment, ServeFlags } from '#gateway/config.ts';
import type { CreateGraph } from '#gateway/graph.ts';
import { listen } from '#gateway/http/listen.ts';
import { createChanges } from '#platform/changes.ts';
import type * as Supergraph from '#gateway/supergraph.ts';
import { createFixtureSubgraphs, startTestIssuer } from '#test/support/gateway.ts';

const fixture = vi.hoisted(() => ({ closed: 0, progress: { done: false, feeds: [] } }));
const subgraphs = createFixtureSubgraphs({
  verdict: () => ({ allowed: true }),
  points: () => 1,
  fetches: [],
  degraded: null,
  changes: createChanges({ key: new Uint8Array(32) }),
});

vi.mock('#gateway/wiring.ts', () => {
  const createGraph: CreateGraph = () =>
    Promise.resolve({
      subgraphs,
      systems: () => [
        { id: 'erp', connector: 'erp-business-central', url: 'http://127.0.0.1:1', state: 'UP', lagSeconds: null },
      ],
      readiness: () => ({ consentsImported: true, firstLoadDone: true }),
      loadProgress: () => fixture.progress,
      close: () => {
        fixture.closed += 1;
        return Promise.resolve();
      },
    });
  return { createGraph };
});
vi.mock('#gateway/supergraph.ts', async (original) => ({
  ...(await original<typeof Supergraph>()),
  readSupergraph: () => composeSubgraphs(subgraphs),
}));

afterEach(() => {
  process.removeAllListeners('SIGINT');
  process.removeAllListeners('SIGTERM');
  fixture.closed = 0;
});

async function serve(change: Partial<ServeFlags> = {}) {
  const issuer = await startTestIssuer();
  const home = mkdtempSync(join(tmpdir(), 'mortar-test-'));
  const config = join(home, 'c.yaml');
  const system = '{ id: erp, connector: erp-business-central, url: "http://127.0.0.1:1" }';
  writeFileSync(
    config,
    `issuer: { url: "${issuer.url}", audience: mortar-test }\nsystems: [${system}]\nretail: { channels: [], authorities: [] }\n`,
  );
  const flags: ServeFlags = {
    config,
    home,
    host: '127.0.0.1',
    port: 0,
    metricsPort: 0,
    sandboxPort: 0,
    controlPort: 0,
    scale: 'small',
    seed: 1,
    ...change,
  };
  const environment: Environment = {
    production: false,
    databaseUrl: null,
    redisUrl: null,
    logLevel: 'silent',
    variables: {},
  };
  const written: string[] = [];
  const { promise: summary, resolve } = Promise.withResolvers<string>();
  const write = (text: string): void => {
    written.push(text);
    if (text.includes('/graphql')) resolve(text);
  };
  const ended = runServe(flags, environment, { isTerminal: false, write });
  return { ended, summary, written, issuer, home };
}

describe('runServe', () => {
  it('prints where it serves, answers there, and a signal closes everything and ends with 0', async () => {
    const run = await serve();
    const text = await run.summary;
    const url = text.match(/http:\/\/127\.0\.0\.1:\d+(?=\/graphql)/)?.[0] ?? '';
    const metricsUrl = text.match(/http:\/\/127\.0\.0\.1:\d+\/metrics/)?.[0] ?? '';
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await run.issuer.issue()}` },
      body: JSON.stringify({ query: '{ product(sku: "a") { title } }' }),
    });
    expect(await response.json()).toMatchObject({ data: { product: { title: 'title-a' } } });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await (await fetch(metricsUrl)).text()).toContain('mortar_requests_total{outcome="ok"} 1');
    process.emit('SIGTERM', 'SIGTERM');
    expect(await run.ended).toBe(0);
    await expect(fetch(`${url}/livez`)).rejects.toThrow('fetch failed');
    expect(fixture.closed).toBe(1);
    await run.issuer.close();
  });

  it('closes what it started when the port is in use, and frees the home folder', async () => {
    const other = createServer();
    const port = Number(new URL(await listen(other, { host: '127.0.0.1', port: 0, flag: '' })).port);
    const run = await serve({ port });
    await expect(run.ended).rejects.toThrow(
      `port ${port} is in use; stop what listens there, or choose another with --port`,
    );
    expect(fixture.closed).toBe(1);
    const again = await serve({ home: run.home });
    await again.summary;
    process.emit('SIGINT', 'SIGINT');
    expect(await again.ended).toBe(0);
    other.close();
    await run.issuer.close();
    await again.issuer.close();
  });

  it('refuses a home folder that another process uses', async () => {
    const home = mkdtempSync(join(tmpdir(), 'mortar-test-'));
    writeFileSync(join(home, 'mortar.pid'), `${process.ppid}\n`);
    const run = await serve({ home });
    await expect(run.ended).rejects.toThrow('is in use by process');
    await run.issuer.close();
  });
});
