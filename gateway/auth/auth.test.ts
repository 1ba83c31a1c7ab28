import { describe, expect, it } from 'vitest';

import { toPrincipal } from './principal.ts';
import { resolveMedium, resolvePurpose } from './purpose.ts';
import { claimNames } from '#gateway/config-schema.ts';

const names = claimNames.parse({});
const claims = {
  client_id: 'associate',
  role: 'associate',
  scope: 'catalog:read orders:read',
  purposes: ['SERVICE_SUPPORT'],
};

describe('toPrincipal', () => {
  it('reads the claims, keeps scopes of others apart and drops unknown purposes', () => {
    const principal = toPrincipal(
      { ...claims, scope: 'catalog:read admin:everything', purposes: ['X', 'MARKETING'], store_ids: ['loc_1'] },
      names,
    );
    expect(principal).toMatchObject({
      client: 'associate',
      role: 'associate',
      purposes: ['MARKETING'],
      stores: ['loc_1'],
      customer: null,
    });
    expect([...principal.scopes]).toEqual(['catalog:read']);
    expect([...(principal.otherScopes ?? [])]).toEqual(['admin:everything']);
    expect(toPrincipal(claims, names)).not.toHaveProperty('otherScopes');
  });

  it.each([
    ['no role', { role: undefined }],
    ['an unknown role', { role: 'root' }],
    ['no scope', { scope: undefined }],
    ['only scopes of others', { scope: 'a b' }],
    ['no client', { client_id: undefined }],
    ['malformed stores', { store_ids: 'loc_1' }],
    ['a customer role without a customer', { role: 'customer' }],
  ])('refuses a token with %s', (_, change) => {
    expect(() => toPrincipal({ ...claims, ...change }, names)).toThrow(
      expect.objectContaining({ code: 'UNAUTHENTICATED' }),
    );
  });

  it('binds a customer only to the role customer and stores only to associates', () => {
    expect(
      toPrincipal({ ...claims, role: 'partner', customer_id: 'cus_1', store_ids: ['loc_1'] }, names),
    ).toMatchObject({ customer: null, stores: [] });
  });

  it('reads claims under configured names', () => {
    const renamed = claimNames.parse({ role: 'https://idp/role' });
    expect(toPrincipal({ ...claims, 'https://idp/role': 'analyst' }, renamed).role).toBe('analyst');
  });
});

describe('resolvePurpose', () => {
  it('implies the purpose of a token that carries exactly one', () => {
    expect(resolvePurpose(undefined, ['MARKETING'])).toBe('MARKETING');
    expect(resolvePurpose(undefined, ['MARKETING', 'ANALYTICS'])).toBeNull();
    expect(resolvePurpose(undefined, [])).toBeNull();
  });

  it.each(['', 'marketing', 'MARKETING, ANALYTICS', 'constructor'])('refuses %j as BAD_USER_INPUT', (header) => {
    expect(() => resolvePurpose(header, ['MARKETING'])).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });

  it('refuses a known purpose the token does not carry', () => {
    expect(() => resolvePurpose('ANALYTICS', ['MARKETING'])).toThrow(
      expect.objectContaining({ code: 'PURPOSE_NOT_ALLOWED' }),
    );
  });
});

describe('resolveMedium', () => {
  it('accepts one known medium or none', () => {
    expect(resolveMedium(undefined)).toBeNull();
    expect(resolveMedium('EMAIL')).toBe('EMAIL');
    expect(() => resolveMedium('FAX')).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });
});
