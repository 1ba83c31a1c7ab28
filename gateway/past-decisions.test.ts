import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { aRequestOf } from '#test/support/requests.ts';
import { silentLogger } from '#platform/log.ts';
import { systemClock } from '#platform/clock.ts';
import type { ConsentDeciders } from '#schema/model/consent.ts';
import { retailConfig } from '#schema/model/configuration.ts';
import { toSubjectId } from '#schema/model/ids.ts';
import type { Config } from './config-schema.ts';
import { importPastDecisions } from './past-decisions.ts';
import { openState } from './state.ts';

const email = { coordinate: 'Customer.email', category: 'contact.email', purposes: ['MARKETING'] };
const everythingOpen: ConsentDeciders = { forFetch: () => ({ decide: async () => ({ allowed: true }) }) };

async function openWith(consents: readonly string[]) {
  const home = mkdtempSync(join(tmpdir(), 'mortar-past-'));
  const config = {
    production: false,
    sandbox: false,
    databaseUrl: null,
    databaseFile: join(home, 'state.sqlite'),
    keyVariables: {},
    systems: [],
    imports: { consents },
    retail: retailConfig.parse({ channels: [], authorities: [] }),
    // The rest of a configuration plays no part in an import.
  } as unknown as Config;
  const state = await openState(config, systemClock);
  onTestFinished(async () => {
    await state.database.close();
    rmSync(home, { recursive: true });
  });
  return { config, state, importing: { config, clock: systemClock, logger: silentLogger } };
}

test('refuses every personal field until past decisions are in the ledger', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'mortar-lines-')), 'consents.jsonl');
  onTestFinished(() => rmSync(file));
  writeFileSync(file, '');
  const { state, importing } = await openWith([file]);
  const past = await importPastDecisions(state, importing);
  const deciders = past.guard(everythingOpen);
  const subjects = [toSubjectId('sub_1')];
  expect(past.areImported()).toBe(false);
  expect(await deciders.forFetch(aRequestOf()).decide(email, subjects)).toEqual({
    allowed: false,
    reason: 'LEDGER_UNAVAILABLE',
  });
  await past.ended;
  expect(past.areImported()).toBe(true);
  expect(await deciders.forFetch(aRequestOf()).decide(email, subjects)).toEqual({ allowed: true });
});

test('refuses to start with a file of past decisions that cannot be read, naming it', async () => {
  const { state, importing } = await openWith(['/nowhere/consents.jsonl']);
  const starting = importPastDecisions(state, importing);
  await expect(starting).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
  await expect(starting).rejects.toThrow(/imports\.consents names \/nowhere\/consents\.jsonl, which cannot be read/);
});
