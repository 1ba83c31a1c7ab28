import { createLocalJWKSet, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import type { WebHandler } from './http-server.ts';
import { createIssuer, DEVELOPMENT_GRANT, SANDBOX_AUDIENCE } from './issuer.ts';
import { DEVELOPMENT_SECRET, ISSUER_CLIENTS } from './issuer-clients.ts';

const url = 'http://127.0.0.1:4309';
let issuer: WebHandler;

beforeAll(async () => {
  issuer = await createIssuer({ url, firstStoreId: 'loc_firststore' });
});

const get = async (path: string) => (await issuer(new Request(url + path))).json() as Promise<Record<string, unknown>>;

async function ask(form: Record<string, string>, headers: Record<string, string> = {}) {
  const response = await issuer(
    new Request(`${url}/token`, { method: 'POST', body: new URLSearchParams(form), headers }),
  );
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

const development = (client: string, more: Record<string, string> = {}) =>
  ask({ grant_type: DEVELOPMENT_GRANT, client_id: client, ...more });

async function verify(token: string | undefined) {
  const keys = createLocalJWKSet((await get('/jwks')) as unknown as JSONWebKeySet);
  return jwtVerify(token ?? '', keys, {
    issuer: url,
    audience: SANDBOX_AUDIENCE,
    typ: 'at+jwt',
    algorithms: ['ES256'],
  });
}

describe('the issuer', () => {
  test('describes itself at both well-known addresses and keeps its private key', async () => {
    const document = await get('/.well-known/openid-configuration');
    expect(document).toMatchObject({ issuer: url, token_endpoint: `${url}/token`, jwks_uri: `${url}/jwks` });
    expect(await get('/.well-known/oauth-authorization-server')).toEqual(document);
    expect(JSON.stringify(await get('/jwks'))).not.toContain('"d"');
  });

  test('gives client credentials an RFC 9068 token by basic authentication', async () => {
    const authorization = `Basic ${Buffer.from(`partner-marketplace:${DEVELOPMENT_SECRET}`).toString('base64')}`;
    const { status, body } = await ask({ grant_type: 'client_credentials' }, { authorization });
    expect([status, body['token_type'], body['expires_in']]).toEqual([200, 'Bearer', 3600]);
    const { payload } = await verify(body['access_token']);
    expect(payload).toMatchObject({
      client_id: 'partner-marketplace',
      sub: 'partner-marketplace',
      role: 'partner',
      scope: 'catalog:read inventory:read customers:read orders:read',
      purposes: ['THIRD_PARTY_SHARING', 'ORDER_FULFILLMENT'],
      recipient: 'amazon-marketplace',
      store_ids: [],
    });
    expect(payload.jti).toMatch(/^[\da-f-]{36}$/);
  });

  test('binds an associate to the named store, else to the first one', async () => {
    const named = await verify((await development('associate', { store_id: 'loc_another' })).body['access_token']);
    const first = await verify((await development('associate')).body['access_token']);
    expect([named.payload['store_ids'], first.payload['store_ids']]).toEqual([['loc_another'], ['loc_firststore']]);
  });

  test('binds customer-app to one person and says how to find an id', async () => {
    const { payload } = await verify(
      (await development('customer-app', { customer_id: 'cus_abc123' })).body['access_token'],
    );
    expect(payload).toMatchObject({ customer_id: 'cus_abc123', sub: 'cus_abc123', role: 'customer' });
    const { status, body } = await development('customer-app');
    expect([status, body['error']]).toEqual([400, 'invalid_request']);
    expect(body['error_description']).toContain('customers(first: 5)');
  });

  test('narrows to the scopes asked for and refuses foreign ones instead of dropping them', async () => {
    expect((await development('analyst', { scope: 'catalog:read' })).body['scope']).toBe('catalog:read');
    expect((await development('analyst', { scope: 'catalog:read privacy:admin' })).body['error']).toBe('invalid_scope');
  });

  test.each([
    ['an unknown client', { grant_type: DEVELOPMENT_GRANT, client_id: 'nobody' }, 401, 'invalid_client'],
    ['a missing secret', { grant_type: 'client_credentials', client_id: 'analyst' }, 401, 'invalid_client'],
    [
      'a wrong secret',
      { grant_type: DEVELOPMENT_GRANT, client_id: 'analyst', client_secret: 'x' },
      401,
      'invalid_client',
    ],
    ['another grant', { grant_type: 'password', client_id: 'analyst' }, 400, 'unsupported_grant_type'],
    ['no grant', { client_id: 'analyst' }, 400, 'invalid_request'],
    [
      'another resource',
      { grant_type: DEVELOPMENT_GRANT, client_id: 'analyst', resource: 'https://x.test' },
      400,
      'invalid_target',
    ],
    [
      'a customer for an analyst',
      { grant_type: DEVELOPMENT_GRANT, client_id: 'analyst', customer_id: 'cus_abc123' },
      400,
      'invalid_request',
    ],
    [
      'a store that is no id',
      { grant_type: DEVELOPMENT_GRANT, client_id: 'associate', store_id: '../S01' },
      400,
      'invalid_request',
    ],
  ])('refuses %s', async (_name, form, status, error) => {
    const answer = await ask(form);
    expect([answer.status, answer.body['error']]).toEqual([status, error]);
    expect(answer.body).not.toHaveProperty('access_token');
  });

  test('knows the seven development clients', () => {
    expect(ISSUER_CLIENTS.map(({ clientId, role }) => [clientId, role])).toEqual([
      ['storefront', 'service-job'],
      ['customer-app', 'customer'],
      ['associate', 'associate'],
      ['partner-marketplace', 'partner'],
      ['analyst', 'analyst'],
      ['marketer', 'marketer'],
      ['privacy-officer', 'privacy-officer'],
    ]);
  });
});
