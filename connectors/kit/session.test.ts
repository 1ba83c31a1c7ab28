import { expect, it } from 'vitest';
import { z } from 'zod';

import { codeOf, connect, echo, scope } from '#test/support/kit-system.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

import type { SessionAuth } from './definition.ts';

const session = (url: string): SessionAuth<null> => ({
  kind: 'session',
  endpoint: () => `${url}/people`,
  login: () => ({ method: 'login', params: ['user', 'password'] }),
  key: z.tuple([z.number(), z.string()]).transform(([, key]) => key),
  lifeMs: 60_000,
  headers: (key) => ({ authorization: `Session ${key}` }),
});

/** A system whose n-th login gives the key n, and that takes only keys from `good` on. */
const startSystem = (good: number, login: (count: number) => unknown = (count) => [7, String(count)]) => {
  let logins = 0;
  return startUpstream(({ headers: { authorization }, body }, response) => {
    if (authorization === undefined) return sendJson(response, login((logins += 1)));
    const key = Number(authorization.replace('Session ', ''));
    return key < good ? sendJson(response, {}, 401) : sendJson(response, echo(body));
  });
};

it('logs in once for many reads, and again once when the session ended', async () => {
  await using upstream = await startSystem(2);
  await using system = connect(upstream.url, { definition: { auth: session(upstream.url) } });
  const [first] = await system.read(['1'], scope());
  await system.read(['2'], scope());
  expect(first).toMatchObject({ givenName: 'Person 1' });
  const logins = upstream.seen.filter(({ headers }) => headers.authorization === undefined);
  expect(logins.map(({ body }) => JSON.parse(body))).toEqual(
    Array.from({ length: 2 }, () => ({ method: 'login', params: ['user', 'password'] })),
  );
  expect(upstream.seen.map(({ headers }) => headers.authorization)).toEqual([
    undefined,
    'Session 1',
    undefined,
    'Session 2',
    'Session 2',
  ]);
});

it.each([[null], [[7]], ['text']])('cannot use the login answer %j', async (answer) => {
  await using upstream = await startSystem(1, () => answer);
  await using system = connect(upstream.url, { definition: { auth: session(upstream.url) } });
  expect(codeOf((await system.read(['1'], scope()))[0])).toBe('UPSTREAM_CONTRACT');
});
