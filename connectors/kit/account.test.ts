import { describe, expect, it } from 'vitest';

import { codeOf, connect, echo, scope } from '#test/support/kit-system.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';

import { accountOf } from './account.ts';
import { createMemoryBudgets } from './budget-memory.ts';
import type { Auth, LimitRule } from './definition.ts';

const config = { id: 'crm', connector: 'test', url: 'https://vendor.test/a', credentials: {}, options: {} };
const bearer = (token: string): Auth<null> => ({ kind: 'headers', headers: () => ({ authorization: token }) });
const login = (password: string): Auth<null> => ({
  kind: 'token',
  endpoint: () => 'https://login.test/token',
  form: () => ({ password }),
  headers: () => ({}),
});

describe('an account', () => {
  it('is who logs in where, whatever the system is called', () => {
    const own = accountOf(bearer('a'), null, config);
    expect(accountOf(bearer('a'), null, { ...config, id: 'other', url: 'https://vendor.test/b' })).toBe(own);
    expect(accountOf(bearer('b'), null, config)).not.toBe(own);
    expect(accountOf(bearer('a'), null, { ...config, connector: 'other' })).not.toBe(own);
    expect(accountOf(bearer('a'), null, { ...config, url: 'https://sandbox.vendor.test/a' })).not.toBe(own);
    expect(accountOf(login('a'), null, config)).not.toBe(accountOf(login('b'), null, config));
  });

  it('without a login is the system alone', () => {
    const open: Auth<null> = { kind: 'headers', headers: () => ({}) };
    expect(accountOf(open, null, config)).not.toBe(accountOf(open, null, { ...config, id: 'other' }));
  });

  it('does not tell its login', () => {
    expect(accountOf(login('secret'), null, config)).toMatch(/^test:[0-9a-f]{32}$/);
  });
});

it('lends its limits to every system of it', async () => {
  const rules = (): readonly LimitRule[] => [{ kind: 'window', name: 'app', limit: 1, windowMs: 60_000 }];
  const definition = { limits: { concurrency: 4, pauseMs: 1_000, rules } };
  const budgets = createMemoryBudgets(Date.now);
  await using upstream = await startUpstream(({ body }, response) => sendJson(response, echo(body)));
  await using one = connect(upstream.url, { definition, budgets, id: 'one' });
  await using same = connect(upstream.url, { definition, budgets, id: 'same' });
  await using other = connect(upstream.url, {
    definition: { ...definition, auth: bearer('other') },
    budgets,
    id: 'one',
  });
  const [first] = await one.read(['1'], scope(500));
  const [second] = await same.read(['2'], scope(500));
  const [third] = await other.read(['3'], scope(500));
  expect([first, third]).toMatchObject([{ givenName: 'Person 1' }, { givenName: 'Person 3' }]);
  expect(codeOf(second)).toBe('UPSTREAM_RATE_LIMITED');
});
