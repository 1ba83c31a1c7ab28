import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runDoctor } from '#gateway/commands/doctor.ts';
import { readEnvironment } from '#gateway/config.ts';
import { STATE_MIGRATIONS } from '#gateway/state.ts';
import { systemClock } from '#platform/clock.ts';
import { commitFeedCursor } from '#platform/feed-cursors.ts';
import { openDatabase } from '#platform/open-database.ts';
import { createItemFeedSink } from '#domain/catalog/item-feed.ts';
import { startSandbox, type Sandbox } from '#sandbox/server.ts';
import { aFeed, anItem, aPage } from '#test/support/catalog.ts';
import { sendJson, startUpstream } from '#test/support/scripted-upstream.ts';
import type { DoctorFinding } from './finding.ts';

const home = mkdtempSync(join(tmpdir(), 'mortar-doctor-'));
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ home, sandboxPort: 0, controlPort: 0, builtAt: '2026-11-20T00:00:00.000Z' });
});
afterAll(async () => {
  await sandbox.close();
  rmSync(home, { recursive: true });
});

interface Visit {
  /** Changes of the sandbox's configuration, as text. */
  readonly edit?: (text: string) => string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly offline?: boolean;
  readonly timeoutMs?: number;
}

async function visit({ edit = (text) => text, variables = {}, offline = false, timeoutMs = 60_000 }: Visit = {}) {
  const file = join(home, 'mortar.config.yaml');
  writeFileSync(file, edit(readFileSync(sandbox.configFile, 'utf8')));
  const ports = { port: 0, metricsPort: 0, sandboxPort: 0, controlPort: 0 };
  const { exitCode, lines } = await runDoctor({
    flags: { config: file, home, host: '127.0.0.1', ...ports, scale: 'small', seed: 1 },
    environment: readEnvironment({ ...sandbox.environment, ...variables }),
    offline,
    json: true,
    timeoutMs,
    clock: systemClock,
    onProgress: () => {},
  });
  const text = lines.join('\n');
  const { findings } = JSON.parse(text) as { findings: readonly DoctorFinding[] };
  const of = (level: DoctorFinding['level']) =>
    findings.filter((finding) => finding.level === level).map(({ about, message }) => `${about}: ${message}`);
  return { exitCode, text, findings, errors: of('error'), warnings: of('warning'), good: of('ok') };
}

const control = (path: string, body?: object): Promise<Response> =>
  fetch(`${sandbox.urls.control}${path}`, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) });

describe('doctor --offline', () => {
  it('accepts the configuration and asks nobody', async () => {
    await control('/reset', {});
    const { exitCode, errors, good } = await visit({ offline: true });
    expect([exitCode, errors]).toEqual([0, []]);
    expect(good[0]).toContain('mortar.config.yaml is valid: 5 systems, 4 channels');
    expect(Object.values((await (await control('/calls')).json()) as object)).toEqual([{}, {}, {}, {}, {}]);
  });

  it.each<readonly [string, (text: string) => string, RegExp]>([
    [
      'an unknown connector',
      (text) => text.replace('pos-square', 'pos-sqare'),
      /yaml:\d+:5 unknown connector "pos-sqare"; did you mean "pos-square"\?/,
    ],
    [
      'an unknown key',
      (text) => text.replace('\nretail:', '\nretial:'),
      /yaml:\d+:1 unknown key "retial"; did you mean "retail"\?/,
    ],
    [
      'an unknown option',
      (text) => text.replace('rateFactor:', 'rateFaktor:'),
      /yaml:\d+:7 .*unknown option "rateFaktor"; did you mean "rateFactor"\?/,
    ],
    [
      'an authority without stock',
      (text) => text.replace('- system: wms\n      locationKinds', '- system: crm\n      locationKinds'),
      /retail\.authorities\.1\.system names crm, whose connector crm-hubspot has no stock; those that have: wms, pos, marketplace/,
    ],
  ])('refuses %s, says where, and fails', async (_name, edit, message) => {
    const { exitCode, errors, findings } = await visit({ edit, offline: true });
    expect(exitCode).toBe(1);
    expect(errors.join('\n')).toMatch(message);
    expect(findings.filter(({ level }) => level === 'error').every(({ todo }) => todo !== null)).toBe(true);
  });

  it('warns of a kind of place that a channel serves and nobody counts', async () => {
    const { warnings } = await visit({ edit: (text) => text.replace('- SUPPLIER', '- LOCKER'), offline: true });
    expect(warnings.join('\n')).toContain('channel web serves LOCKER, which has no authority');
  });

  it('warns where no webhook secret is configured, and where publicUrl is missing beside one', async () => {
    const edit = (text: string) => text.replace(/ *clientSecret: \$\{SANDBOX_CRM_CLIENT_SECRET\}\n/, '');
    const { warnings } = await visit({ edit, offline: true });
    expect(warnings.join('\n')).toContain('crm: no webhook secret is configured');
    expect(warnings.join('\n')).not.toContain('pos: no webhook secret');
    expect(warnings.join('\n')).toContain('pos may send webhooks, and publicUrl is not set');
  });
});

describe('doctor', () => {
  it('finds nothing wrong with a working retailer, changes nothing, and makes a few calls a system', async () => {
    await control('/reset', {});
    const before = sandbox.world().sequence;
    const { exitCode, errors, good } = await visit();
    expect([exitCode, errors]).toEqual([0, []]);
    expect(good.join('\n')).toMatch(/pos: answers for .*stock.*locations/);
    expect(good.join('\n')).toContain('wms: answers for orders by feed, stock');
    expect(good.join('\n')).toMatch(/issuer: .* answers and has \d+ public key/);
    expect(sandbox.world().sequence).toBe(before);
    expect(existsSync(join(home, 'mortar.sqlite'))).toBe(false);
    const calls = (await (await control('/calls')).json()) as Record<string, Record<string, number>>;
    for (const counts of Object.values(calls)) {
      const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
      expect(total).toBeGreaterThan(0);
      expect(total).toBeLessThan(20);
    }
  });

  it('tells refused credentials from a place that cannot be reached, and shows no secret', async () => {
    const edit = (text: string) => text.replace(sandbox.urls.erp, 'http://127.0.0.1:1');
    const { exitCode, errors, text } = await visit({ edit, variables: { SANDBOX_CRM_TOKEN: 'wrong-and-secret' } });
    expect(exitCode).toBe(1);
    expect(errors.join('\n')).toMatch(/crm: refuses our credentials for/);
    expect(errors.join('\n')).toContain('erp: 127.0.0.1:1 cannot be reached');
    expect(errors).toHaveLength(2);
    expect(text).not.toContain('wrong-and-secret');
  });

  it('asks a system whose reads all want a key whether it takes our credentials', async () => {
    await using carrier = await startUpstream(({ headers, url }, response) => {
      if (!url.startsWith('/v1/')) return sendJson(response, {}, 404);
      if (headers['api-key'] === 'good') return sendJson(response, { carriers: [], service_points: [] });
      return sendJson(response, { errors: [{ error_source: 'shipengine', error_code: 'unauthorized' }] }, 401);
    });
    const configured =
      (key: string, url = carrier.url) =>
      (text: string) =>
        text.replace(
          /^systems:$/m,
          `systems:\n  - id: carrier\n    connector: carrier-shipengine\n    url: ${url}\n    credentials:\n      apiKey: ${key}\n    options:\n      carrierIds: [se-1]`,
        );
    const about = (lines: readonly string[]) => lines.filter((line) => line.startsWith('carrier: '));
    const fine = await visit({ edit: configured('good') });
    expect(about(fine.good)).toEqual([expect.stringMatching(/answers for credentials/)]);
    expect(about(fine.errors)).toEqual([]);
    const refused = await visit({ edit: configured('bad') });
    expect(about(refused.errors)).toEqual([
      expect.stringMatching(/^carrier: refuses our credentials for list_carriers/),
    ]);
    const elsewhere = await visit({ edit: configured('good', `${carrier.url}/nowhere`) });
    expect(about(elsewhere.errors)).toContainEqual(expect.stringContaining('credentials: UPSTREAM_CONTRACT'));
  });

  it('ends in time while a system hangs, and still judges the others', async () => {
    await control('/faults', { system: 'wms', fault: 'hang' });
    const { errors, good } = await visit({ timeoutMs: 8_000 });
    await control('/reset', {});
    expect(errors).toEqual([`wms: ${new URL(sandbox.urls.wms).host} does not answer in time`]);
    expect(good.join('\n')).toContain('pos: answers for');
  });

  it('names configured places a system does not have, and stock at places nobody configured', async () => {
    const edit = (text: string) =>
      text
        .replace(/(- system: pos\n {6}externalId: ).*\n/, '$1NOWHERE\n')
        .replace(/(- system: wms\n {6}externalId: ).*\n/, '$1wh-elsewhere\n');
    const { errors, warnings } = await visit({ edit });
    expect(errors.join('\n')).toContain('pos: has no places NOWHERE, which retail.locations names');
    expect(warnings.join('\n')).toMatch(/wms: states stock at .*, which is no configured place/);
  });

  it('tells lag and unmatched items out of the stored state', async () => {
    const database = await openDatabase({
      location: { kind: 'sqlite', file: join(home, 'mortar.sqlite') },
      migrations: STATE_MIGRATIONS,
    });
    const sink = createItemFeedSink({ database, clock: systemClock, canonicalSystem: 'erp' });
    await sink.writePage(aFeed('pos', 'items'), aPage([anItem('pos', 'NOBODY-KNOWS')]));
    await database.write.transaction().execute(async (trx) => {
      const atMs = Date.now() - 3_600_000;
      await commitFeedCursor(trx, { system: 'crm', feed: 'contacts', cursor: null, done: true, atMs });
    });
    await database.close();
    const { warnings } = await visit();
    expect(warnings.join('\n')).toContain('pos: 1 items stand for no product, for example NOBODY-KNOWS');
    expect(warnings.join('\n')).toContain('crm: not up to date for 15 minutes: contacts');
    expect(warnings.join('\n')).toMatch(/erp: never loaded: items, /);
  });
});
