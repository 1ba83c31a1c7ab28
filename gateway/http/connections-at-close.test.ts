import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';

import { createApp } from './app.ts';

/** Node's own waits are 10 s and more. */
const SOON_MS = 5_000;

/** An app with an answer and a stream that wait for `release`, a client that keeps its connections, and how long closing takes. */
async function anApp() {
  const app = createApp({ limits: { bodyBytes: 1_000 } }, { debug() {}, info() {}, warn() {}, error() {} });
  const held = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  app.get('/answer', async () => {
    asked.resolve();
    await held.promise;
    return { done: true };
  });
  app.post('/answer', () => ({ done: true }));
  app.get('/stream', (_request, reply) => {
    const { raw } = reply.hijack();
    raw.writeHead(200).write('begun ');
    void held.promise.then(() => raw.end('ended'));
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  const ask = (path: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      httpRequest({ host: '127.0.0.1', port, path, agent }, resolve).on('error', reject).end();
    });
  /** A connection that sent this, and everything it gets. */
  const send = async (bytes: string): Promise<{ readonly socket: Socket; readonly received: Promise<string> }> => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(bytes);
    return { socket, received: text(socket) };
  };
  const close = async (): Promise<number> => {
    const startedAtMs = performance.now();
    await app.close();
    return performance.now() - startedAtMs;
  };
  const [release, isAsked] = [() => held.resolve(), asked.promise];
  return { ask, send, close, release, isAsked, [Symbol.dispose]: () => agent.destroy() };
}

it('a connection whose request runs when the app closes ends with its answer', async () => {
  using app = await anApp();
  const answer = app.ask('/answer');
  await app.isAsked;
  const closing = app.close();
  // Until it has begun.
  await sleep(50);
  app.release();
  const response = await answer;
  expect(response.headers.connection).toBe('close');
  expect(await text(response)).toBe('{"done":true}');
  expect(await closing).toBeLessThan(SOON_MS);
}, 90_000);

it('a connection whose stream runs when the app closes ends with its stream', async () => {
  using app = await anApp();
  const stream = await app.ask('/stream');
  const closing = app.close();
  // Until it has begun.
  await sleep(50);
  app.release();
  expect(await text(stream)).toBe('begun ended');
  expect(await closing).toBeLessThan(SOON_MS);
}, 90_000);

it('requests that a client sent ahead on one connection are all answered before it ends', async () => {
  using app = await anApp();
  const head = 'HTTP/1.1\r\nhost: x\r\n\r\n';
  const { received } = await app.send(`GET /answer ${head}GET /stream ${head}GET /answer ${head}`);
  await app.isAsked;
  const closing = app.close();
  // Until it has begun.
  await sleep(50);
  app.release();
  expect((await received).match(/HTTP\/1\.1 200/g)).toHaveLength(3);
  expect(await received).toContain('ended');
  expect(await closing).toBeLessThan(SOON_MS);
}, 90_000);

it.each([
  ['no request', ''],
  ['half a head', 'GET /answer HTTP/1.1\r\nhost:'],
  ['half a body', 'POST /answer HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{'],
  ['half of a second request', 'GET /none HTTP/1.1\r\nhost: x\r\n\r\nGET /ans'],
])(
  'a connection that carried %s ends when the app closes',
  async (_, bytes) => {
    using app = await anApp();
    const { received } = await app.send(bytes);
    // Until the bytes are there.
    await sleep(100);
    expect(await app.close()).toBeLessThan(SOON_MS);
    await received;
  },
  90_000,
);
