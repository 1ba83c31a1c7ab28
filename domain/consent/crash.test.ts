import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

import { openDatabase } from '#platform/open-database.ts';
import { verifyLedger } from './ledger-verify.ts';
import type { ConsentTables } from './tables.ts';
import { TEST_MIGRATIONS } from './test-kit.ts';

const KILLS = 3;
const child = fileURLToPath(new URL('./crash-child.ts', import.meta.url));

/** The receipts a writer was answered before it was killed; those still in the pipe count too. */
async function receiptsUntilKilled(file: string, prefix: string, after: number): Promise<readonly string[]> {
  const writer = spawn(process.execPath, [child, file, prefix], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(writer, 'exit');
  const receipts: string[] = [];
  for await (const line of createInterface({ input: writer.stdout })) {
    receipts.push(line);
    if (receipts.length === after) writer.kill('SIGKILL');
  }
  await exited;
  // What the kill cut in the middle was never read by anybody.
  return receipts.filter((receipt) => /^rcp_[0-9a-f-]{36}$/.test(receipt));
}

test('loses no answered decision and breaks no chain when the process is killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mortar-crash-'));
  const file = join(folder, 'state.sqlite');
  try {
    const receipts: string[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      receipts.push(...(await receiptsUntilKilled(file, `run-${kill}`, 20 + kill)));
    }
    const database = await openDatabase({ location: { kind: 'sqlite', file }, migrations: TEST_MIGRATIONS });
    const rows = await database.as<ConsentTables>().read.selectFrom('consent_idempotency').select('answer').execute();
    const stored = new Set(rows.map(({ answer }) => (JSON.parse(answer) as { readonly receipt: string }).receipt));
    const verdict = await verifyLedger({ database });
    await database.close();
    expect(receipts.length).toBeGreaterThanOrEqual(60);
    expect(receipts.filter((receipt) => !stored.has(receipt))).toEqual([]);
    expect(verdict).toMatchObject({ ok: true, subjects: 1, events: stored.size });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
