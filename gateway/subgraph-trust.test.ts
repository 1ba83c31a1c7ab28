import { describe, expect, it } from 'vitest';

import type { Config, SubgraphConfig } from './config-schema.ts';
import { loadSubgraphTrust } from './subgraph-trust.ts';
import { systemClock } from '#platform/clock.ts';
import { createContextPair } from '#test/support/context-keys.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const KEY = { MORTAR_KEY_CONTEXT_PUBLIC: createContextPair().publicPem };

function load(trust: SubgraphConfig['trust'] | null, keyVariables: Readonly<Record<string, string>>) {
  const entry = trust === null ? [] : [{ name: 'orders', trust, plainText: false }];
  const subgraphs = [{ name: 'catalog', trust: 'token', plainText: false }, ...entry];
  const issuer = { url: 'http://127.0.0.1:1', audience: 'mortar', claims: {} };
  // Trust is decided by these alone.
  const config = { role: { kind: 'subgraph', name: 'orders' }, subgraphs, issuer, keyVariables } as unknown as Config;
  const { trust: believed, trusts } = loadSubgraphTrust(config, { clock: systemClock, logger: silent });
  return [Object.keys(believed).filter((who) => Reflect.get(believed, who) !== undefined), trusts];
}

describe('loadSubgraphTrust', () => {
  it.each([
    ['our gateway without an entry', null, KEY, [['context'], 'the gateway alone']],
    ['our gateway by name', 'context', KEY, [['context'], 'the gateway alone']],
    ['tokens', 'token', {}, [['token'], 'tokens']],
    ['both where both can be known', 'token', KEY, [['context', 'token'], 'tokens, and the gateway']],
  ] as const)('believes %s', (_, trust, keys, believed) => {
    expect(load(trust, keys)).toEqual(believed);
  });

  it.each([
    ['no key of the gateway', null, {}, /cannot know its gateway: set MORTAR_KEY_CONTEXT_PUBLIC/],
    ['nobody to believe', 'none', KEY, /orders is one of ours and serves nobody it is told nothing of/],
  ] as const)('refuses %s', (_, trust, keys, message) => {
    expect(() => load(trust, keys)).toThrow(message);
  });
});
