import { createPrivateKey } from 'node:crypto';
import { decodeProtectedHeader, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';

import { loadSigningKeys, loadVerificationKeys } from './context-keys.ts';
import { type ContextFacts, createContextSigner, createContextVerifier } from './context-token.ts';
import { createContextPair } from '#test/support/context-keys.ts';
import { aRequestOf } from '#test/support/requests.ts';

const pair = createContextPair();
const logger = { info: () => undefined, error: () => undefined };
let nowMs = Date.parse('2026-11-23T12:00:00Z');
const clock = { nowMs: () => nowMs };

const signerOf = ({ privatePem }: typeof pair) => {
  const keys = loadSigningKeys({ variables: { MORTAR_KEY_CONTEXT: privatePem }, clock, logger });
  if (keys === null) throw new Error('no keys');
  return createContextSigner({ keys, clock });
};
const verifierOf = (...pairs: (typeof pair)[]) => {
  const publicPem = pairs.map((one) => one.publicPem).join('');
  const keys = loadVerificationKeys({ variables: { MORTAR_KEY_CONTEXT_PUBLIC: publicPem }, clock, logger });
  if (keys === null) throw new Error('no keys');
  return createContextVerifier({ keys, clock });
};
const sign = signerOf(pair);
const verify = verifierOf(pair);

const {
  deadlineAtMs: _deadline,
  signal: _signal,
  ...asked
} = aRequestOf({
  medium: 'EMAIL',
  shareKey: 'associate MARKETING',
  principal: { role: 'associate', stores: [], recipient: 'partner-1' },
});
const facts: ContextFacts = { ...asked, timeLeftMs: 1_234 };
const verified = { ...facts, contextId: expect.any(String) as string };
const subject = { subgraph: 'catalog', body: '{"query":"{ a }","variables":{}}' };

describe('a signed request context', () => {
  it('brings everything of a request that a subgraph needs', async () => {
    expect(await verify(sign(facts, subject), subject)).toEqual(verified);
    expect(decodeProtectedHeader(sign(facts, subject))).toMatchObject({ alg: 'EdDSA', typ: 'mortar-context+jwt' });
  });

  it('leaves scopes of others with the gateway', async () => {
    const principal = { ...facts.principal, otherScopes: new Set(['loyalty:read']) };
    expect(await verify(sign({ ...facts, principal }, subject), subject)).toEqual(verified);
  });

  it.each([
    ['another document', { ...subject, body: '{"query":"{ b }","variables":{}}' }, /another document or variables/],
    ['other variables', { ...subject, body: '{"query":"{ a }","variables":{"x":1}}' }, /another document or variables/],
    ['another subgraph', { ...subject, subgraph: 'orders' }, /another subgraph/],
  ])('is refused for %s', async (_what, other, message) => {
    await expect(verify(sign(facts, subject), other)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringMatching(message) as string,
    });
  });

  it('is refused after 30 s, and 5 s that clocks may differ', async () => {
    const start = nowMs;
    const token = sign(facts, subject);
    nowMs = start + 34_000;
    await expect(verify(token, subject)).resolves.toEqual(verified);
    nowMs = start + 36_000;
    await expect(verify(token, subject)).rejects.toThrow(/expired/);
    nowMs = start - 6_000;
    await expect(verify(token, subject)).rejects.toThrow(/"iat"/);
    nowMs = start;
  });

  it('is refused when a byte of it changed, or another key signed it', async () => {
    const [header = '', claims = '', signature = ''] = sign(facts, subject).split('.');
    const forged = Buffer.from(Buffer.from(claims, 'base64url').toString().replace('associate', 'marketer__')).toString(
      'base64url',
    );
    await expect(verify(`${header}.${forged}.${signature}`, subject)).rejects.toThrow(/signature/);
    await expect(verify(`${header}.${claims}.`, subject)).rejects.toThrow(/signature|not a valid/);
    await expect(verify('a.b.c', subject)).rejects.toThrow(/not a valid/);
    await expect(verify(signerOf(createContextPair())(facts, subject), subject)).rejects.toThrow(
      /a key this subgraph does not have/,
    );
  });

  it('is verified by any of several public keys, so that a key can be replaced without a pause', async () => {
    const next = createContextPair();
    const both = verifierOf(pair, next);
    await expect(both(sign(facts, subject), subject)).resolves.toEqual(verified);
    await expect(both(signerOf(next)(facts, subject), subject)).resolves.toEqual(verified);
    await expect(verifierOf(next)(sign(facts, subject), subject)).rejects.toThrow(/a key this subgraph/);
  });

  const claimsOf = (more: object): Record<string, unknown> => ({
    body: 'x',
    request: { ...facts, principal: { ...facts.principal, scopes: [] } },
    ...more,
  });
  const jwt = (claims: Record<string, unknown>, header: object = {}) => {
    const kid = String(decodeProtectedHeader(sign(facts, subject)).kid);
    const now = nowMs / 1000;
    return new SignJWT({ iss: 'mortar-gateway', aud: 'catalog', iat: now, exp: now + 30, jti: 'j', ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'mortar-context+jwt', ...header })
      .sign(createPrivateKey(pair.privatePem));
  };

  it.each([
    ['of another issuer', { iss: 'somebody' }, /"iss"/],
    ['that lasts for ever', { exp: undefined }, /"exp"/],
    [
      'older than it may be, however late it ends',
      { iat: nowMs / 1000 - 60, exp: nowMs / 1000 + 600 },
      /expired|"iat"/,
    ],
    ['without an id', { jti: undefined }, /"jti"/],
    ['with an unknown purpose', claimsOf({ request: { ...facts, purpose: 'CURIOSITY' } }), /differ in version/],
    [
      'with a fact nobody knows',
      claimsOf({ request: { ...facts, principal: { ...facts.principal, scopes: [] }, admin: true } }),
      /differ in version/,
    ],
    [
      'with endless time',
      claimsOf({ request: { ...facts, timeLeftMs: 1e9, principal: { ...facts.principal, scopes: [] } } }),
      /differ in version/,
    ],
  ])('is refused when our own key signed one %s', async (_what, claims, message) => {
    await expect(verify(await jwt(claims), subject)).rejects.toThrow(message);
  });

  it('is refused when it is a token of another kind', async () => {
    await expect(verify(await jwt(claimsOf({}), { typ: 'at+jwt' }), subject)).rejects.toThrow(/"typ"/);
  });
});
