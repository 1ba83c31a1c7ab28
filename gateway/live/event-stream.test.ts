import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';

import { type EventStream, openEventStream } from './event-stream.ts';

/** One stream to a client that reads when it is told to. */
async function aStream(heartbeatMs = 60_000, stalledMs = 30_000) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const opened = Promise.withResolvers<{ stream: EventStream; response: ServerResponse }>();
  const closed = Promise.withResolvers<void>();
  const server = createServer((_request, response) => {
    const stream = openEventStream({ response, headers: {}, heartbeatMs, stalledMs, onClose: () => closed.resolve() });
    opened.resolve({ stream, response });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString()));
  socket.pause();
  onTestFinished(() => {
    vi.useRealTimers();
    socket.destroy();
    server.close();
  });
  return { ...(await opened.promise), closed: closed.promise, socket, received: () => received };
}

test('a client that does not read holds back the next event, and no heartbeat piles up behind it', async () => {
  const { stream, response, socket, received } = await aStream(5);
  const large = { data: { text: 'x'.repeat(4_000_000) } };
  let sent = 0;
  const sending = (async () => {
    for (let index = 0; index < 3; index += 1) {
      await stream.send(large);
      sent += 1;
    }
  })();
  await expect.poll(() => response.writableNeedDrain).toBe(true);
  const heldBack = response.writableLength;
  vi.advanceTimersByTime(1_000);
  expect([sent, response.writableLength]).toEqual([0, heldBack]);
  socket.resume();
  await sending;
  stream.end('COMPLETE');
  await expect.poll(() => received().includes('event: complete\ndata:\n\n')).toBe(true);
});

test('a client that leaves while it is waited for ends the wait and the stream', async () => {
  const { stream, socket, closed } = await aStream();
  const sending = stream.send({ data: { text: 'x'.repeat(8_000_000) } });
  socket.destroy();
  await Promise.all([sending, closed]);
  expect(stream.isOpen()).toBe(false);
  await stream.send({ data: null });
  stream.end('COMPLETE');
});

test('a client that takes nothing for too long is let go', async () => {
  const { stream, response, closed } = await aStream(60_000, 50);
  await stream.send({ data: { text: 'x'.repeat(8_000_000) } });
  await closed;
  expect([stream.isOpen(), response.destroyed]).toEqual([false, true]);
});

test('heartbeats are comments, and a broken stream is not complete', async () => {
  const { stream, socket, received } = await aStream(5);
  socket.resume();
  vi.advanceTimersByTime(20);
  await expect.poll(() => received().split(':\n\n').length > 3).toBe(true);
  const ended = new Promise((resolve) => {
    socket.once('end', resolve);
  });
  stream.end('BREAK');
  socket.end();
  await ended;
  expect(received()).not.toContain('complete');
});
