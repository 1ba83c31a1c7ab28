import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DEVELOPMENT_CLIENTS, requestDevelopmentToken } from './development-grant.ts';
import { createIssuerKeys } from './issuer-keys.ts';
import { createTokenVerifier } from './verify-token.ts';
import { claimNames } from '#gateway/config-schema.ts';
import { systemClock } from '#platform/clock.ts';
import { silentLogger } from '#platform/log.ts';
import { listen } from '#sandbox/http-server.ts';
import { createIssuer, SANDBOX_AUDIENCE } from '#sandbox/issuer.ts';
import { ISSUER_CLIENTS } from '#sandbox/issuer-clients.ts';

let url: string;
let close: () => Promise<unknown>;
beforeAll(async () => {
  let handler: Awaited<ReturnType<typeof createIssuer>> | null = null;
  const listening = await listen({
    name: 'issuer',
    port: 0,
    flag: '--sandbox-port',
    handler: async (request) => (await handler?.(request)) ?? new Response(null, { status: 503 }),
  });
  url = listening.url;
  close = listening.close;
  handler = await createIssuer({ url, firstStoreId: 'loc_first' });
});
afterAll(async () => close());

const verifier = () =>
  createTokenVerifier({
    issuer: { url, audience: SANDBOX_AUDIENCE, claims: claimNames.parse({}) },
    keys: createIssuerKeys(url, { clock: systemClock, logger: silentLogger }),
    clock: systemClock,
  });

describe('requestDevelopmentToken', () => {
  it('knows the clients of the sandbox issuer, with their roles and purposes', () => {
    expect(DEVELOPMENT_CLIENTS.map(({ id, role, purposes }) => ({ id, role, purposes }))).toEqual(
      ISSUER_CLIENTS.map(({ clientId, role, purposes }) => ({ id: clientId, role, purposes })),
    );
  });

  it.each(ISSUER_CLIENTS)(
    'gets a token of $clientId that the gateway accepts',
    async ({ clientId, role, scopes, recipient }) => {
      const customer = role === 'customer' ? 'cus_12345' : undefined;
      const token = await requestDevelopmentToken(url, { client: clientId, customer });
      const principal = await verifier()(`Bearer ${token}`);
      expect(principal).toMatchObject({ client: clientId, role, recipient, customer: customer ?? null });
      expect([...(principal?.scopes ?? [])]).toEqual(scopes);
      expect(principal?.stores).toEqual(role === 'associate' ? ['loc_first'] : []);
    },
  );

  it('binds an associate to the store that was named, and tells what the issuer refuses', async () => {
    const token = await requestDevelopmentToken(url, { client: 'associate', store: 'loc_other' });
    expect((await verifier()(`Bearer ${token}`))?.stores).toEqual(['loc_other']);
    await expect(requestDevelopmentToken(url, { client: 'customer-app', customer: 'not-an-id' })).rejects.toThrow(
      /The issuer refused: .*cus_/,
    );
    await expect(requestDevelopmentToken('http://127.0.0.1:1', { client: 'associate' })).rejects.toThrow(
      'cannot be reached',
    );
  });
});
