import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Database } from '#platform/database.ts';
import { describeDatabases, openTestSqlite } from '#test/support/databases.ts';
import { parseLine } from './import-line.ts';
import { importConsents, type ImportConsentsOptions } from './importer.ts';
import { verifyLedger } from './ledger-verify.ts';
import { linesOf } from './lines-of.ts';
import type { ConsentTables } from './tables.ts';
import { minterFor, plainCipher, TEST_MIGRATIONS } from './test-kit.ts';

const NOW = Date.parse('2026-11-23T08:00:00.000Z');

function line(change: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    system: 'crm',
    externalId: '101',
    purpose: 'MARKETING',
    medium: 'EMAIL',
    recipient: null,
    decision: 'GRANT',
    at: '2026-01-01T00:00:00Z',
    evidence: 'web form',
    ...change,
  });
}

async function importLines(database: Database, lines: readonly string[], change: Partial<ImportConsentsOptions> = {}) {
  return importConsents({
    database,
    subjects: minterFor(database),
    cipher: plainCipher,
    clock: { nowMs: () => NOW },
    lines: () => lines,
    recipients: ['amazon-marketplace'],
    systems: ['crm', 'pos'],
    ...change,
  });
}

async function statesOf(database: Database): Promise<readonly string[]> {
  const rows = await database.as<ConsentTables>().read.selectFrom('consent_current').selectAll().execute();
  return rows
    .map((row) => `${row.subject} ${row.purpose} ${row.medium} ${row.recipient} ${row.state} ${row.decided_at}`)
    .toSorted();
}

describeDatabases('the import of past consents', (open) => {
  test('writes every refusal before any grant, so that an interruption leaves no grant without its withdrawal', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const lines = [
      line(),
      line({ externalId: '102' }),
      line({ decision: 'WITHDRAW', at: '2026-02-01T00:00:00Z' }),
      line({ externalId: '102', purpose: 'PERSONALIZATION', medium: null, decision: 'DENY' }),
    ];
    const subjects = minterFor(database);
    const stop = (): never => {
      throw new Error('killed');
    };
    await expect(importLines(database, lines, { subjects, batchSize: 2, onProgress: stop })).rejects.toThrow('killed');
    const states = async () => new Set((await statesOf(database)).map((text) => text.split(' ')[4]));
    expect(await states()).toEqual(new Set(['DENIED', 'WITHDRAWN']));
    expect(await importLines(database, lines, { subjects })).toMatchObject({ read: 4, recorded: 2, known: 2 });
    expect(await states()).toEqual(new Set(['DENIED', 'WITHDRAWN', 'GRANTED']));
  });

  test('mints subjects, records decisions of every kind with their own dates and encrypts evidence', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const report = await importLines(database, [
      line(),
      line({ externalId: '102', decision: 'DENY', medium: null, at: '2026-03-01T12:00:00+02:00' }),
      line({ system: 'pos', purpose: 'FRAUD_PREVENTION', medium: null, decision: 'OBJECT', evidence: null }),
      line({ purpose: 'THIRD_PARTY_SHARING', medium: null, recipient: 'amazon-marketplace' }),
    ]);
    expect(report).toEqual({ read: 4, recorded: 4, known: 0, refused: 0, refusals: [] });
    expect(await statesOf(database)).toEqual([
      'sub_crm_101 MARKETING EMAIL self GRANTED 2026-01-01T00:00:00.000Z',
      'sub_crm_101 THIRD_PARTY_SHARING * amazon-marketplace GRANTED 2026-01-01T00:00:00.000Z',
      'sub_crm_102 MARKETING * self DENIED 2026-03-01T10:00:00.000Z',
      'sub_pos_101 FRAUD_PREVENTION * self OBJECTED 2026-01-01T00:00:00.000Z',
    ]);
    const events = await database
      .as<ConsentTables>()
      .read.selectFrom('consent_event')
      .selectAll()
      .orderBy('subject')
      .execute();
    expect(events.map(({ evidence, source, actor }) => [evidence, source, actor])).toContainEqual([
      `sub_crm_101!${btoa('web form')}`,
      'import',
      'system:crm',
    ]);
    expect(events.at(-1)?.evidence).toBe(null);
  });

  test('writes nothing twice, in one file or in two imports', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const subjects = minterFor(database);
    const lines = [line(), line(), line({ externalId: '102' })];
    expect(await importLines(database, lines, { subjects })).toMatchObject({ recorded: 2, known: 1 });
    const sameInstant = line({ at: '2026-01-01T01:00:00+01:00', evidence: 'another copy' });
    expect(await importLines(database, [...lines, sameInstant], { subjects, batchSize: 1 })).toMatchObject({
      recorded: 0,
      known: 4,
    });
    expect(await verifyLedger({ database })).toMatchObject({ ok: true, events: 2 });
  });

  test('never overrides a newer decision with an older line, across batches too', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const lines = [line({ decision: 'WITHDRAW', at: '2026-05-01T00:00:00Z' }), line({ at: '2026-02-01T00:00:00Z' })];
    await importLines(database, lines, { batchSize: 1 });
    expect(await statesOf(database)).toEqual(['sub_crm_101 MARKETING EMAIL self WITHDRAWN 2026-05-01T00:00:00.000Z']);
    expect((await verifyLedger({ database })).ok).toBe(true);
  });

  test('reports bad lines by number and reason without quoting them, and goes on', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const told: number[] = [];
    const report = await importLines(
      database,
      [
        `\uFEFF${line()}`,
        'canary@example.org',
        '',
        line({ purpose: 'canary' }),
        line({ at: 'canary' }),
        line({ at: '2027-01-01T00:00:00Z' }),
        line({ purpose: 'THIRD_PARTY_SHARING' }),
        line({ recipient: 'canary', purpose: 'THIRD_PARTY_SHARING' }),
        line({ purpose: 'ORDER_FULFILLMENT' }),
        line({ system: 'canary' }),
        line({ canary: 1 }),
        line({ evidence: 'canary'.repeat(20_000) }),
        line({ externalId: '102' }),
      ],
      { onRefused: ({ line: at }) => told.push(at) },
    );
    expect(report).toMatchObject({ read: 12, recorded: 2, refused: 10 });
    expect(report.refusals.map(({ line: at }) => at)).toEqual([2, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(told).toHaveLength(10);
    expect(JSON.stringify(report)).not.toContain('canary');
    expect(report.refusals[3]).toEqual({ line: 6, reason: 'at: lies in the future' });
  });

  test('keeps what was committed when the rest fails, and continues when run again', async () => {
    await using opened = await open(TEST_MIGRATIONS);
    const { database } = opened;
    const subjects = minterFor(database);
    const lines = Array.from({ length: 10 }, (_, index) => line({ externalId: `${index}` }));
    async function* cut() {
      yield* lines.slice(0, 6);
      throw new Error('the disk is gone');
    }
    let passes = 0;
    const failing = { subjects, lines: () => ((passes += 1) === 1 ? lines : cut()), batchSize: 2 };
    await expect(importLines(database, [], failing)).rejects.toThrow('the disk is gone');
    expect(await importLines(database, lines, { subjects, batchSize: 2 })).toMatchObject({ recorded: 4, known: 6 });
    expect(await verifyLedger({ database })).toMatchObject({ ok: true, events: 10 });
  });
});

describe('an import', () => {
  test('gives the same states whatever the order of its lines', async () => {
    const changeArb = fc.record({
      externalId: fc.constantFrom('1', '2'),
      medium: fc.constantFrom('EMAIL', null),
      decision: fc.constantFrom('GRANT', 'DENY', 'WITHDRAW', 'OBJECT'),
      at: fc.constantFrom('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z'),
    });
    await using opened = await openTestSqlite(TEST_MIGRATIONS);
    const { database } = opened;
    const subjects = minterFor(database);
    let runs = 0;
    const outcome = async (changes: readonly { readonly externalId: string }[]): Promise<readonly string[]> => {
      // Every run has people of its own.
      const prefix = `r${(runs += 1)}-`;
      const lines = changes.map((change) => line({ ...change, externalId: `${prefix}${change.externalId}` }));
      await importLines(database, lines, { subjects, batchSize: 3 });
      const states = await statesOf(database);
      return states.filter((state) => state.includes(prefix)).map((state) => state.replace(prefix, ''));
    };
    await fc.assert(
      fc.asyncProperty(fc.array(changeArb, { minLength: 2, maxLength: 12 }), async (changes) => {
        expect(await outcome(changes.toReversed())).toEqual(await outcome(changes));
      }),
      { numRuns: 25 },
    );
    expect((await verifyLedger({ database })).ok).toBe(true);
  });

  test('reports progress by batch', async () => {
    await using opened = await openTestSqlite(TEST_MIGRATIONS);
    const seen: number[] = [];
    const lines = Array.from({ length: 25 }, (_, index) => line({ externalId: `${index}` }));
    await importLines(opened.database, lines, { batchSize: 10, onProgress: ({ read }) => seen.push(read) });
    expect(seen).toEqual([10, 20, 25]);
  });
});

describe('lines', () => {
  const collect = async (chunks: readonly (Uint8Array | string)[]): Promise<readonly string[]> => {
    async function* stream() {
      yield* chunks;
    }
    const lines: string[] = [];
    for await (const text of linesOf(stream())) lines.push(text);
    return lines;
  };

  test('survive chunk borders inside characters, and both kinds of ends', async () => {
    const bytes = Buffer.from('first é\r\nsecond\n\nlast');
    expect(await collect([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(['first é', 'second', '', 'last']);
    expect(await collect(['one\n'])).toEqual(['one']);
    expect(await collect([])).toEqual([]);
  });

  test('without end are cut in memory and refused by the parser', async () => {
    const [long = ''] = await collect(Array.from({ length: 50 }, () => 'x'.repeat(10_000)));
    expect(long).toHaveLength(64 * 1024 + 1);
    const rules = { recipients: new Set<string>(), systems: null, latestAtMs: NOW };
    expect(parseLine(long, 1, rules)).toEqual({ ok: false, reason: 'longer than 65536 characters' });
  });
});
