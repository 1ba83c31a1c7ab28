import { execFile } from 'node:child_process';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import type { EvidenceRow } from '#test/support/evidence.ts';
import { PROJECT } from '#test/support/mortar-process.ts';

const RULES = readdirSync(fileURLToPath(new URL('sabotage/', import.meta.url)))
  .map((file) => file.replace(/\.ts$/, ''))
  .filter((rule) => rule !== 'patch');

/** Runs the short proofs that watch over a rule with the rule removed. */
async function proveWithout(rule: string): Promise<{ readonly code: number; readonly rows: readonly EvidenceRow[] }> {
  const file = join(tmpdir(), `mortar-proof-${process.pid}-${rule}.json`);
  const { promise, resolve } = Promise.withResolvers<number>();
  const command = [join(PROJECT, 'test/proof/main.ts'), '--short', '--sabotage', rule, '--json', file];
  execFile(join(PROJECT, 'node_modules/.bin/node'), command, { cwd: PROJECT }, (error) =>
    resolve(typeof error?.code === 'number' ? error.code : 0),
  );
  const code = await promise;
  const rows = JSON.parse(readFileSync(file, 'utf8')) as readonly EvidenceRow[];
  rmSync(file);
  return { code, rows };
}

it.each(RULES)(
  'the proof turns red without %s, by what it counts and not by a crash',
  async (rule) => {
    const { code, rows } = await proveWithout(rule);
    expect(code).toBe(1);
    expect(rows.map(({ metric }) => metric)).not.toContain('completed');
    expect(rows.some(({ ok }) => !ok)).toBe(true);
  },
  90_000,
);

it('refuses a rule that no proof watches over', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const command = [join(PROJECT, 'test/proof/main.ts'), '--sabotage', 'gravity'];
  execFile(join(PROJECT, 'node_modules/.bin/node'), command, { cwd: PROJECT }, (_error, _out, stderr) =>
    resolve(stderr),
  );
  expect(await promise).toContain('unknown rule gravity');
});
