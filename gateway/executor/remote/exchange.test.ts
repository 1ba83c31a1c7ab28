import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';

import { createExchanger, type Exchange } from './exchange.ts';
import { sendJson, serveSubgraph, type SubgraphCall } from '#test/support/federation/http-subgraph.ts';

/** A busy machine is slow. */
const PATIENT = { timeout: 15_000 };

type Patience = { isOver: boolean; onOver: (() => void) | null };

/** One exchange, and how its caller gives it up. */
function anExchange(url: string, body: object = {}): { readonly exchange: Exchange; readonly giveUp: () => void } {
  const { origin, pathname: path } = new URL(url);
  const waiting: Patience = { isOver: false, onOver: null };
  const giveUp = (): void => {
    waiting.isOver = true;
    waiting.onOver?.();
  };
  return { exchange: { endpoint: { origin, path }, headers: [], body: JSON.stringify(body), waiting }, giveUp };
}

it('a swap that ends after all connections were closed breaks nothing', async () => {
  await using shop = await serveSubgraph((call) => sendJson(call, { data: null }));
  const exchanger = createExchanger();
  const answer = await exchanger.send(anExchange(shop.url).exchange);
  expect(answer).toMatchObject({ status: 200, text: '{"data":null}' });
  await exchanger.close();
  // A rejection that nobody handles would fail the run.
  exchanger.retain(new Set());
});

it('what waits for a connection is sent in its turn, and opens none when its time is over before', async () => {
  const held: SubgraphCall[] = [];
  await using shop = await serveSubgraph((call) => void held.push(call));
  const exchanger = createExchanger({ connections: 2 });
  const ask = (name: string) => {
    const { exchange, giveUp } = anExchange(shop.url, { query: name });
    return { answer: exchanger.send(exchange).then(({ text }) => text), giveUp };
  };
  const [first, second] = [ask('first'), ask('second')];
  await vi.waitFor(() => expect(held).toHaveLength(2), PATIENT);
  const left = Array.from({ length: 50 }, (_, index) => ask(`left ${index}`));
  const [third, fourth] = [ask('third'), ask('fourth')];
  const gone = Promise.allSettled(left.map(({ answer }) => answer));
  for (const { giveUp } of left) giveUp();
  expect((await gone).every(({ status }) => status === 'rejected')).toBe(true);
  for (const call of held.splice(0)) sendJson(call, call.query);
  await vi.waitFor(() => expect(held).toHaveLength(2), PATIENT);
  for (const call of held.splice(0)) sendJson(call, call.query);
  expect(await Promise.all([first, second, third, fourth].map(({ answer }) => answer))).toEqual([
    '"first"',
    '"second"',
    '"third"',
    '"fourth"',
  ]);
  expect(shop.calls.map(({ query }) => query).slice(2)).toEqual(['third', 'fourth']);
  expect(shop.connections()).toBe(2);
  await exchanger.close();
});

it('a connection that is given up makes room for who waits', async () => {
  await using shop = await serveSubgraph((call) => {
    if (call.query === 'waits') sendJson(call, null);
  });
  const exchanger = createExchanger({ connections: 1 });
  const hanging = anExchange(shop.url, { query: 'hangs' });
  const given = exchanger.send(hanging.exchange);
  const waiting = exchanger.send(anExchange(shop.url, { query: 'waits' }).exchange);
  await vi.waitFor(() => expect(shop.calls).toHaveLength(1), PATIENT);
  hanging.giveUp();
  await expect(given).rejects.toThrow('nobody waits');
  expect(await waiting).toMatchObject({ status: 200, text: 'null' });
  await exchanger.close();
});

it('what is given up while its connection is still made opens no other, however often', async () => {
  const sockets: Socket[] = [];
  let isHolding = true;
  // It never answers the handshake; who waits for that has no connection yet.
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    if (!isHolding) socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const exchanger = createExchanger({ connections: 2 });
  for (let wave = 0; wave < 5; wave += 1) {
    const asked = Array.from({ length: 10 }, () => anExchange(url));
    const settled = Promise.allSettled(asked.map(({ exchange }) => exchanger.send(exchange)));
    for (const { giveUp } of asked) giveUp();
    // oxlint-disable-next-line no-await-in-loop -- one wave after the other
    expect((await settled).every(({ status }) => status === 'rejected')).toBe(true);
  }
  await vi.waitFor(() => expect(sockets).toHaveLength(2), PATIENT);
  const last = exchanger.send(anExchange(url).exchange);
  isHolding = false;
  for (const socket of sockets) socket.destroy();
  await expect(last).rejects.toThrow('the connection failed');
  expect(sockets).toHaveLength(3);
  await exchanger.close();
  server.close();
});

it('all that wait are told when the connections are closed, however many', async () => {
  await using shop = await serveSubgraph(() => undefined);
  const exchanger = createExchanger({ connections: 1 });
  const all = Array.from({ length: 20_000 }, () => exchanger.send(anExchange(shop.url).exchange));
  const settled = Promise.allSettled(all);
  await sleep(10);
  await exchanger.close();
  expect((await settled).every(({ status }) => status === 'rejected')).toBe(true);
});

it('a graph of more than 256 subgraphs keeps the connection to each, and loses nothing that waits for one', async () => {
  const shops = await Promise.all(
    Array.from({ length: 260 }, () => serveSubgraph((call) => sendJson(call, call.query))),
  );
  const exchanger = createExchanger({ connections: 1 });
  try {
    // Three at once over one connection: two of them wait.
    const asked = shops.flatMap(({ url }) => ['a', 'b', 'c'].map((query) => anExchange(url, { query })));
    await Promise.all(asked.map(({ exchange }) => exchanger.send(exchange)));
    expect(new Set(shops.map((shop) => shop.connections()))).toEqual(new Set([1]));
  } finally {
    await exchanger.close();
    await Promise.all(shops.map((shop) => shop[Symbol.asyncDispose]()));
  }
});
