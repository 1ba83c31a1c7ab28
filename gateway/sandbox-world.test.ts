import { expect, it } from 'vitest';

import { assertSameWorld } from './sandbox-world.ts';
import { systemClock } from '#platform/clock.ts';
import { feedCursorMigrations } from '#platform/feed-cursors.ts';
import { describeDatabases } from '#test/support/databases.ts';

const start = (world: string, sandbox = true) => ({ sandbox, databaseFile: `/home/sandbox/${world}.sqlite` });

describeDatabases('a database under the sandbox', (open) => {
  it('takes the world of its first start again and refuses another by name', async () => {
    await using db = await open(feedCursorMigrations);
    await assertSameWorld(db.database, start('world-small-1'), systemClock);
    await assertSameWorld(db.database, start('world-small-1'), systemClock);
    await expect(assertSameWorld(db.database, start('world-small-2'), systemClock)).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringMatching(/holds the sandbox's world-small-1, and this start is world-small-2/),
    });
  });

  it('does not ask real systems for a world', async () => {
    await using db = await open(feedCursorMigrations);
    await assertSameWorld(db.database, start('world-small-1'), systemClock);
    await expect(assertSameWorld(db.database, start('mortar', false), systemClock)).resolves.toBeUndefined();
  });
});
