import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { createPostgres, postgresAvailable } from '#test/support/databases.ts';
import { aRequestOf } from '#test/support/requests.ts';
import { silentLogger } from '#platform/log.ts';
import { commitFeedCursor } from '#platform/feed-cursors.ts';
import { systemClock } from '#platform/clock.ts';
import type { ConsentDeciders } from '#schema/model/consent.ts';
import { retailConfig } from '#schema/model/configuration.ts';
import { toSubjectId } from '#schema/model/ids.ts';
import type { Config } from './config-schema.ts';
import { createFeedShare } from './feed-share.ts';
import { watchFeedStates } from './feed-states.ts';
import { importPastDecisions } from './past-decisions.ts';
import { importEntry, openState } from './state.ts';

const email = { coordinate: 'Customer.email', category: 'contact.email', purposes: ['MARKETING'] };
const everythingOpen: ConsentDeciders = { forFetch: () => ({ decide: async () => ({ allowed: true }) }) };

async function openWith(consents: readonly string[], databaseUrl: string | null = null) {
  const home = mkdtempSync(join(tmpdir(), 'mortar-past-'));
  const config = {
    production: false,
    sandbox: false,
    databaseUrl,
    databaseFile: join(home, 'state.sqlite'),
    keyVariables: { MORTAR_ROOT_KEY: Buffer.alloc(32).toString('base64') },
    systems: [],
    imports: { consents },
    retail: retailConfig.parse({ channels: [], authorities: [] }),
    // The rest of a configuration plays no part in an import.
  } as unknown as Config;
  const state = await openState(config, systemClock);
  const states = await watchFeedStates(state.database, silentLogger);
  onTestFinished(async () => {
    states.stop();
    await state.database.close();
    rmSync(home, { recursive: true });
  });
  return { state, states, importing: { config, clock: systemClock, logger: silentLogger, states } };
}

function aFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mortar-lines-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'consents.jsonl');
  writeFileSync(file, text);
  return file;
}

const subjects = [toSubjectId('sub_1')];
const CLOSED = { allowed: false, reason: 'LEDGER_UNAVAILABLE' };

test('refuses every personal field until past decisions are in the ledger', async () => {
  const { state, importing } = await openWith([aFile('')]);
  const share = createFeedShare(state.database, silentLogger);
  const past = await importPastDecisions(state, { ...importing, share });
  const deciders = past.guard(everythingOpen);
  expect(past.areImported()).toBe(false);
  expect(await deciders.forFetch(aRequestOf()).decide(email, subjects)).toEqual(CLOSED);
  await share.start();
  await share.stop();
  expect(past.areImported()).toBe(true);
  expect(await deciders.forFetch(aRequestOf()).decide(email, subjects)).toEqual({ allowed: true });
});

test('opens at once when the same file was imported before, and not when it has changed', async () => {
  const file = aFile('');
  const { state, importing } = await openWith([file]);
  const run = async () => {
    const share = createFeedShare(state.database, silentLogger);
    const states = await watchFeedStates(state.database, silentLogger);
    const past = await importPastDecisions(state, { ...importing, states, share });
    const before = past.areImported();
    await share.start();
    await share.stop();
    return [before, past.areImported()];
  };
  expect(await run()).toEqual([false, true]);
  expect(await run()).toEqual([true, true]);
  writeFileSync(file, '\n');
  expect(await run()).toEqual([false, true]);
});

test('refuses to start with a file of past decisions that cannot be read, naming it', async () => {
  const { state, importing } = await openWith(['/nowhere/consents.jsonl']);
  const share = createFeedShare(state.database, silentLogger);
  const starting = importPastDecisions(state, { ...importing, share });
  await expect(starting).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
  await expect(starting).rejects.toThrow(/imports\.consents names \/nowhere\/consents\.jsonl, which cannot be read/);
});

describe.skipIf(!postgresAvailable)('in a process that does not import', () => {
  test('stays closed until another process has imported, without reading the file, and closes while it is imported again', async () => {
    await using own = await createPostgres();
    const file = aFile('');
    const importer = await openWith([file], own.url);
    const other = await openWith([file], own.url);
    rmSync(file);
    const watching = await importPastDecisions(other.state, { ...other.importing, share: null });
    const deciders = watching.guard(everythingOpen);
    expect(await deciders.forFetch(aRequestOf()).decide(email, subjects)).toEqual(CLOSED);
    writeFileSync(file, '');
    const share = createFeedShare(importer.state.database, silentLogger);
    await importPastDecisions(importer.state, { ...importer.importing, share });
    await share.start();
    await vi.waitFor(() => expect(watching.areImported()).toBe(true), { timeout: 10_000 });
    await importer.state.database.write
      .transaction()
      .execute(async (trx) => commitFeedCursor(trx, { ...importEntry(file), cursor: null, done: false, atMs: 1 }));
    await vi.waitFor(() => expect(watching.areImported()).toBe(false), { timeout: 10_000 });
    await share.stop();
  });
});
