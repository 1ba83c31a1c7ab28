import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';

import { createRemoteWatches } from './remote-watch.ts';
import { createRemoteSources } from './remote-source.ts';
import { systemClock } from '#platform/clock.ts';
import { createChanges } from '#platform/changes.ts';
import { contextOfPair, subgraphServer } from '#test/support/federation/served-subgraph.ts';
import { createFixtureSubgraphs } from '#test/support/gateway.ts';
import { aRequest } from '#test/support/people-subgraph.ts';

const EVENTS = { 'content-type': 'text/event-stream' };
const logger = { warn: () => undefined };

/** The people of the fixture in a server of their own, and a gateway's way to them. */
async function openApart({ beforeWatch = async () => {} }: { readonly beforeWatch?: () => Promise<void> } = {}) {
  const changes = createChanges({ key: new Uint8Array(32) });
  const [people] = createFixtureSubgraphs({
    verdict: () => ({ allowed: true }),
    points: () => 1,
    fetches: [],
    degraded: null,
    changes,
  });
  if (people === undefined) throw new Error('the fixture has people');
  const { sign, verify } = contextOfPair();
  const subgraph: typeof people = {
    ...people,
    watch: async (asked) => {
      await beforeWatch();
      return people.watch(asked);
    },
  };
  const serve = async (port = 0) => {
    const app = subgraphServer(subgraph, { trust: { context: verify } });
    const address = await app.listen({ host: '127.0.0.1', port });
    return { app, address, port: Number(new URL(address).port) };
  };
  const served = await serve();
  const url = `${served.address}/graphql`;
  const remote = createRemoteSources({
    clock: systemClock,
    logger,
    sign,
    subgraphs: [{ name: 'people', url, trust: 'context' }],
  });
  onTestFinished(async () => {
    await remote.close();
    await served.app.close();
  });
  const source = remote.find({ name: 'people', url: '' });
  const heard: (readonly string[] | null)[] = [];
  const watch = async (scopes: Parameters<typeof aRequest>[1] = ['customers:read'], field = 'found') => {
    if (source?.watch === undefined) throw new Error('it trusts the context');
    return source.watch({
      field,
      arguments: field === 'found' ? { ids: ['1', '2'] } : { id: '1' },
      request: aRequest({}, scopes),
      onChange: (keys) => void heard.push(keys),
    });
  };
  return { changes, served, serve, watch, heard };
}

it('keys that changed come from the process that owns the field, until the stream is closed there too', async () => {
  const { changes, watch, heard } = await openApart();
  const close = await watch();
  expect(changes.watcherCount()).toBe(1);
  changes.publish('customer', ['2', 'x']);
  await expect.poll(() => heard).toEqual([['2']]);
  changes.publish('customer', null);
  await expect.poll(() => heard).toEqual([['2'], null]);
  close();
  await expect.poll(() => changes.watcherCount()).toBe(0);
});

it('rights are checked where the field is owned, and what is refused opens nothing', async () => {
  const { changes, watch } = await openApart();
  await expect(watch(['catalog:read'], 'customerChanged')).rejects.toMatchObject({ code: 'SCOPE_REQUIRED' });
  await expect(watch(['customers:read'], 'nothing')).rejects.toMatchObject({ code: 'OPERATION_RESOLUTION_FAILURE' });
  expect(changes.watcherCount()).toBe(0);
});

it('who does not sign gets no source stream', async () => {
  const { served, changes } = await openApart();
  const post = async (headers: Record<string, string>) =>
    served.app.inject({
      method: 'POST',
      url: '/live',
      headers: { 'content-type': 'application/json', ...headers },
      payload: JSON.stringify({ watch: { field: 'found', arguments: { ids: ['1'] } } }),
    });
  const strangers: Record<string, string>[] = [{}, { authorization: 'Bearer x' }, { 'mortar-context': 'x.y.z' }];
  for (const headers of strangers) {
    expect((await post(headers)).statusCode).toBe(401);
  }
  expect(changes.watcherCount()).toBe(0);
});

it('after the process was away the stream comes again, and tells that keys may have been missed', async () => {
  const { served, serve, changes, watch, heard } = await openApart();
  const close = await watch();
  await served.app.close();
  await expect.poll(() => changes.watcherCount()).toBe(0);
  const again = await serve(served.port);
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual([null]);
  changes.publish('customer', ['1']);
  await expect.poll(() => heard).toEqual([null, ['1']]);
  close();
  await expect.poll(() => changes.watcherCount()).toBe(0);
  await again.app.close();
}, 20_000);

it('a stream that is opened while its process stops ends with it', async () => {
  const [asked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const beforeWatch = (): Promise<void> => {
    asked.resolve();
    return held.promise;
  };
  const { changes, served, watch } = await openApart({ beforeWatch });
  const opening = Promise.allSettled([watch()]);
  await asked.promise;
  const closing = served.app.close();
  // Until the streams that were open by then are ended.
  await sleep(50);
  held.resolve();
  await closing;
  expect(changes.watcherCount()).toBe(0);
  await opening;
});

it('a process that cannot be reached is told at once', async () => {
  const { served, watch } = await openApart();
  await served.app.close();
  await expect(watch()).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
});

/** A process where the subgraph should be, and a way to watch it. */
async function openStranger(
  answer: RequestListener,
  { openMs = 10_000, signal }: { readonly openMs?: number; readonly signal?: AbortSignal } = {},
) {
  let requests = 0;
  let open = 0;
  const server = createServer((request, response) => {
    requests += 1;
    open += 1;
    response.on('close', () => (open -= 1));
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const watches = createRemoteWatches({ openMs });
  onTestFinished(async () => {
    await watches.close();
    server.closeAllConnections();
    await promisify(server.close.bind(server))();
  });
  const { port } = server.address() as AddressInfo;
  const reasons: unknown[] = [];
  const subgraph = {
    name: 'people',
    url: new URL(`http://127.0.0.1:${port}/graphql`),
    sign: () => 'signed',
    logger: { warn: (facts: object) => void reasons.push('reason' in facts && facts.reason) },
  };
  const request = { ...aRequest(), ...(signal === undefined ? {} : { signal }) };
  const watch = { field: 'found', arguments: {}, request, onChange: () => undefined };
  const opening = watches.open(subgraph, watch);
  return { opening, facts: () => ({ requests, open, reasons }) };
}

const NO_EVENTS = 'it answered with status 200 and no events';

it.each<[string, string, RequestListener]>([
  ['a page', NO_EVENTS, (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
  [
    'a page without end',
    NO_EVENTS,
    (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).write('x'.repeat(20_000)),
  ],
  [
    'a stream that ends at once',
    'it ended before it was open',
    (_, response) => response.writeHead(200, EVENTS).end(':\n\n'),
  ],
  [
    'a redirect',
    'it answered with status 302 and no events',
    (_, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
  ],
  [
    'a stream that breaks',
    'other side closed',
    (_, response) => void response.writeHead(200, EVENTS).write(':\n\n', () => response.destroy()),
  ],
])('%s in the place of a source stream is refused at once, and not asked again', async (_, reason, answer) => {
  const { opening, facts } = await openStranger(answer);
  await expect(opening).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
  await sleep(300);
  expect(facts()).toEqual({ requests: 1, open: 0, reasons: [reason] });
});

it('a stream that never says it is open is given up', async () => {
  const silent: RequestListener = (_, response) => void response.writeHead(200, EVENTS).write(':\n\n');
  const { opening, facts } = await openStranger(silent, { openMs: 200 });
  await expect(opening).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
  await expect.poll(facts).toEqual({ requests: 1, open: 0, reasons: ['it did not say that it is open'] });
});

it('a client that leaves while a source stream is being opened stops the opening', async () => {
  const client = new AbortController();
  const asked = Promise.withResolvers<void>();
  const { opening, facts } = await openStranger(() => asked.resolve(), { signal: client.signal });
  await asked.promise;
  client.abort();
  await expect(opening).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  await expect.poll(facts).toEqual({ requests: 1, open: 0, reasons: [] });
});
