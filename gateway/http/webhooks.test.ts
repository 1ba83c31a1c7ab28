import Fastify from 'fastify';
import pino from 'pino';
import { describe, expect, test } from 'vitest';

import type { WebhookAnswer, WebhookDelivery } from '#schema/model/webhooks.ts';
import { addWebhookRoutes } from './webhooks.ts';

async function open(answers: readonly WebhookAnswer[]) {
  let nowMs = Date.parse('2026-11-23T12:00:00.000Z');
  const deliveries: WebhookDelivery[] = [];
  const nudged: (readonly string[])[] = [];
  const app = Fastify();
  const left = [...answers];
  addWebhookRoutes(app, {
    config: { publicUrl: 'https://graph.example/' },
    clock: { nowMs: () => nowMs },
    logger: pino({ level: 'silent' }),
    systems: [
      {
        id: 'pos',
        receive: async (delivery) => {
          deliveries.push(delivery);
          return await Promise.resolve(left.shift() ?? { kind: 'REFUSED' });
        },
        nudge: (feeds) => nudged.push(feeds),
      },
    ],
  });
  app.post('/graphql', (request) => ({ got: request.body }));
  await app.ready();
  const post = async (url: string, payload: string | Buffer = '{}', type = 'application/json') =>
    await app.inject({ method: 'POST', url, payload, headers: { 'content-type': type } });
  const pass = (ms: number) => void (nowMs += ms);
  return { app, post, pass, deliveries, nudged, [Symbol.asyncDispose]: async () => app.close() };
}

describe('/webhooks/{system}', () => {
  test('a genuine delivery is answered at once and has its feeds read; a replay has not', async () => {
    await using server = await open([
      { kind: 'ACCEPTED', feeds: ['customers'] },
      { kind: 'REPLAYED' },
      { kind: 'ACCEPTED', feeds: [] },
    ]);
    const statuses = [];
    for (let index = 0; index < 3; index += 1) statuses.push((await server.post('/webhooks/pos')).statusCode);
    expect(statuses).toEqual([200, 200, 200]);
    expect(server.nudged).toEqual([['customers']]);
  });

  test('a delivery nobody signed answers 401, and starts nothing', async () => {
    await using server = await open([{ kind: 'REFUSED' }]);
    const answer = await server.post('/webhooks/pos');
    expect([answer.statusCode, answer.json().errors[0].extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(server.nudged).toEqual([]);
  });

  test('a signed delivery that cannot be read answers 400', async () => {
    await using server = await open([{ kind: 'UNREADABLE' }]);
    expect((await server.post('/webhooks/pos')).statusCode).toBe(400);
  });

  test('the handshake is echoed as plain text', async () => {
    await using server = await open([{ kind: 'HANDSHAKE', text: 'token' }]);
    const answer = await server.post('/webhooks/pos?validationToken=token', '');
    expect([answer.statusCode, answer.body]).toEqual([200, 'token']);
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  });

  test('the receiver sees the bytes, whatever their type, and the public address with its query', async () => {
    await using server = await open([]);
    const payload = Buffer.from([0x7b, 0x0a, 0xff, 0x20, 0x7d]);
    await server.post('/webhooks/pos?a=1', payload, 'application/vnd.api+json');
    await server.post('/webhooks/pos', '{ "a" :1}');
    expect(server.deliveries.map(({ url }) => url)).toEqual([
      'https://graph.example/webhooks/pos?a=1',
      'https://graph.example/webhooks/pos',
    ]);
    expect(Buffer.from(server.deliveries[0]?.body ?? [])).toEqual(payload);
    expect(Buffer.from(server.deliveries[1]?.body ?? []).toString()).toBe('{ "a" :1}');
  });

  test('a body of more than 256 KiB is refused before it is read by anyone', async () => {
    await using server = await open([{ kind: 'ACCEPTED', feeds: ['customers'] }]);
    expect((await server.post('/webhooks/pos', 'x'.repeat(256 * 1024 + 1))).statusCode).toBe(413);
    expect(server.deliveries).toEqual([]);
  });

  test.each(['/webhooks/crm', '/webhooks/__proto__', '/webhooks/'])(
    '%s, which sends no webhooks, is not there',
    async (url) => {
      await using server = await open([]);
      expect((await server.post(url)).statusCode).toBe(404);
    },
  );

  test.each(['REFUSED', 'HANDSHAKE'] as const)('a flood of %s deliveries keeps no genuine one out', async (kind) => {
    const answer: WebhookAnswer = kind === 'REFUSED' ? { kind } : { kind, text: 'echo' };
    await using server = await open([
      ...Array.from({ length: 1_000 }, () => answer),
      { kind: 'ACCEPTED', feeds: ['customers'] },
    ]);
    for (let sent = 0; sent < 1_000; sent += 1) await server.post('/webhooks/pos');
    expect((await server.post('/webhooks/pos')).statusCode).toBe(200);
    expect(server.nudged).toEqual([['customers']]);
  });

  test('of 2,000 forgeries a second the next are told to come again before their bodies are read', async () => {
    await using server = await open([]);
    for (let sent = 0; sent < 2_000; sent += 1) await server.post('/webhooks/pos');
    const answer = await server.post('/webhooks/pos', 'x'.repeat(256 * 1024 + 1));
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, '1']);
    server.pass(1_000);
    expect((await server.post('/webhooks/pos')).statusCode).toBe(401);
  });

  test('an address nobody has answers 404 before the body is read', async () => {
    await using server = await open([]);
    expect((await server.post('/webhooks/crm', 'x'.repeat(256 * 1024 + 1))).statusCode).toBe(404);
  });

  test('of a flood 200 a second are taken, the others are told to come again before their bodies are read', async () => {
    await using server = await open(Array.from({ length: 500 }, () => ({ kind: 'ACCEPTED', feeds: ['customers'] })));
    const answers = await Promise.all(Array.from({ length: 250 }, () => server.post('/webhooks/pos')));
    expect(Map.groupBy(answers, ({ statusCode }) => statusCode).get(200)?.length).toBe(200);
    const refused = answers.find(({ statusCode }) => statusCode === 429);
    expect([refused?.headers['retry-after'], server.deliveries.length]).toEqual(['1', 200]);
    server.pass(1_000);
    expect((await server.post('/webhooks/pos')).statusCode).toBe(200);
  });

  test('other routes keep their own way of reading bodies', async () => {
    await using server = await open([]);
    expect((await server.post('/graphql', '{"a":1}')).json()).toEqual({ got: { a: 1 } });
  });
});
