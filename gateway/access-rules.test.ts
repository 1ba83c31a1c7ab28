import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';

import { readAccessRules } from './access-rules.ts';

const rulesOf = (sdl: string) => Object.fromEntries(readAccessRules(parse(sdl), (name) => name));
const needs = (...scopes: readonly (readonly string[])[]) => ({ authenticated: false, scopes });

describe('readAccessRules', () => {
  it('asks for what the field, its type and the type of its answer say, all together', () => {
    const sdl = `type Query @requiresScopes(scopes: [["q"]]) { open: Int secret: Secret @requiresScopes(scopes: [["a"], ["b"]]) }
      type Secret @requiresScopes(scopes: [["s", "a"]]) { id: ID }`;
    expect(rulesOf(sdl)).toEqual({
      'Query.open': needs(['q']),
      'Query.secret': needs(['q', 'a', 's'], ['q', 'b', 's', 'a']),
      'Secret.id': needs(['s', 'a']),
    });
  });

  it.each(['scalar Kind', 'enum Kind', 'interface Kind'])('reads the rule of the answer’s type: %s', (kind) => {
    const body = kind.startsWith('enum') ? '{ ONE }' : kind.startsWith('interface') ? '{ id: ID }' : '';
    const sdl = `type Thing { kinds: [[Kind!]!]! other: Int } ${kind} @requiresScopes(scopes: [["k"]]) ${body}`;
    expect(rulesOf(sdl)).toMatchObject({ 'Thing.kinds': needs(['k']) });
    expect(rulesOf(sdl)).not.toHaveProperty(['Thing.other']);
  });

  it('reads @authenticated wherever it stands, and lists that are written as single values', () => {
    const sdl = `type A @authenticated { x: Int y: Int @requiresScopes(scopes: "one") }`;
    expect(rulesOf(sdl)).toEqual({
      'A.x': { authenticated: true, scopes: null },
      'A.y': { authenticated: true, scopes: [['one']] },
    });
  });

  it('holds types to a rule that only their interface has, so that nobody passes it by', () => {
    const sdl = `interface I { x: Int @requiresScopes(scopes: [["i"]]) y: Int @requiresScopes(scopes: [["a", "b"]]) }
      type A implements I { x: Int y: Int @requiresScopes(scopes: [["a"]]) } type B implements I { x: Int y: Int }`;
    expect(rulesOf(sdl)).toEqual({
      'I.x': needs(['i']),
      'I.y': needs(['a', 'b']),
      'A.x': needs(['i']),
      'A.y': needs(['a']),
      'B.x': needs(['i']),
    });
  });

  it('denies a field to everybody whose alternatives are none', () => {
    expect(rulesOf('type A { x: Int @requiresScopes(scopes: []) }')).toEqual({ 'A.x': needs() });
  });
});
