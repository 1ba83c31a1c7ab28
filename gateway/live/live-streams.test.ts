import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { createFixtureGateway, type FixtureOptions, startTestIssuer, type TestIssuer } from '#test/support/gateway.ts';
import { subscribeTo } from '#test/support/live.ts';

const ONE = 'subscription One($id: ID!) { who: customerChanged(id: $id) { id name email points } }';
const SOME = 'subscription Some($ids: [ID!]!) { found(ids: $ids) { id } }';

let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await startTestIssuer();
});
afterAll(async () => issuer.close());

/** The fixture gateway on a port, and subscriptions to it. */
async function openGateway(options: Omit<FixtureOptions, 'issuer'> = {}) {
  const gateway = await createFixtureGateway({ issuer, ...options });
  const address = await gateway.app.listen({ host: '127.0.0.1', port: 0 });
  const url = `${address}/graphql`;
  onTestFinished(async () => gateway.close());
  const subscribe = async (
    query: string,
    variables: Record<string, unknown>,
    more: { token?: string; purpose?: string; retries?: number } = {},
  ) => {
    const token = more.token ?? (await issuer.issue());
    const headers = { authorization: `Bearer ${token}`, 'mortar-purpose': more.purpose ?? 'SERVICE_SUPPORT' };
    const subscription = subscribeTo(url, {
      query,
      variables,
      headers,
      ...(more.retries === undefined ? {} : { retries: more.retries }),
    });
    onTestFinished(() => subscription.leave());
    return subscription;
  };
  const changed = (...ids: string[]) => gateway.behavior.changes.publish('customer', ids);
  const openStreams = async () =>
    /^mortar_streams_open\{[^}]*\} (\d+)$/m.exec((await gateway.metrics.render()).text)?.[1];
  const post = async (query: string, headers: Record<string, string> = {}) => {
    const token = `Bearer ${await issuer.issue()}`;
    const given = { 'content-type': 'application/json', accept: 'text/event-stream', authorization: token, ...headers };
    const response = await fetch(url, { method: 'POST', headers: given, body: JSON.stringify({ query }) });
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
  };
  return { ...gateway, url, subscribe, changed, openStreams, post };
}

const codesOf = (answer: { errors?: readonly { extensions: Record<string, unknown> }[] }) =>
  answer.errors?.map(({ extensions }) => extensions['code']);

describe('a subscription', () => {
  it('tells the state of now at once, and again after a change, read by its query through all subgraphs', async () => {
    const { subscribe, changed, behavior } = await openGateway();
    const live = await subscribe(ONE, { id: '1' });
    expect(await live.next()).toMatchObject({
      data: { who: { id: '1', name: 'name-1', email: 'mail-1', points: 10 } },
    });
    behavior.points = () => 77;
    changed('2');
    changed('1');
    const second = await live.next();
    expect(second).toMatchObject({ data: { who: { points: 77 } }, extensions: { requestId: expect.any(String) } });
    expect(second.errors).toBeUndefined();
    expect(behavior.fetches.filter(({ text }) => text.includes('customer(id:'))).toHaveLength(2);
    expect(behavior.fetches.some(({ text }) => text.includes('Subscription'))).toBe(false);
  });

  it('shows in the next event what a withdrawal closed and a grant opened, and says why', async () => {
    const { subscribe, changed, behavior } = await openGateway();
    const live = await subscribe(ONE, { id: '1' });
    await live.next();
    behavior.verdict = () => ({ allowed: false, reason: 'CONSENT_REQUIRED' });
    changed('1');
    expect(await live.next()).toMatchObject({
      data: { who: { id: '1', email: null, points: 10 } },
      extensions: {
        consent: expect.arrayContaining([
          expect.objectContaining({ coordinate: 'Customer.email', reason: 'CONSENT_REQUIRED' }),
        ]),
      },
    });
    behavior.verdict = () => ({ allowed: true });
    changed('1');
    expect(await live.next()).toMatchObject({ data: { who: { email: 'mail-1' } } });
  });

  it('of a list tells all members first, then those that changed, in the order asked', async () => {
    const { subscribe, changed, behavior } = await openGateway();
    const live = await subscribe(SOME, { ids: ['3', '1', '2'] });
    const ids = async () => {
      const { data } = await live.next();
      return (data as { found: { id: string }[] }).found.map(({ id }) => id);
    };
    expect(await ids()).toEqual(['3', '1', '2']);
    changed('2', '3', 'x');
    expect(await ids()).toEqual(['3', '2']);
    behavior.changes.publish('customer', null);
    expect(await ids()).toEqual(['3', '1', '2']);
  });

  it('makes one event of a burst, and none of a change that changes nothing', async () => {
    const { subscribe, changed, behavior, metrics } = await openGateway();
    const live = await subscribe(ONE, { id: '1' });
    await live.next();
    for (let index = 0; index < 50; index += 1) changed('1');
    const unchanged = async () => (await metrics.render()).text.includes('outcome="unchanged"} 1');
    await expect.poll(unchanged).toBe(true);
    behavior.points = () => 5;
    for (let index = 0; index < 50; index += 1) changed('1');
    expect(await live.next()).toMatchObject({ data: { who: { points: 5 } } });
    expect(live.waiting()).toBe(0);
    expect(behavior.fetches.filter(({ text }) => text.includes('customer(id:'))).toHaveLength(3);
  });

  it('prunes what role or purpose may never see, as a query does', async () => {
    const { subscribe, behavior } = await openGateway();
    const live = await subscribe(ONE, { id: '1' }, { purpose: 'PERSONALIZATION' });
    expect(await live.next()).toMatchObject({
      data: { who: { id: '1', email: null } },
      extensions: { consent: expect.arrayContaining([expect.objectContaining({ reason: 'PURPOSE_NOT_ALLOWED' })]) },
    });
    expect(behavior.fetches.some(({ text }) => /\bemail\b/.test(text))).toBe(false);
  });

  it('without the scope is answered once, as a query is, and ends', async () => {
    const { subscribe, behavior } = await openGateway();
    const live = await subscribe(ONE, { id: '1' }, { token: await issuer.issue({ scope: 'catalog:read' }) });
    const answer = await live.next();
    expect(answer.data).toEqual({ who: null });
    expect(codesOf(answer)).toEqual(['SCOPE_REQUIRED']);
    await live.completed;
    expect(behavior.changes.watcherCount()).toBe(0);
  });

  it('ends with its reason when the token ends', async () => {
    const { subscribe } = await openGateway();
    // Five seconds of tolerance: it is accepted for about one more second.
    const exp = Math.floor(Date.now() / 1000) - 3;
    const live = await subscribe(ONE, { id: '1' }, { token: await issuer.issue({ exp }) });
    await live.next();
    const last = await live.next();
    expect(codesOf(last)).toEqual(['UNAUTHENTICATED']);
    expect([last.data, last.errors?.[0]?.message]).toEqual([undefined, 'The token has expired.']);
    await live.completed;
  });

  it('whose subgraph hangs tells so within the time of a query, and goes on', async () => {
    const { subscribe, changed, behavior } = await openGateway({ limits: { requestMs: { query: 200 } } });
    const live = await subscribe(ONE, { id: '1' });
    await live.next();
    behavior.points = () => new Promise(() => undefined);
    changed('1');
    expect(codesOf(await live.next())).toEqual(['DEADLINE_EXCEEDED']);
    behavior.points = () => 3;
    changed('1');
    expect(await live.next()).toMatchObject({ data: { who: { points: 3 } } });
  });

  it('that the client leaves holds nothing any more', async () => {
    const { subscribe, changed, behavior, openStreams } = await openGateway();
    const one = await subscribe(ONE, { id: '1' });
    const two = await subscribe(ONE, { id: '1' });
    await Promise.all([one.next(), two.next()]);
    expect([behavior.changes.watcherCount(), await openStreams()]).toEqual([2, '2']);
    one.leave();
    await expect.poll(() => behavior.changes.watcherCount()).toBe(1);
    two.leave();
    await expect.poll(openStreams).toBe('0');
    const before = behavior.fetches.length;
    changed('1');
    expect([behavior.changes.watcherCount(), behavior.fetches.length]).toEqual([0, before]);
  });
});

describe('streams', () => {
  it('are limited by caller and by process', async () => {
    const { subscribe, openStreams } = await openGateway({ limits: { streams: { perCaller: 1, perProcess: 2 } } });
    const first = await subscribe(ONE, { id: '1' });
    await first.next();
    await expect((await subscribe(ONE, { id: '2' })).next()).rejects.toThrow('503');
    const other = await issuer.issue({ client_id: 'other' });
    await (await subscribe(ONE, { id: '1' }, { token: other })).next();
    const third = await issuer.issue({ client_id: 'third' });
    await expect((await subscribe(ONE, { id: '1' }, { token: third })).next()).rejects.toThrow('503');
    first.leave();
    await expect.poll(openStreams).toBe('1');
    await (await subscribe(ONE, { id: '2' })).next();
  });

  it('break when the process stops, so that clients come again, and no new one opens', async () => {
    const { subscribe, drain, openStreams } = await openGateway();
    const live = await subscribe(ONE, { id: '1' });
    const patient = await subscribe(ONE, { id: '1' }, { retries: 1 });
    await Promise.all([live.next(), patient.next()]);
    drain();
    await expect(live.completed).rejects.toThrow(/closed/);
    await expect(patient.completed).rejects.toThrow('503');
    expect([patient.connections(), await openStreams()]).toEqual([2, '0']);
  });

  it('end after their life, and the client comes again by itself', async () => {
    const { subscribe } = await openGateway({ limits: { streams: { lifeMs: 1_000 } } });
    const live = await subscribe(ONE, { id: '1' }, { retries: 1 });
    const first = await live.next();
    expect(await live.next()).toMatchObject({ data: first.data! });
    expect(live.connections()).toBe(2);
  });
});

describe('over HTTP', () => {
  it('needs a token, and says so by the status', async () => {
    const { url } = await openGateway();
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
    const body = JSON.stringify({ query: ONE, variables: { id: '1' } });
    const none = await fetch(url, { method: 'POST', headers, body });
    // A bare introspection needs no token here; a subscription does.
    expect(await none.text()).toContain('UNAUTHENTICATED');
    const wrong = await fetch(url, { method: 'POST', headers: { ...headers, authorization: 'Bearer x' }, body });
    expect([wrong.status, wrong.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('resource_metadata'),
    ]);
  });

  it.each([
    ['a field that is not there', 'subscription { nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    [
      'two fields',
      'subscription { a: customerChanged(id: 1) { id } b: customerChanged(id: 2) { id } }',
      'GRAPHQL_VALIDATION_FAILED',
    ],
    ['broken syntax', 'subscription {', 'GRAPHQL_PARSE_FAILED'],
    [
      'too deep a document',
      `subscription { customerChanged(id: 1) ${'{ friends '.repeat(16)}{ id }${' }'.repeat(16)} }`,
      'LIMIT_DEPTH',
    ],
    ['too many keys', `subscription { found(ids: ${JSON.stringify(Array(201).fill('1'))}) { id } }`, 'LIMIT_LIST'],
  ])('refuses %s in one event, as the protocol demands', async (_, query, code) => {
    const { post } = await openGateway();
    const { status, type, text } = await post(query);
    expect([status, type]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(text).toMatch(/^event: next\ndata: \{.*\}\n\nevent: complete\ndata:\n\n$/);
    expect(text).toContain(`"code":"${code}"`);
  });

  it('streams the one answer of a query to who takes nothing else', async () => {
    const { post } = await openGateway();
    const { status, text } = await post('{ product(sku: "1") { sku } }');
    expect([status, text]).toEqual([
      200,
      expect.stringContaining('event: next\ndata: {"data":{"product":{"sku":"1"}}'),
    ]);
    const also = await post('{ product(sku: "1") { sku } }', { accept: 'application/json, text/event-stream' });
    expect([also.status, also.type]).toEqual([200, 'application/json; charset=utf-8']);
  });

  it('tells a client that takes no events how to subscribe', async () => {
    const { post } = await openGateway();
    const { status, text } = await post('subscription { customerChanged(id: 1) { id } }', {
      accept: 'application/json',
    });
    expect([status, text]).toEqual([400, expect.stringContaining('text/event-stream')]);
  });

  it('takes GET with a header that asks before, and lets it change nothing', async () => {
    const { url, behavior } = await openGateway();
    const get = async (query: string, headers: Record<string, string>) => {
      const authorization = `Bearer ${await issuer.issue({ scope: 'customers:read customers:write' })}`;
      const accept = 'text/event-stream';
      const controller = new AbortController();
      const response = await fetch(`${url}?query=${encodeURIComponent(query)}`, {
        headers: { authorization, accept, 'mortar-purpose': 'SERVICE_SUPPORT', ...headers },
        signal: controller.signal,
      });
      const reader = response.body?.getReader();
      let text = '';
      while (!text.endsWith('\n\n') || text === ':\n\n')
        text += Buffer.from((await reader?.read())?.value ?? []).toString();
      controller.abort();
      return { status: response.status, text };
    };
    const asked = { 'apollo-require-preflight': '1' };
    const query = 'subscription { customerChanged(id: 1) { id } }';
    expect((await get(query, asked)).text).toContain('{"customerChanged":{"id":"1"}}');
    const response = await fetch(`${url}?query=${encodeURIComponent(query)}`, {
      headers: { authorization: `Bearer ${await issuer.issue()}`, accept: 'text/event-stream' },
    });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('BAD_REQUEST')]);
    const mutation = await fetch(`${url}?query=${encodeURIComponent('mutation { rename(id: 1) { id } }')}`, {
      headers: { authorization: `Bearer ${await issuer.issue()}`, accept: 'text/event-stream', ...asked },
    });
    expect(mutation.status).toBe(405);
    expect(behavior.fetches.some(({ text }) => text.includes('rename'))).toBe(false);
  });
});
