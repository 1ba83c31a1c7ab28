import { describe, expect, it } from 'vitest';

import { buildUrl, queryOfLink } from './wire.ts';

const get = { operation: 'read', method: 'GET' } as const;

describe('a request URL', () => {
  it('stands below the configured URL, with values encoded and names as written', () => {
    const url = buildUrl('https://erp.example/tenant/', {
      ...get,
      path: '/items',
      query: { $filter: "a eq 'x&y z'", skip: undefined },
    });
    expect(url.href).toBe('https://erp.example/tenant/items?$filter=a%20eq%20%27x%26y%20z%27');
  });

  it.each(['/../secrets', '/items/%2e%2e/x', '/items/..', '/a\\..\\b', '/items?x=1', '/items#f'])(
    'refuses the path %s',
    (path) => {
      expect(() => buildUrl('https://erp.example', { ...get, path })).toThrow(/not safe to send/);
    },
  );

  it('takes only the query of a next link', () => {
    expect(queryOfLink('https://evil.example/steal?$skiptoken=a%20b&x=1')).toEqual({ $skiptoken: 'a b', x: '1' });
  });
});
