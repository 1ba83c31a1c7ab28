import { expect, test } from 'vitest';

import { runWarm } from './warm.ts';

test('loads gateway, domains, command and sandbox, and leaves nothing out where all is installed', async () => {
  expect(await runWarm()).toEqual({ exitCode: 0, lines: ['Compiled code is kept for quick starts.'] });
});
