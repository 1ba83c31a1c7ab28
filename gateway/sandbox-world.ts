import { basename } from 'node:path';

import type { Config } from './config-schema.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { MortarError } from '#platform/errors.ts';
import { commitFeedCursor, readFeedCursor } from '#platform/feed-cursors.ts';

const ENTRY = { system: 'sandbox', feed: 'world' } as const;

/**
 * Keeps the directories of two sandbox worlds apart: a file is named for its world, but a server's database is whatever
 * DATABASE_URL names. Remembers the world at its first start. Real systems are not checked.
 * @throws {MortarError} CONFIGURATION_INVALID when the database holds another world
 */
export async function assertSameWorld(
  database: Database,
  { sandbox, databaseFile }: Pick<Config, 'sandbox' | 'databaseFile'>,
  clock: Clock,
): Promise<void> {
  if (!sandbox) return;
  const world = basename(databaseFile, '.sqlite');
  const known = await readFeedCursor(database, ENTRY);
  if (known === world) return;
  if (known !== null) {
    throw new MortarError('CONFIGURATION_INVALID', {
      message: `The database of DATABASE_URL holds the sandbox's ${known}, and this start is ${world}: customers and orders of both would be mixed. Start with the same --scale, --seed, --dataset and --stores, or give this world a database of its own.`,
    });
  }
  await database.write
    .transaction()
    .execute(async (trx) => commitFeedCursor(trx, { ...ENTRY, cursor: world, done: true, atMs: clock.nowMs() }));
}
