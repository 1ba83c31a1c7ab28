import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

import type { Evidence, EvidenceRow, Reporter } from '#test/support/evidence.ts';
import { PROJECT } from '#test/support/mortar-process.ts';
import { trytonOrSkip } from '#test/support/tryton/trytond.ts';
import { BROKEN_RULES, type BrokenRule } from './broken-kit.ts';
import type { ConformJob } from './conform-child.ts';
import { type PassedCase, coverageOf } from './conform-items.ts';
import { sabotageArguments } from './sabotage.ts';

const CHILD = fileURLToPath(new URL('conform-child.ts', import.meta.url));
const SUITE = 'connectors/conform.test.ts';
const OVER_TRYTON = 'connectors/erp-tryton/erp-tryton.conform.test.ts';
const WITHIN_MS = 15 * 60_000;
/** Connectors with a sandbox: fewer would be green without being tried. */
const WITH_SANDBOX = 8;
/** Of the short form: reads and webhooks, writes and feeds, tokens. All of them run with every `npm test`. */
const REPRESENTATIVE = ['erp-business-central', 'crm-hubspot', 'marketplace-amazon'];
const CONNECTOR = /^(.+) conforms$/;

const results = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({
          ancestorTitles: z.array(z.string()),
          title: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
          meta: z.looseObject({ wrongAnswers: z.number().optional() }),
        }),
      ),
    }),
  ),
});
interface Case extends PassedCase {
  readonly connector: string;
  readonly status: string;
  readonly why: string;
  readonly wrongAnswers: number;
}

export const conform: Evidence = {
  name: 'conform',
  summary: 'every connector passes the one suite of all, each item of its list for each port, and the suite can fail',
  sabotages: ['hostile-literal'],
  run: async (report) => {
    const isShort = report.short || report.sabotage !== null;
    const files = [SUITE];
    if (isShort) report.progress(`the short form is of ${REPRESENTATIVE.join(', ')}`);
    else if (await trytonOrSkip()) files.push(OVER_TRYTON);
    else report.progress('Tryton is not installed (as root: test/support/tryton/install.sh)');
    const some = isShort ? `^(${REPRESENTATIVE.join('|')}) conforms` : null;
    // The cases about the rule are enough to miss it.
    const only = report.sabotage === null ? some : '^erp-business-central conforms .*sends a hostile key';
    const cases = await runSuite(report, { files, only, patches: [] });
    const connectors = Map.groupBy(cases, ({ connector }) => connector);
    for (const [connector, own] of connectors) tell(report, connector, own);
    if (report.sabotage !== null) return;
    const least = isShort ? REPRESENTATIVE.length : WITH_SANDBOX + files.length - 1;
    report.row({
      name: 'conform',
      metric: 'connectors tried',
      value: connectors.size,
      unit: 'connectors',
      n: cases.length,
      median: null,
      spread: null,
      target: least,
      ok: connectors.size === least,
    });
    await tellBroken(report, isShort ? BROKEN_RULES.slice(0, 2) : BROKEN_RULES);
  },
};

function tell(report: Reporter, connector: string, cases: readonly Case[]): void {
  const row = (metric: string, value: number, more: Pick<EvidenceRow, 'ok'> & Partial<EvidenceRow>): void =>
    report.row({
      name: 'conform',
      metric: `${connector}: ${metric}`,
      value,
      unit: '',
      n: cases.length,
      median: null,
      spread: null,
      ...more,
    });
  const passed = cases.filter(({ status }) => status === 'passed');
  for (const { suite, title, status, why } of cases)
    if (status !== 'passed')
      report.progress(`${connector}: ${suite}: ${title}: ${status} ${why.split('\n')[0]?.slice(0, 300)}`);
  row('cases passed', passed.length, { target: cases.length, ok: passed.length === cases.length && passed.length > 0 });
  if (report.sabotage !== null) return;
  const wrongAnswers = passed.reduce((sum, each) => sum + each.wrongAnswers, 0);
  const { held, missing } = coverageOf(passed);
  for (const each of missing) report.progress(`${connector} has no case of ${each}`);
  const items = held + missing.length;
  row('items of the list held, port by port', held, { n: items, target: items, ok: missing.length === 0 && held > 0 });
  row('wrong answers refused', wrongAnswers, { n: wrongAnswers, ok: wrongAnswers > 0 });
}

/** The suite must notice each rule that is not there, by the item it is about. */
async function tellBroken(report: Reporter, rules: readonly BrokenRule[]): Promise<void> {
  let caught = 0;
  for (const { item, connector, cases: titles, patches } of rules) {
    const only = `^${connector} conforms .*${titles}`;
    const cases = await runSuite(report, { files: [SUITE], only, patches });
    const failed = cases.filter(({ status }) => status === 'failed').length;
    if (failed > 0) caught += 1;
    else report.progress(`nobody noticed: ${item} (${connector}, ${cases.length} cases)`);
  }
  const row = { name: 'conform', unit: 'rules', median: null, spread: null, n: rules.length, target: rules.length };
  report.row({
    ...row,
    metric: 'removed rules that a case of the suite notices',
    value: caught,
    ok: caught === rules.length,
  });
}

async function runSuite(report: Reporter, job: Omit<ConformJob, 'outputFile'>): Promise<readonly Case[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mortar-conform-'));
  const outputFile = join(folder, 'results.json');
  const words = [...sabotageArguments(report.sabotage), CHILD, JSON.stringify({ ...job, outputFile })];
  const child = spawn(process.execPath, words, {
    cwd: PROJECT,
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
    return casesOf(JSON.parse(readFileSync(outputFile, 'utf8')), job.only !== null);
  } catch (error) {
    throw new Error(`the suite did not end: ${texts.join('').slice(-2_000)}`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param isPart - cases that a pattern leaves out are told as skipped, and are no cases of the run */
function casesOf(json: unknown, isPart: boolean): readonly Case[] {
  const cases = results.parse(json).testResults.flatMap(({ assertionResults }) => assertionResults);
  return cases.flatMap(({ ancestorTitles, title, status, failureMessages, meta }) => {
    const at = ancestorTitles.findIndex((each) => CONNECTOR.test(each));
    const connector = CONNECTOR.exec(ancestorTitles[at] ?? '')?.[1];
    if (connector === undefined || (isPart && status === 'skipped')) return [];
    const why = failureMessages?.[0] ?? '';
    return [
      { connector, suite: ancestorTitles[at + 1] ?? '', title, status, why, wrongAnswers: meta.wrongAnswers ?? 0 },
    ];
  });
}
