import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { listen } from './listen.ts';
import { createFixtureGateway, startTestIssuer, type TestIssuer } from '#test/support/gateway.ts';

let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await startTestIssuer();
});
afterAll(async () => issuer.close());

/** What comes back for raw bytes, until the server closes. */
function send(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

describe('connections', () => {
  it('aborts what runs for a client that went away', async () => {
    const { promise: started, resolve: start } = Promise.withResolvers<AbortSignal>();
    const gateway = await createFixtureGateway({
      issuer,
      wrap: (subgraph) => ({
        ...subgraph,
        execute: (fetch) => {
          start(fetch.request.signal);
          return subgraph.execute(fetch);
        },
      }),
    });
    const url = await listen(gateway.app, { host: '127.0.0.1', port: 0, flag: '--port' });
    const client = new AbortController();
    const gone = fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await issuer.issue()}` },
      body: JSON.stringify({ query: '{ slow { sku } }' }),
      signal: client.signal,
    });
    const signal = await started;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    client.abort();
    await expect(gone).rejects.toThrow('aborted');
    await aborted;
    await gateway.close();
  });

  it.each([
    ['bytes that are no HTTP', 'hello\r\n\r\n', 400],
    [
      'two lengths of one body',
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      400,
    ],
    ['headers of 40 KB', `GET /livez HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(40_000)}\r\n\r\n`, 431],
  ])('refuses %s with JSON and a code, and closes the connection', async (_, bytes, status) => {
    const gateway = await createFixtureGateway({ issuer });
    const { port } = new URL(await listen(gateway.app, { host: '127.0.0.1', port: 0, flag: '--port' }));
    const [head = '', body = ''] = (await send(Number(port), bytes)).split('\r\n\r\n');
    expect(head).toContain(`HTTP/1.1 ${status} `);
    expect(JSON.parse(body)).toMatchObject({
      errors: [{ message: expect.any(String), extensions: { code: 'BAD_REQUEST' } }],
      extensions: { requestId: expect.any(String) },
    });
    await gateway.close();
  });

  it('closes at once although a client opened a connection and asked nothing yet', async () => {
    const gateway = await createFixtureGateway({ issuer });
    const { port } = new URL(await listen(gateway.app, { host: '127.0.0.1', port: 0, flag: '--port' }));
    const socket = connect(Number(port), '127.0.0.1');
    await once(gateway.app.server, 'connection');
    const ended = once(socket, 'close');
    await gateway.close();
    expect(await ended).toEqual([false]);
  });

  it('says which address or port cannot be had', async () => {
    const { app, close } = await createFixtureGateway({ issuer });
    for (const [host, port, message] of [
      [
        'no-such-host.invalid',
        0,
        'the address no-such-host.invalid is not one of this machine; choose another with --host',
      ],
      ['127.0.0.1', 65_536, 'there is no port 65536; choose one with --metrics-port'],
    ] as const) {
      await expect(listen(app, { host, port, flag: '--metrics-port' })).rejects.toMatchObject({
        code: 'CONFIGURATION_INVALID',
        message,
      });
    }
    await close();
  });

  it('lets pages of configured origins in and no others', async () => {
    const gateway = await createFixtureGateway({ issuer, config: { cors: { origins: ['https://shop.example/'] } } });
    const preflight = (origin: string) =>
      gateway.app.inject({
        method: 'OPTIONS',
        url: '/graphql',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const allowed = await preflight('https://shop.example');
    expect([allowed.statusCode, allowed.headers['access-control-allow-origin']]).toEqual([204, 'https://shop.example']);
    expect((await preflight('https://evil.example')).headers['access-control-allow-origin']).toBeUndefined();
    await gateway.close();
  });

  it('names the public address when a proxy stands before it', async () => {
    const gateway = await createFixtureGateway({ issuer, config: { publicUrl: 'https://graph.example/' } });
    expect((await gateway.app.inject('/.well-known/oauth-protected-resource')).json()).toMatchObject({
      resource: 'https://graph.example/graphql',
    });
    expect((await gateway.ask('{ product(sku: 1) { sku } }', { token: 'x' })).headers['www-authenticate']).toContain(
      'resource_metadata="https://graph.example/.well-known/oauth-protected-resource"',
    );
    await gateway.close();
  });
});
