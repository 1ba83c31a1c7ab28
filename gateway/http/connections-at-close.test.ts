import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
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
  const close = async (): Promise<number> => {
    const startedAtMs = performance.now();
    await app.close();
    return performance.now() - startedAtMs;
  };
  const [release, isAsked] = [() => held.resolve(), asked.promise];
  return { port, ask, close, release, isAsked, [Symbol.dispose]: () => agent.destroy() };
}

it('a connection whose request runs when the app closes ends with its answer', async () => {
  using app = await anApp();
  const answer = app.ask('/answer');
  await app.isAsked;
  const closing = app.close();
  app.release();
  expect(await text(await answer)).toBe('{"done":true}');
  expect(await closing).toBeLessThan(SOON_MS);
}, 90_000);

it('a connection whose stream runs when the app closes ends with its stream', async () => {
  using app = await anApp();
  const stream = await app.ask('/stream');
  const closing = app.close();
  app.release();
  expect(await text(stream)).toBe('begun ended');
  expect(await closing).toBeLessThan(SOON_MS);
}, 90_000);

it('a connection that carried no request ends when the app closes', async () => {
  using app = await anApp();
  const socket = connect(app.port, '127.0.0.1');
  await once(socket, 'connect');
  const ended = once(socket, 'close');
  expect(await app.close()).toBeLessThan(SOON_MS);
  await ended;
}, 90_000);
