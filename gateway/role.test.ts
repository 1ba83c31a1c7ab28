import { expect, it } from 'vitest';

import { readRole, withSubgraphUrls } from './role.ts';

const services = { databaseUrl: 'postgres://db/m', redisUrl: 'redis://cache' };

it('is everything by default, whatever services there are', () => {
  const all = { kind: 'all', supergraphFile: null };
  expect(readRole({}, services)).toEqual(all);
  expect(readRole({}, { databaseUrl: null, redisUrl: null })).toEqual(all);
});

it('serves a supergraph of ours and of others beside them where one is named', () => {
  expect(readRole({ supergraph: '/etc/shop.graphql' }, services)).toEqual({
    kind: 'all',
    supergraphFile: '/etc/shop.graphql',
  });
});

it('routes by the committed supergraph unless another is named', () => {
  const role = readRole({ role: 'gateway' }, { databaseUrl: null, redisUrl: null });
  expect(role).toEqual({ kind: 'gateway', supergraphFile: expect.stringMatching(/schema\/supergraph\.graphql$/) });
  expect(readRole({ role: 'gateway', supergraph: '/etc/shop.graphql' }, services)).toEqual({
    kind: 'gateway',
    supergraphFile: '/etc/shop.graphql',
  });
});

it.each([
  [{ role: 'subgraph' }, services, '--role subgraph needs --name, one of catalog, inventory'],
  [{ role: 'subgraph', name: 'invntory' }, services, 'no subgraph "invntory" here; did you mean "inventory"?'],
  [
    { role: 'subgraph', name: 'reviews-of-products' },
    services,
    'they are catalog, inventory, customers, orders, consent',
  ],
  [
    { role: 'subgraph', name: 'orders' },
    { databaseUrl: null, redisUrl: null },
    'DATABASE_URL (PostgreSQL) and REDIS_URL',
  ],
  [{ role: 'subgraph', name: 'orders' }, { ...services, redisUrl: null }, 'set REDIS_URL, the same'],
  [{ name: 'orders' }, services, '--name belongs to --role subgraph'],
  [{ role: 'subgraph', name: 'orders', supergraph: 'x' }, services, '--supergraph belongs to the gateway'],
] as const)('refuses %o', (flags, environment, message) => {
  expect(() => readRole(flags, environment)).toThrow(
    expect.objectContaining({ code: 'CONFIGURATION_INVALID', message: expect.stringContaining(message) }),
  );
});

it('puts addresses of flags in the place of configured ones, and adds what is not configured', () => {
  const configured = [{ name: 'orders', url: 'https://a.example', trust: 'token', plainText: false }] as const;
  expect(
    withSubgraphUrls(configured, ['orders=http://127.0.0.1:1/graphql?a=b', 'consent=http://127.0.0.1:2/graphql']),
  ).toEqual([
    { name: 'orders', url: 'http://127.0.0.1:1/graphql?a=b', trust: 'token', plainText: false },
    { name: 'consent', url: 'http://127.0.0.1:2/graphql', trust: 'context', plainText: false },
  ]);
});

it('tells nobody of the caller but ours, unless the configuration says so', () => {
  const url = 'https://a.example';
  const configured = [
    { name: 'orders', url, plainText: false },
    { name: 'loyalty', url, plainText: false },
    { name: 'cards', url, trust: 'token', plainText: false },
  ] as const;
  const trusts = withSubgraphUrls(configured, ['reviews=http://127.0.0.1:1']).map(({ name, trust }) => [name, trust]);
  expect(trusts).toEqual([
    ['orders', 'context'],
    ['loyalty', 'none'],
    ['cards', 'token'],
    ['reviews', 'none'],
  ]);
});

it.each(['orders', '=http://x', 'orders=ftp://x', 'orders=nonsense'])('refuses the address "%s"', (text) => {
  expect(() => withSubgraphUrls([], [text])).toThrow('is not like name=http://host:port/graphql');
});
