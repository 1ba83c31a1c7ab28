import { expect, test } from 'vitest';
import { setupServer } from 'msw/node';
import type { World } from '#sandbox/world/types.ts';
import { vendorHandlers } from './msw.ts';

test('a vendor handler answers every request below its base address', async () => {
  const world = { sequence: 7 } as World;
  const handler = async (request: Request, { sequence }: World) =>
    Response.json({
      method: request.method,
      path: new URL(request.url).pathname,
      text: await request.text(),
      sequence,
    });
  const server = setupServer(...vendorHandlers('https://pos.test', handler, world));
  server.listen();
  try {
    const answer = await fetch('https://pos.test/v2/x?y=1', { method: 'POST', body: 'hello' });
    expect(await answer.json()).toEqual({ method: 'POST', path: '/v2/x', text: 'hello', sequence: 7 });
  } finally {
    server.close();
  }
});
