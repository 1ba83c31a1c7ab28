import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AUDIENCE, createFixtureGateway, startTestIssuer, type TestIssuer } from '#test/support/gateway.ts';

let issuer: TestIssuer;
let gateway: Awaited<ReturnType<typeof createFixtureGateway>>;
beforeAll(async () => {
  issuer = await startTestIssuer();
  gateway = await createFixtureGateway({ issuer });
});
afterAll(async () => {
  await gateway.close();
  await issuer.close();
});

const QUERY = '{ product(sku: "a") { sku } }';
const claims = {
  iss: '',
  aud: AUDIENCE,
  client_id: 'associate',
  role: 'associate',
  scope: 'catalog:read',
  exp: 4_000_000_000,
};
const header = { alg: 'HS256', typ: 'at+jwt', kid: 'k1' };

describe('tokens', () => {
  const tokens: readonly [string, () => Promise<string | null>, RegExp][] = [
    ['no token', () => Promise.resolve(null), /bearer token/],
    ['an expired token', () => issuer.issue({ exp: 1_000 }), /expired/],
    [
      'a tampered token',
      async () =>
        (await issuer.issue()).replace(
          /\.([^.]+)\./,
          (_, body: string) =>
            `.${Buffer.from(Buffer.from(body, 'base64url').toString().replace('associate', 'marketer')).toString('base64url')}.`,
        ),
      /signature/,
    ],
    [
      'an unsigned token',
      () => Promise.resolve(new UnsecuredJWT({ ...claims, iss: issuer.url }).encode()),
      /not a valid|algorithm/,
    ],
    [
      'an HS256 token signed with the public key',
      () =>
        new SignJWT({ ...claims, iss: issuer.url })
          .setProtectedHeader(header)
          .sign(new TextEncoder().encode(JSON.stringify(issuer.publicJwk))),
      /algorithm/,
    ],
    ['another audience', () => issuer.issue({ aud: 'other' }), /aud/],
    ['another issuer', () => issuer.issue({ iss: 'http://evil.example' }), /iss/],
    ['an ID token', () => issuer.issue({}, { typ: 'JWT' }), /typ/],
    ['no scope', () => issuer.issue({ scope: undefined }), /no scope/],
    ['an unknown role', () => issuer.issue({ role: 'admin' }), /role/],
    ['no expiry', () => issuer.issue({ exp: undefined }), /exp/],
    ['an unknown key', () => issuer.issue({}, { kid: 'other' }), /key/],
    ['no JWT at all', () => Promise.resolve('abc'), /valid access token/],
  ];
  it.each(tokens)('refuses %s with 401, a challenge and a reason', async (_, makeToken, reason) => {
    const answer = await gateway.ask(QUERY, { token: await makeToken() });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(
      /^Bearer resource_metadata="http:\/\/[^"]+\/\.well-known\/oauth-protected-resource"/,
    );
    expect(answer.body.errors?.[0]).toMatchObject({
      message: expect.stringMatching(reason),
      extensions: { code: 'UNAUTHENTICATED' },
    });
    expect(answer.body.data).toBeUndefined();
  });

  it('accepts a token that expired less than 5 seconds ago', async () => {
    expect(
      (await gateway.ask(QUERY, { token: await issuer.issue({ exp: Math.floor(Date.now() / 1000) - 2 }) })).status,
    ).toBe(200);
  });

  it('reads the keys a bounded number of times, however many unknown key ids come', async () => {
    const before = issuer.keyReads();
    for (let index = 0; index < 20; index += 1)
      await gateway.ask(QUERY, { token: await issuer.issue({}, { kid: `storm-${index}` }) });
    expect(issuer.keyReads() - before).toBeLessThanOrEqual(1);
  });

  it('keeps serving with cached keys when the issuer is away, and says 503 when it never had any', async () => {
    const away = await startTestIssuer();
    const token = await away.issue();
    const warm = await createFixtureGateway({ issuer: away });
    const cold = await createFixtureGateway({ issuer: away });
    expect((await warm.ask(QUERY, { token })).status).toBe(200);
    await away.close();
    expect((await warm.ask(QUERY, { token })).status).toBe(200);
    const refused = await cold.ask(QUERY, { token });
    expect([refused.status, refused.body.errors?.[0]?.extensions['code']]).toEqual([503, 'OVERLOADED']);
    await warm.close();
    await cold.close();
  });

  it('refuses a token it accepted before, once it has expired', async () => {
    const clock = { nowMs: () => nowMs };
    let nowMs = Date.now();
    const timed = await createFixtureGateway({ issuer, clock });
    const token = await issuer.issue({ exp: Math.floor(nowMs / 1000) + 20 });
    expect((await timed.ask(QUERY, { token })).status).toBe(200);
    nowMs += 26_000;
    expect((await timed.ask(QUERY, { token })).status).toBe(401);
    await timed.close();
  });
});
