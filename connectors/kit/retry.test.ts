import { describe, expect, it } from 'vitest';

import { codeOf, connect, echo, scope } from '#test/support/kit-system.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

import type { ConnectorDefinition } from './definition.ts';

const tokenAuth = (url: string): ConnectorDefinition<null>['auth'] => ({
  kind: 'token',
  endpoint: () => `${url}/token`,
  form: () => ({}),
  headers: (token) => ({ authorization: token }),
});

describe('retries', () => {
  it('are a tenth of the calls at most where too few fail to rest the system', async () => {
    await using upstream = await startUpstream(({ body }, response) => {
      if (body.includes('bad')) sendJson(response, {}, 503);
      else sendJson(response, echo(body));
    });
    await using crm = connect(upstream.url);
    for (let index = 0; index < 90; index += 1) await crm.read([index % 3 === 0 ? `bad${index}` : `${index}`], scope());
    expect(crm.system.health().breakers.read).toBe('CLOSED');
    expect(upstream.seen.length).toBeGreaterThan(93);
    expect(upstream.seen.length).toBeLessThanOrEqual(102);
  });

  it('are not made after a failure that took more than half of the time', async () => {
    await using upstream = await startUpstream((_request, response) => {
      setTimeout(() => sendJson(response, {}, 503), 300);
    });
    await using crm = connect(upstream.url);
    expect((await crm.read(['1'], scope(500))).map(codeOf)).toEqual(['UPSTREAM_UNAVAILABLE']);
    expect(upstream.seen.length).toBe(1);
  });
});

describe('a system that refuses every token', () => {
  it('is asked for two, not for one a call, and rests', async () => {
    await using upstream = await startUpstream(({ url }, response, count) => {
      if (url === '/token') sendJson(response, { access_token: `t${count}`, expires_in: 3_600 });
      else sendJson(response, {}, 401);
    });
    await using crm = connect(upstream.url, { definition: { auth: tokenAuth(upstream.url) } });
    for (let index = 0; index < 50; index += 1) await crm.read([`${index}`], scope());
    const asked = upstream.seen.map(({ url }) => url);
    expect(asked.filter((url) => url === '/token').length).toBe(2);
    expect(asked.length).toBeLessThanOrEqual(2 + 6);
    expect(crm.system.health()).toMatchObject({ state: 'DOWN', breakers: { read: 'OPEN' } });
  });

  it('is not asked again with credentials it refused a moment ago', async () => {
    await using upstream = await startUpstream((_request, response) => sendJson(response, {}, 400));
    await using crm = connect(upstream.url, { definition: { auth: tokenAuth(upstream.url) } });
    for (let index = 0; index < 4; index += 1) {
      expect((await crm.read([`${index}`], scope())).map(codeOf)).toEqual(['UPSTREAM_UNAVAILABLE']);
    }
    expect(upstream.seen.length).toBe(1);
  });
});

it('gives every call of a moment the token that one of them was refused for', async () => {
  let good = 't1';
  let issued = 0;
  await using upstream = await startUpstream(({ url, body, headers }, response) => {
    if (url === '/token') return sendJson(response, { access_token: `t${(issued += 1)}`, expires_in: 3_600 });
    return headers.authorization === good ? sendJson(response, echo(body)) : sendJson(response, {}, 401);
  });
  await using crm = connect(upstream.url, {
    definition: { auth: tokenAuth(upstream.url) },
    options: { concurrency: 3 },
  });
  await crm.read(['1'], scope());
  good = 't2';
  const slots = await Promise.all(['2', '3', '4'].map((key) => crm.read([key], scope())));
  expect(slots.flat()).toMatchObject(['2', '3', '4'].map((key) => ({ givenName: `Person ${key}` })));
  expect(issued).toBe(2);
});

it('takes no answer that is not UTF-8 for text', async () => {
  await using upstream = await startUpstream((_request, response) => {
    const text = Buffer.from('{"rows":[{"id":"1","name":"Ad\xe9"}]}', 'latin1');
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  });
  await using crm = connect(upstream.url);
  expect((await crm.read(['1'], scope())).map(codeOf)).toEqual(['UPSTREAM_CONTRACT']);
});
