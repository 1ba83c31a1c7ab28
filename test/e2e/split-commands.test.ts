import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { listen } from '#gateway/http/listen.ts';
import { createPostgres } from '#test/support/databases.ts';
import { killGroup, PROJECT } from '#test/support/mortar-process.ts';
import { startRedis } from '#test/support/redis-server.ts';
import { canSplit } from '#test/support/split-services.ts';

const page = readFileSync(new URL('../../docs/split-mode.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block]) => String(block));

async function freePort(): Promise<string> {
  const server = createServer();
  const { port } = new URL(await listen(server, { host: '127.0.0.1', port: 0, flag: '' }));
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The commands as printed, but on free ports, in a folder of their own, over services of their own. */
async function adapt(
  script: string,
  { home, database, redis }: Readonly<Record<'home' | 'database' | 'redis', string>>,
) {
  const ports = [...new Set([...script.matchAll(/\b40[0-5]0\b/g)].map(([port]) => port))];
  const free = new Map<string, string>();
  for (const port of ports) free.set(port, await freePort());
  return script
    .replaceAll(/\b40[0-5]0\b/g, (port) => free.get(port) ?? port)
    .replaceAll('.mortar', home)
    .replace(/postgres:\S+/, database)
    .replace(/redis:\S+/, redis)
    .replaceAll('$MORTAR sandbox', `$MORTAR sandbox --sandbox-port 0 --control-port 0 --home ${home}`)
    .replaceAll('--sandbox"', `--sandbox --metrics-port 0 --home ${home}"`)
    .replaceAll('$MORTAR token ', `$MORTAR token --url http://127.0.0.1:${free.get('4000')} `);
}

async function runShell(script: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn('bash', ['-c', `set -euo pipefail\ntrap 'kill $(jobs -p); wait' EXIT\n${script}`], {
    cwd: PROJECT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => texts.push(text));
  const timer = setTimeout(() => killGroup(child.pid ?? -1), 120_000);
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  clearTimeout(timer);
  killGroup(child.pid ?? -1);
  return { code, output: texts.join('') };
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
