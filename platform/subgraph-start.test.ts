import { describe, expect, it } from 'vitest';

import { defineSubgraph } from './define-subgraph.ts';

describe('a subgraph definition', () => {
  const base = {
    name: 'x',
    deciders: { forFetch: () => ({ decide: async () => ({ allowed: true }) as const }) },
    createLoaders: () => ({}),
  };

  it.each([
    ['type Query { a: Int }', { Query: { b: () => 1 } }, 'Query.b'],
    ['type Query { a: Int }', { Other: { b: () => 1 } }, 'Other'],
    ['type Query { a: Int }', { Sku: { serialize: () => 1 } }, 'Sku'],
    ['type Query { a: P } type P @key(fields: "id") @subject(path: "subjects") { id: ID! }', {}, '__resolveReference'],
    ['type Query { a: Int @personalData(category: "shoes", purposes: []) }', {}, 'shoes'],
    ['type Query { a: Int @personalData(category: "loyalty", purposes: ["FUN"]) }', {}, 'FUN'],
    ['type Query { a: Int @requiresScopes(scopes: [["all"]]) }', {}, 'all'],
    ['type Query { a: Int @requiresScopes(scopes: []) }', {}, 'empty'],
    ['type Query { a: P } type P @requiresScopes(scopes: [["catalog:read"]]) { id: ID! }', {}, 'belongs on fields'],
    [
      'interface I { n: Int @requiresScopes(scopes: [["catalog:read"]]) } type Query { a: P } type P implements I { n: Int }',
      {},
      'P.n',
    ],
  ])('is refused at start when SDL and resolvers do not fit: %s', (sdl, resolvers, message) => {
    expect(() => defineSubgraph({ ...base, typeDefs: sdl, resolvers })).toThrow(message);
  });
});
