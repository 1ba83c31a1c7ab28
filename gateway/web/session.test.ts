import { afterEach, expect, it, vi } from 'vitest';

import { createFetcher, createSession } from './session.ts';

afterEach(() => vi.unstubAllGlobals());

/** What the page sends for one query with the headers typed in its editor. */
async function sentHeaders(typed: Record<string, string>): Promise<Record<string, string>> {
  const fetch = vi.fn<typeof globalThis.fetch>(() => Promise.resolve(Response.json({ data: {} })));
  vi.stubGlobal('fetch', fetch);
  const session = createSession();
  session.token = Promise.resolve('ours');
  session.purpose = 'PERSONALIZATION';
  await createFetcher(session)({ query: '{ a }' }, { headers: typed });
  return Object.fromEntries(new Headers(fetch.mock.calls[0]?.[1]?.headers));
}

it('a request carries the token of the client that was chosen and its purpose', async () => {
  expect(await sentHeaders({})).toMatchObject({ authorization: 'Bearer ours', 'mortar-purpose': 'PERSONALIZATION' });
});

it('a header typed in the editor stands in the place of ours, however it is written', async () => {
  expect(await sentHeaders({ Authorization: 'Bearer typed' })).toMatchObject({ authorization: 'Bearer typed' });
});
