import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { verifyLedger } from '#domain/consent/ledger-verify.ts';
import { TEST_MIGRATIONS } from '#domain/consent/test-kit.ts';
import { STATE_MIGRATIONS } from '#gateway/state.ts';
import type { Migration } from '#platform/database.ts';
import { openDatabase } from '#platform/open-database.ts';
import { customersOf, loners } from '#test/support/customers.ts';
import type { Evidence, Reporter } from '#test/support/evidence.ts';
import { killGroup, PROJECT } from '#test/support/mortar-process.ts';
import type { Product } from '#test/support/product-client.ts';
import { startProduct } from '#test/support/product.ts';
import { createRandom } from '#test/support/random.ts';
import { sabotageArguments } from './sabotage.ts';

const RECORD = `mutation Record($input: RecordConsentInput!) { recordConsent(input: $input) { __typename ... on ConsentRecorded { receipt } ... on ConsentRejected { reason } } }`;
const WRITERS = 6;
const MEDIA = ['EMAIL', 'SMS', 'POST', 'PHONE', 'WEB', 'PUSH'];
/** A kill comes somewhere in this span after the writing began, so that it hits every phase of a commit. */
const KILL_WITHIN_MS = 400;

interface Totals {
  kills: number;
  acknowledged: number;
  lost: number;
  events: number;
  faults: number;
}

export const kill9: Evidence = {
  name: 'kill-9',
  summary:
    'killed during consent writes, the product and its ledger service lose no acknowledged decision; the chain holds',
  sabotages: ['ledger-fsync-ack'],
  run: async (report) => {
    const home = mkdtempSync(join(tmpdir(), 'mortar-proof-'));
    const totals: Totals = { kills: 0, acknowledged: 0, lost: 0, events: 0, faults: 0 };
    const random = createRandom(report.seed);
    const [ofProduct, ofService] = report.sabotage !== null ? [1, 1] : report.short ? [3, 5] : [15, 35];
    try {
      await killProducts({ home, kills: ofProduct, random, report, totals });
      await killServices({ home, kills: ofService, random, report, totals });
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
    const { kills, acknowledged, lost, events, faults } = totals;
    const shared = { name: 'kill-9', median: null, spread: null };
    report.row({
      ...shared,
      metric: 'acknowledged and lost',
      value: lost,
      unit: 'decisions',
      n: acknowledged,
      target: 0,
      ok: lost === 0 && acknowledged > kills,
    });
    report.row({
      ...shared,
      metric: 'kills',
      value: kills,
      unit: 'kills',
      n: kills,
      ok: kills === ofProduct + ofService,
    });
    report.row({
      ...shared,
      metric: 'faults of the chain',
      value: faults,
      unit: 'faults',
      n: events,
      target: 0,
      ok: faults === 0 && events > 0,
    });
  },
};

interface Killing {
  readonly home: string;
  readonly kills: number;
  readonly random: () => number;
  readonly report: Reporter;
  readonly totals: Totals;
}

/** Over HTTP, through the whole product: sandbox, tokens, gateway, subgraph, ledger. */
async function killProducts({ home, kills, random, report, totals }: Killing): Promise<void> {
  const file = join(home, `sandbox/world-small-${report.seed}.sqlite`);
  const receipts: string[] = [];
  let customers: readonly string[] = [];
  for (let kill = 1; kill <= kills; kill += 1) {
    // The first start imports the past decisions; later ones need not wait for the feeds to come round.
    await using product = await startProduct({
      home,
      seed: report.seed,
      nodeArguments: sabotageArguments(report.sabotage),
      ...(kill === 1 ? {} : { readyWithinMs: null }),
    });
    if (customers.length === 0) customers = await findWriters(product);
    receipts.push(
      ...(await writeUntilKilled(product, { customers, round: kill, afterMs: 60 + random() * KILL_WITHIN_MS })),
    );
    totals.kills += 1;
    if (kill % 5 === 0 || kill === kills)
      report.progress(`product: ${kill} kills, ${receipts.length} acknowledged, ${countLost(file, receipts)} lost`);
  }
  await settle(file, STATE_MIGRATIONS, { receipts, totals });
}

/** The real ledger service over the real SQLite adapter, in a process that does nothing else: many more writes a kill. */
async function killServices({ home, kills, random, report, totals }: Killing): Promise<void> {
  const file = join(home, 'service.sqlite');
  const receipts: string[] = [];
  for (let kill = 1; kill <= kills; kill += 1) {
    const child = spawn(
      process.execPath,
      [...sabotageArguments(report.sabotage), 'domain/consent/crash-child.ts', file, `k${kill}`],
      {
        cwd: PROJECT,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    receipts.push(...(await readUntilKilled(child, random() * KILL_WITHIN_MS)));
    totals.kills += 1;
    if (kill % 10 === 0 || kill === kills)
      report.progress(`service: ${kill} kills, ${receipts.length} acknowledged, ${countLost(file, receipts)} lost`);
  }
  await settle(file, TEST_MIGRATIONS, { receipts, totals });
}

/** Receipts the child printed before it was killed, some time after the first one. */
async function readUntilKilled(child: ChildProcess, afterMs: number): Promise<readonly string[]> {
  const chunks: string[] = [];
  const first = Promise.withResolvers<undefined>();
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    chunks.push(text);
    first.resolve(undefined);
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await Promise.race([first.promise, ended]);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  await ended;
  // What comes after the last line break was not read whole: it was not acknowledged.
  return chunks.join('').split('\n').slice(0, -1);
}

async function settle(
  file: string,
  migrations: readonly Migration[],
  { receipts, totals }: { readonly receipts: readonly string[]; readonly totals: Totals },
): Promise<void> {
  totals.acknowledged += receipts.length;
  totals.lost += countLost(file, receipts);
  const database = await openDatabase({ location: { kind: 'sqlite', file }, migrations });
  const { events, faultCount } = await verifyLedger({ database });
  await database.close();
  totals.events += events;
  totals.faults += faultCount;
}

/** Customers known to one system only, so that each decision is one event. */
async function findWriters(product: Product): Promise<readonly string[]> {
  const found = await customersOf(product, loners(await product.world(), 'crm').slice(0, 20));
  return [...found.values()].slice(0, WRITERS);
}

async function writeUntilKilled(
  product: Product,
  { customers, round, afterMs }: { customers: readonly string[]; round: number; afterMs: number },
): Promise<readonly string[]> {
  const written: string[] = [];
  const tokens = await Promise.all(customers.map(async (customer) => product.token('customer-app', { customer })));
  const state = { killed: false };
  const write = async (customer: string, index: number): Promise<void> => {
    for (let turn = 0; !state.killed; turn += 1) {
      const key = `r${round}-w${index}-${turn}`;
      const medium = MEDIA[turn % MEDIA.length];
      const decision = turn % 2 === 0 ? 'GRANT' : 'DENY';
      const variables = { input: { customer, purpose: 'PERSONALIZATION', medium, decision, idempotencyKey: key } };
      try {
        const answer = await product.ask(RECORD, { token: tokens[index] ?? '', variables });
        const receipt: unknown = answer.data?.recordConsent?.receipt;
        if (typeof receipt === 'string') written.push(receipt);
      } catch {
        // The connection broke: this one was never acknowledged.
        return;
      }
    }
  };
  const writing = Promise.all(customers.map(write));
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  killGroup(product.process.pid);
  state.killed = true;
  await writing;
  await product.process.ended;
  return written;
}

/** Looks into the file itself: every acknowledged receipt must be in an answer that was stored with its events. */
function countLost(file: string, receipts: readonly string[]): number {
  const database = new DatabaseSync(file);
  try {
    const answers = database.prepare('select answer from consent_idempotency').all();
    const stored = new Set(answers.flatMap(({ answer }) => /rcp_[\w-]+/.exec(String(answer))?.[0] ?? []));
    return receipts.filter((receipt) => !stored.has(receipt)).length;
  } finally {
    database.close();
  }
}
