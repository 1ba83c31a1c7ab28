import { describe, expect, it } from 'vitest';

import type { Config, SubgraphConfig } from './config-schema.ts';
import { openRemoteSubgraphs } from './remote-graph.ts';
import { readSupergraph } from './supergraph.ts';
import { systemClock } from '#platform/clock.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const PLAIN = 'http://loyalty.internal/graphql';

function open(production: boolean, subgraphs: readonly SubgraphConfig[] = []) {
  // The addresses of subgraphs are looked up with these alone.
  const config = { production, subgraphs, keyVariables: {} } as unknown as Config;
  const here = ['catalog', 'consent', 'customers', 'inventory', 'orders'];
  return openRemoteSubgraphs(config, { supergraphSdl: readSupergraph(), here, clock: systemClock, logger: silent });
}

describe('openRemoteSubgraphs', () => {
  it('asks for no address of the subgraphs of this process', async () => {
    const remotes = open(false);
    expect(remotes.addresses).toEqual([]);
    expect(remotes.findRemote({ name: 'catalog', url: 'mortar://catalog' })).toBeNull();
    await remotes.close();
  });

  it.each([
    ['to this machine', { url: 'http://127.0.0.1:4100/graphql' }],
    ['encrypted', { url: 'https://loyalty.internal/graphql' }],
    ['in a mesh', { subgraphs: [{ name: 'loyalty', trust: 'none', plainText: true }] }],
    ['at a desk', { production: false }],
  ] as const)('takes an address that a supergraph brings: %s', async (_, given) => {
    const { url, production, subgraphs } = { url: PLAIN, production: true, subgraphs: [], ...given };
    const remotes = open(production, subgraphs);
    expect(remotes.findRemote({ name: 'loyalty', url })).toMatchObject({ name: 'loyalty' });
    await remotes.close();
  });

  it('refuses an address over the network in plain text in production, whenever a supergraph brings it', async () => {
    const remotes = open(true);
    expect(() => remotes.findRemote({ name: 'loyalty', url: PLAIN })).toThrow(
      /the supergraph reaches loyalty over the network in plain text/,
    );
    await remotes.close();
  });
});
