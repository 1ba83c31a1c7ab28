import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

import type { Evidence, Reporter } from '#test/support/evidence.ts';
import { PROJECT } from '#test/support/mortar-process.ts';

/** What the short form runs: consent, stock, scopes and tokens are what parts could break. */
const REPRESENTATIVE = ['consent', 'stock', 'scopes-and-purposes', 'tokens'].map((name) => `test/e2e/${name}.test.ts`);
/** Of products in parts, whatever the mode: once is enough. */
const OF_PARTS = /\/split(?:-[a-z]+)?\.test\.ts$/;
const ROTATION = 'test/e2e/split-keys.test.ts';
const WITHIN_MS = 20 * 60_000;

const results = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  testResults: z.array(
    z.object({ name: z.string(), assertionResults: z.array(z.object({ status: z.string(), title: z.string() })) }),
  ),
});
/** Why a file does not run in parts, as it says itself. */
const REASON = /skipsInSplitMode\('([^']+)'\)/;

/** `split`: the e2e suite over one process, and over a gateway and five subgraphs, with the same answers expected. */
export const split: Evidence = {
  name: 'split',
  summary:
    'the e2e suite passes over one process, and over a gateway and five subgraphs; keys rotate without a lost request',
  run: async (report) => {
    const suite = report.short ? REPRESENTATIVE : globSync('test/e2e/*.test.ts', { cwd: PROJECT });
    const shared = suite.filter((file) => !OF_PARTS.test(file));
    const parts = report.short ? [ROTATION] : suite.filter((file) => OF_PARTS.test(file));
    const alone = await runFiles(shared, {}, report);
    const apart = await runFiles(shared, { MORTAR_E2E_MODE: 'split' }, report);
    const about = await runFiles(parts, {}, report);
    tell(report, 'in one process', alone);
    tell(report, 'in parts', apart);
    tell(report, 'about parts', about);
    tellSkipped(report, alone, apart);
    const [, requests = '0', failed = '-1'] = /key rotation: (\d+) requests, (\d+) failed/.exec(about.output) ?? [];
    const row = { name: 'split', unit: 'requests', median: null, spread: null, n: Number(requests) };
    const isProven = Number(failed) === 0 && Number(requests) >= 200;
    report.row({ ...row, metric: 'failed over a key rotation', value: Number(failed), target: 0, ok: isProven });
  },
};

interface Counted extends z.infer<typeof results> {
  readonly output: string;
}

function tell(report: Reporter, where: string, counted: Counted): void {
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = counted;
  if (failed > 0 || passed === 0) report.progress(counted.output.slice(-20_000));
  const row = { name: 'split', unit: 'tests', n: passed + failed + skipped, median: null, spread: null };
  report.row({ ...row, metric: `passed ${where}`, value: passed, ok: passed > 0 });
  report.row({ ...row, metric: `failed ${where}`, value: failed, target: 0, ok: failed === 0 });
  report.row({ ...row, metric: `skipped ${where}`, value: skipped, ok: true });
}

/** A test that is skipped in parts alone needs a reason in its file; each is named. */
function tellSkipped(report: Reporter, alone: Counted, apart: Counted): void {
  const everywhere = new Set(skippedTests(alone));
  const onlyApart = skippedTests(apart).filter((test) => !everywhere.has(test));
  const unexplained = onlyApart.filter((test) => {
    const reason = REASON.exec(readFileSync(test.split(' > ', 1)[0] ?? '', 'utf8'))?.[1];
    report.progress(`skipped in parts: ${test.slice(PROJECT.length)}: ${reason ?? 'no reason'}`);
    return reason === undefined;
  });
  const row = { name: 'split', unit: 'tests', n: onlyApart.length, median: null, spread: null };
  const ok = unexplained.length === 0;
  report.row({ ...row, metric: 'skipped in parts without a reason', value: unexplained.length, target: 0, ok });
}

/** As file > title. */
function skippedTests({ testResults }: Counted): readonly string[] {
  return testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ title }) => `${name} > ${title}`),
  );
}

/** Runs files one after the other: a product in parts takes a small machine for itself. */
async function runFiles(
  files: readonly string[],
  mode: Readonly<Record<string, string>>,
  { progress }: Reporter,
): Promise<Counted> {
  const folder = mkdtempSync(join(tmpdir(), 'mortar-proof-'));
  const outputFile = join(folder, 'results.json');
  progress(`${files.length} files${mode['MORTAR_E2E_MODE'] === 'split' ? ' in parts' : ''}`);
  const words = ['run', ...files, '--no-file-parallelism', '--reporter=default', '--reporter=json'];
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...words, `--outputFile=${outputFile}`], {
    cwd: PROJECT,
    // What is not tested is not proven: a missing service fails.
    env: { ...process.env, MORTAR_REQUIRE_SERVICES: '1', NO_COLOR: '1', ...mode },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: WITHIN_MS,
  });
  const texts: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => texts.push(text));
  await new Promise((resolve) => {
    child.once('close', resolve);
  });
  try {
    return { ...results.parse(JSON.parse(readFileSync(outputFile, 'utf8'))), output: texts.join('') };
  } catch (error) {
    throw new Error(`the tests did not end: ${texts.join('').slice(-2_000)}`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
