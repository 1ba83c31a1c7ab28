import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { PROJECT } from '#test/support/mortar-process.ts';
import { onFreePorts, readCommands, runShell } from '#test/support/page-commands.ts';

const blocks = readCommands('your-own-subgraph.md');

/** The commands as printed, but on free ports and in a folder of their own. */
async function adapt(printed: string, home: string): Promise<string> {
  const { script, free } = await onFreePorts(printed, /\b4[01]00\b/g);
  const port = free.get('4000');
  // Default ports are not printed.
  return script
    .replaceAll('.mortar', home)
    .replaceAll(
      '$MORTAR serve',
      `$MORTAR serve --port ${port} --metrics-port 0 --sandbox-port 0 --control-port 0 --home ${home}`,
    )
    .replaceAll('$MORTAR token ', `$MORTAR token --url http://127.0.0.1:${port} `);
}

const ANSWER =
  /"bonusProducts":\[\{"sku":"MG-00001","points":120,"title":"[^"]+","availability":\{"quantity":\{"value":/g;

describe('docs/your-own-subgraph.md', () => {
  it('has commands that put a subgraph beside ours without a restart, and keep it when a file is bad', async () => {
    expect(blocks).toHaveLength(6);
    const home = mkdtempSync(join(tmpdir(), 'mortar-own-'));
    try {
      // The page's server lies in the project, where it finds its packages.
      symlinkSync(join(PROJECT, 'node_modules'), join(home, 'node_modules'));
      const { code, output } = await runShell(await adapt(blocks.join('\n'), home));
      expect([code, output]).toEqual([0, expect.stringMatching(ANSWER)]);
      expect(output.match(ANSWER)).toHaveLength(2);
      expect(output).toMatch(/Product\.title.*\n(?:.*\n)*refused by compose/);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }, 150_000);
});
