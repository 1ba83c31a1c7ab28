import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { createPostgres } from '#test/support/databases.ts';
import { onFreePorts, readCommands, runShell } from '#test/support/page-commands.ts';
import { startRedis } from '#test/support/redis-server.ts';
import { canSplit } from '#test/support/split-services.ts';

const blocks = readCommands('split-mode.md');

/** The commands as printed, but on free ports, in a folder of their own, over services of their own. */
async function adapt(
  printed: string,
  { home, database, redis }: Readonly<Record<'home' | 'database' | 'redis', string>>,
) {
  const { script, free } = await onFreePorts(printed, /\b40[0-5]0\b/g);
  return script
    .replaceAll('.mortar', home)
    .replace(/postgres:\S+/, database)
    .replace(/redis:\S+/, redis)
    .replaceAll('$MORTAR sandbox', `$MORTAR sandbox --sandbox-port 0 --control-port 0 --home ${home}`)
    .replaceAll('--sandbox"', `--sandbox --metrics-port 0 --home ${home}"`)
    .replaceAll('$MORTAR token ', `$MORTAR token --url http://127.0.0.1:${free.get('4000')} `);
}

describe.skipIf(!canSplit)('docs/split-mode.md', () => {
  it('has commands that start the graph in parts as printed, and answers as told', async () => {
    expect(blocks).toHaveLength(4);
    const home = mkdtempSync(join(tmpdir(), 'mortar-split-'));
    await using database = await createPostgres();
    await using redis = await startRedis();
    try {
      const script = await adapt(blocks.join('\n'), { home, database: database.url, redis: redis.url });
      const { code, output } = await runShell(script);
      expect([code, output]).toEqual([0, expect.stringContaining('"quantity":{"value":')]);
      expect(output).toContain('"code":"UNAUTHENTICATED"');
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }, 150_000);
});
