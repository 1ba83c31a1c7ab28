import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type DeployedProduct, deployProduct } from '#test/support/own-issuer.ts';
import type { TestIssuer } from '#test/support/gateway.ts';
import type { Product } from '#test/support/product-client.ts';

const QUERY = '{ products(first: 1) { nodes { sku } } }';

describe('a gateway that knows only the URL of an issuer', () => {
  let deployed: DeployedProduct;
  let issuer: TestIssuer;
  let product: Product;
  beforeAll(async () => {
    deployed = await deployProduct();
    ({ issuer, product } = deployed);
  }, 60_000);
  afterAll(async () => deployed?.[Symbol.asyncDispose]());

  it('accepts a token of that issuer', async () => {
    const answer = await product.ask(QUERY, { token: await issuer.issue() });
    expect(answer).toMatchObject({ status: 200, errors: [] });
  });

  it.each([
    ['expired', async () => issuer.issue({ exp: Math.floor(Date.now() / 1000) - 120 })],
    ['not yet valid', async () => issuer.issue({ nbf: Math.floor(Date.now() / 1000) + 600 })],
    ['for another audience', async () => issuer.issue({ aud: 'elsewhere' })],
    ['from another issuer', async () => issuer.issue({ iss: 'https://elsewhere.example' })],
    ['without a scope', async () => issuer.issue({ scope: '' })],
    ['without a scope claim', async () => issuer.issue({ scope: undefined })],
    ['of an unknown role', async () => issuer.issue({ role: 'king' })],
    ['of another type', async () => issuer.issue({}, { typ: 'id+jwt' })],
    ['tampered with', async () => tamper(await issuer.issue())],
    ['unsigned', async () => unsigned(await issuer.issue())],
    ['no token at all', () => Promise.resolve('nonsense')],
  ])('refuses a token that is %s with 401 and says where to get one', async (_, make) => {
    const answer = await product.ask(QUERY, { token: await make() });
    expect(answer.status).toBe(401);
    expect(answer.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    expect(answer.data).toBeNull();
    expect(answer.headers.get('www-authenticate')).toContain('/.well-known/oauth-protected-resource');
  });
});

function tamper(token: string): string {
  const [header, payload = '', signature] = token.split('.');
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  const changed = { ...(claims as object), role: 'privacy-officer', scope: 'customers:read privacy:admin' };
  return [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.');
}

function unsigned(token: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
  return `${header}.${token.split('.')[1] ?? ''}.`;
}
