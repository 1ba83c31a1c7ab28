import { describe, expect, it } from 'vitest';

import { codeOf, collectCalls, connect, definition, echo, scope } from '#test/support/kit-system.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

import type { ConnectorDefinition, Ports, TokenAuth } from './definition.ts';

describe('failures', () => {
  it('ends a call that gets no answer at its timeout', async () => {
    await using upstream = await startUpstream(() => {});
    await using crm = connect(upstream.url, { options: { timeoutMs: 60 } });
    const [slot] = await crm.read(['1'], scope(70));
    expect(codeOf(slot)).toBe('UPSTREAM_TIMEOUT');
    expect(slot).toMatchObject({ system: 'crm', attempts: 1 });
  });

  it('ends a call whose body stalls', async () => {
    await using upstream = await startUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"rows":');
    });
    await using crm = connect(upstream.url, { options: { timeoutMs: 60 } });
    expect(codeOf((await crm.read(['1'], scope(70)))[0])).toBe('UPSTREAM_TIMEOUT');
  });

  it('tells the request’s trace each attempt, and that nothing was sent when no time is left', async () => {
    await using upstream = await startUpstream(({ body }, response, count) => {
      if (count === 1) response.writeHead(503).end();
      else sendJson(response, echo(body));
    });
    await using crm = connect(upstream.url);
    const { calls, trace } = collectCalls();
    await crm.read(['1'], { ...scope(), trace });
    await crm.read(['2'], { ...scope(5), trace });
    expect(calls).toMatchObject([
      { attempt: 1, status: 503, errorCode: 'UPSTREAM_UNAVAILABLE' },
      { attempt: 2, status: 200, errorCode: null },
      { attempt: 1, status: null, shared: false },
    ]);
  });

  it('stops at once when the caller leaves', async () => {
    const controller = new AbortController();
    await using upstream = await startUpstream(() => controller.abort());
    await using crm = connect(upstream.url);
    const [slot] = await crm.read(['1'], scope(60_000, controller.signal));
    expect(codeOf(slot)).toBe('UPSTREAM_TIMEOUT');
    expect(crm.system.health()).toMatchObject({ state: 'UP', lastErrorCode: null });
  });

  it('tries a reset connection once more and succeeds', async () => {
    await using upstream = await startUpstream(({ body }, response, count) => {
      if (count === 1) response.destroy();
      else sendJson(response, echo(body));
    });
    await using crm = connect(upstream.url);
    expect((await crm.read(['1'], scope()))[0]).toMatchObject({ givenName: 'Person 1' });
    expect(crm.traces.map(({ attempt, status, errorCode }) => ({ attempt, status, errorCode }))).toEqual([
      { attempt: 1, status: 0, errorCode: 'UPSTREAM_UNAVAILABLE' },
      { attempt: 2, status: 200, errorCode: null },
    ]);
  });

  it('asks a failing system twice and no more', async () => {
    await using upstream = await startUpstream((_request, response) => sendJson(response, { message: 'down' }, 503));
    await using crm = connect(upstream.url);
    const [slot] = await crm.read(['1'], scope());
    expect(codeOf(slot)).toBe('UPSTREAM_UNAVAILABLE');
    expect(upstream.seen.length).toBe(2);
  });

  it.each([
    ['HTML', '<html>secret-value</html>'],
    ['broken JSON', '{"rows": [{"id": "secret-value"'],
    ['an empty body', ''],
    ['a wrong type', '{"rows": "secret-value"}'],
    ['null', 'null'],
  ])('answers UPSTREAM_CONTRACT to %s and repeats none of it', async (_name, text) => {
    await using upstream = await startUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    });
    await using crm = connect(upstream.url);
    const [slot] = await crm.read(['secret-key'], scope());
    expect(codeOf(slot)).toBe('UPSTREAM_CONTRACT');
    const message = slot instanceof Error ? slot.message : '';
    expect(`${message} ${JSON.stringify(crm.traces)}`).not.toMatch(/secret/);
    expect(upstream.seen.length).toBe(1);
    expect(crm.system.health()).toMatchObject({ lastErrorCode: 'UPSTREAM_CONTRACT' });
  });

  it('refuses an answer of 9 MiB, declared or streamed', async () => {
    const megabyte = ' '.repeat(1024 * 1024);
    await using upstream = await startUpstream((_request, response, count) => {
      response.writeHead(200, count === 1 ? { 'content-length': 9 * 1024 * 1024 } : {});
      for (let index = 0; index < 9; index += 1) response.write(megabyte);
      response.end();
    });
    await using crm = connect(upstream.url);
    expect(codeOf((await crm.read(['1'], scope()))[0])).toBe('UPSTREAM_CONTRACT');
    expect(codeOf((await crm.read(['2'], scope()))[0])).toBe('UPSTREAM_CONTRACT');
  });

  it('follows no redirect', async () => {
    await using elsewhere = await startUpstream((_request, response) => sendJson(response, { rows: [] }));
    await using upstream = await startUpstream((_request, response) => {
      response.writeHead(307, { location: elsewhere.url }).end();
    });
    await using crm = connect(upstream.url);
    expect(codeOf((await crm.read(['1'], scope()))[0])).toBe('UPSTREAM_CONTRACT');
    expect(elsewhere.seen).toEqual([]);
  });

  it('rests a system after five failures in a row and says that it is down', async () => {
    await using upstream = await startUpstream((_request, response) => void response.destroy());
    await using crm = connect(upstream.url);
    for (const key of ['1', '2', '3', '4', '5', '6', '7']) {
      expect(codeOf((await crm.read([key], scope()))[0])).toBe('UPSTREAM_UNAVAILABLE');
    }
    expect(upstream.seen.length).toBe(5);
    expect(crm.system.health()).toMatchObject({
      state: 'DOWN',
      lastErrorCode: 'UPSTREAM_UNAVAILABLE',
      breakers: { read: 'OPEN', feed: 'CLOSED', write: 'CLOSED' },
    });
  });
});

describe('limits', () => {
  it('waits out a 429 that fits the deadline', async () => {
    await using upstream = await startUpstream(({ body }, response, count) => {
      if (count === 1) sendJson(response, {}, 429, { 'retry-after': '0.02' });
      else sendJson(response, echo(body));
    });
    await using crm = connect(upstream.url);
    expect((await crm.read(['1'], scope()))[0]).toMatchObject({ givenName: 'Person 1' });
    expect(upstream.seen.length).toBe(2);
  });

  it('fails fast on a 429 that does not fit, and keeps everyone away meanwhile', async () => {
    await using upstream = await startUpstream((_request, response) =>
      sendJson(response, {}, 429, { 'retry-after': '30' }),
    );
    await using crm = connect(upstream.url);
    const [slot] = await crm.read(['1'], scope(1_000));
    expect(codeOf(slot)).toBe('UPSTREAM_RATE_LIMITED');
    expect(slot).toMatchObject({ retryAfterMs: 30_000 });
    expect(codeOf((await crm.read(['2'], scope(1_000)))[0])).toBe('UPSTREAM_RATE_LIMITED');
    expect(upstream.seen.length).toBe(1);
  });

  it('keeps to the concurrency of the connector', async () => {
    await using upstream = await startUpstream(({ body }, response) => {
      setTimeout(() => sendJson(response, echo(body)), 5);
    });
    await using crm = connect(upstream.url);
    const keys = Array.from({ length: 24 }, (_, index) => String(index));
    const slots = await crm.read(keys, scope());
    expect(slots.every((slot) => slot !== null && !(slot instanceof Error))).toBe(true);
    expect(upstream.mostAtOnce()).toBe(2);
  });
});

describe('tokens', () => {
  const tokenAuth = (url: string): ConnectorDefinition<null>['auth'] => ({
    kind: 'token',
    endpoint: () => `${url}/token`,
    form: () => ({ grant_type: 'client_credentials', client_secret: 'a&b' }),
    headers: (token) => ({ authorization: `Bearer ${token}` }),
  });

  it('gets one token for calls at once, and one new token when the system refuses it', async () => {
    let issued = 0;
    let good = 'token-1';
    await using upstream = await startUpstream(({ url, body, headers }, response) => {
      if (url === '/token') {
        issued += 1;
        return sendJson(response, { access_token: `token-${issued}`, expires_in: 3600 });
      }
      if (headers.authorization !== `Bearer ${good}`) return sendJson(response, {}, 401);
      return sendJson(response, echo(body));
    });
    await using crm = connect(upstream.url, { definition: { auth: tokenAuth(upstream.url) } });
    await crm.read(['1', '2', '3', '4', '5', '6'], scope());
    expect(issued).toBe(1);
    expect(upstream.seen[0]).toMatchObject({ body: 'grant_type=client_credentials&client_secret=a%26b' });
    good = 'token-2';
    expect((await crm.read(['1'], scope()))[0]).toMatchObject({ givenName: 'Person 1' });
    expect(issued).toBe(2);
  });

  it('fails for everyone who waits when no token can be had, also for those who left', async () => {
    const controller = new AbortController();
    await using upstream = await startUpstream((_request, response) => {
      controller.abort();
      sendJson(response, { error: 'invalid_client' }, 401);
    });
    await using crm = connect(upstream.url, { definition: { auth: tokenAuth(upstream.url) } });
    const [left, stayed] = await Promise.all([
      crm.read(['1'], scope(5_000, controller.signal)),
      crm.read(['2'], scope(5_000)),
    ]);
    const gone = await crm.read(['3'], scope(5_000, controller.signal));
    expect([left, stayed, gone].map((slots) => codeOf(slots[0]))).toEqual([
      'UPSTREAM_TIMEOUT',
      'UPSTREAM_UNAVAILABLE',
      'UPSTREAM_TIMEOUT',
    ]);
  });

  it('exchanges its token for a restricted one where a request needs it', async () => {
    await using upstream = await startUpstream(({ url, body }, response) => {
      if (url === '/token') return sendJson(response, { access_token: 'usual', expires_in: 3600 });
      if (url === '/exchange') {
        return sendJson(response, { restrictedDataToken: 'narrow', expiresIn: 3600 });
      }
      return sendJson(response, echo(body));
    });
    const exchange = { endpoint: `${upstream.url}/exchange`, json: { path: '/people' } };
    const auth = { ...(tokenAuth(upstream.url) as TokenAuth<null>), restricted: () => exchange };
    await using crm = connect(upstream.url, { definition: { auth, ports: restrictedPorts() } });
    expect((await crm.read(['1'], scope()))[0]).toMatchObject({ givenName: 'Person 1' });
    await crm.read(['2'], scope());
    expect(upstream.seen.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/token', undefined],
      ['/exchange', 'Bearer usual'],
      ['/people', 'Bearer narrow'],
      ['/people', 'Bearer narrow'],
    ]);
    expect(upstream.seen[1]?.body).toBe('{"path":"/people"}');
  });

  it('gives up when a new token is refused too', async () => {
    let issued = 0;
    await using upstream = await startUpstream(({ url }, response) => {
      if (url !== '/token') return sendJson(response, {}, 401);
      issued += 1;
      return sendJson(response, { access_token: 'token', expires_in: 3600 });
    });
    await using crm = connect(upstream.url, { definition: { auth: tokenAuth(upstream.url) } });
    expect(codeOf((await crm.read(['1'], scope()))[0])).toBe('UPSTREAM_UNAVAILABLE');
    expect(issued).toBe(2);
    expect(upstream.seen.length).toBe(4);
  });
});

/** The test system's ports, with reads of people that need a restricted token. */
function restrictedPorts(): Ports<null> {
  const { profiles } = definition.ports;
  if (profiles === undefined) throw new Error('bound');
  return {
    ...definition.ports,
    profiles: { ...profiles, request: (ids, context) => ({ ...profiles.request(ids, context), restricted: true }) },
  };
}
