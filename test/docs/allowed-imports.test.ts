import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mortar-lint-'));
afterAll(() => rmSync(folder, { recursive: true }));

const DOMAINS = ['domain/catalog', 'domain/stock', 'domain/identity', 'domain/order', 'domain/consent'];
const TARGETS = [
  'schema',
  'platform',
  ...DOMAINS,
  'connectors/kit',
  'connectors/pos-square',
  'subgraphs/orders',
  'sandbox',
  'gateway',
  'test',
];
/** What each folder may import besides itself; folders to come (`…-new`) are bound by the rule of their kind. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  schema: [],
  platform: ['schema'],
  'domain/catalog': ['schema', 'platform'],
  'domain/identity': ['schema', 'platform'],
  'domain/stock': ['schema', 'platform', 'domain/catalog'],
  'domain/order': ['schema', 'platform', 'domain/catalog', 'domain/identity'],
  'domain/consent': ['schema', 'platform', 'domain/identity', 'domain/order'],
  'domain/new': ['schema', 'platform'],
  // Connectors may import named files only: see ONLY_THESE.
  'connectors/crm-hubspot': [],
  'connectors/erp-tryton': [],
  'connectors/crm-new': [],
  'connectors/kit': ['schema', 'platform'],
  'subgraphs/catalog': ['schema', 'platform', ...DOMAINS],
  'subgraphs/new': ['schema', 'platform', ...DOMAINS],
  sandbox: ['schema'],
  gateway: TARGETS.filter((target) => target !== 'sandbox' && target !== 'test'),
};
const ELSEWHERE: Readonly<Record<string, string>> = {
  'platform/climbs.ts': `export { a } from './../schema/a.ts';`,
  'platform/cycle-a.ts': `import { b } from './cycle-b.ts';\nexport const a = (): unknown => b;`,
  'platform/cycle-b.ts': `import { a } from './cycle-a.ts';\nexport const b = (): unknown => a;`,
  'platform/default.ts': 'export default 1;',
  'platform/environment.ts': `export const a = process.env['A'];`,
  'platform/index.ts': `export * from './a.ts';`,
  'platform/long.ts': Array.from({ length: 301 }, (_, line) => `export const a${line} = ${line};`).join('\n'),
  'connectors/kit/borrows.ts': `export { a } from '#connectors/wms-acme-north/connector.ts';`,
  'domain/stock/listens.ts': `export { createServer } from 'node:http';`,
  'gateway/dynamic.ts': `export const a = async () => import('#sandbox/a.ts');`,
};
/** What a connector may import: nothing of it can do I/O. */
const ONLY_THESE = [
  'zod',
  'node:crypto',
  './items.ts',
  '#schema/model/ids.ts',
  '#platform/errors.ts',
  ...['definition', 'draft', 'failure', 'rows', 'settings', 'text', 'watermark', 'webhook', 'wire'].map(
    (part) => `#connectors/kit/${part}.ts`,
  ),
];
/** Ways out of a connector, by what each is. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  fetch: `export const a = async () => fetch('http://127.0.0.1');`,
  'global-fetch': `export const a = async () => globalThis.fetch('http://127.0.0.1');`,
  'fs-bare': `export { readFileSync } from 'fs';`,
  'fs-node': `export { readFile } from 'node:fs/promises';`,
  'fs-types': `import type { Stats } from 'node:fs';\nexport type A = Stats;`,
  'fs-by-name': `import fs = require('fs');\nexport const a = fs;`,
  http: `export { request } from 'http';`,
  undici: `export { request } from 'undici';`,
  dns: `export { lookup } from 'node:dns';`,
  sqlite: `export { DatabaseSync } from 'node:sqlite';`,
  threads: `export { Worker } from 'node:worker_threads';`,
  modules: `export { createRequire } from 'node:module';`,
  'any-package': `export { a } from 'some-vendors-sdk';`,
  redis: `export { a } from '#platform/redis.ts';`,
  transport: `export { a } from '#connectors/kit/transport.ts';`,
  caller: `export { a } from '#connectors/kit/caller.ts';`,
  'another-connector': `export { a } from '#connectors/erp-tryton/rpc.ts';`,
  'another-connector-new': `export { a } from '#connectors/wms-acme-north/connector.ts';`,
  'another-connector-climbing': `export { a } from '../pos-square/wire.ts';`,
  'import-later': `export const a = async () => import('node:net');`,
  'import-by-value': `export const a = async (name: string): Promise<unknown> => import(name);`,
  require: `export const a = (): unknown => require('fs');`,
  process: `export const a = (): unknown => process.getBuiltinModule('fs');`,
  websocket: `export const a = (): unknown => new WebSocket('ws://127.0.0.1');`,
  'event-source': `export const a = (): unknown => new EventSource('http://127.0.0.1');`,
  'code-as-text': `export const a = (): unknown => new Function('return 1');`,
};
/** One there is, the one that once had no rule, and one as `mortar connector new` writes it. */
const CONNECTORS = ['crm-hubspot', 'erp-tryton', 'wms-acme-north'];
const waysOut = Object.fromEntries(
  CONNECTORS.flatMap((name) =>
    Object.entries(WAYS_OUT).map(([way, text]) => [`connectors/${name}/out-${way}.ts`, text]),
  ),
);
const waysIn = Object.fromEntries(
  CONNECTORS.flatMap((name) =>
    ONLY_THESE.map((from, index) => [`connectors/${name}/may-${index}.ts`, `export { a } from '${from}';`]),
  ),
);
const planted = Object.keys(ALLOWED).flatMap((from) =>
  TARGETS.filter((target) => target !== from).map((target) => ({ from, target })),
);
const fileOf = ({ from, target }: { from: string; target: string }) => `${from}/${target.replace('/', '-')}.ts`;

/** The planted files that lint finds fault with. */
function lint(files: Readonly<Record<string, string>>): ReadonlySet<string> {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), `${text}\n`);
  }
  cpSync(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  const oxlint = join(ROOT, 'node_modules/.bin/oxlint');
  const { stdout } = spawnSync(oxlint, ['--format', 'json', '.'], { cwd: folder, encoding: 'utf8' });
  const { diagnostics } = z
    .object({ diagnostics: z.array(z.object({ filename: z.string() })) })
    .parse(JSON.parse(stdout));
  return new Set(diagnostics.map(({ filename }) => filename));
}

describe('lint', () => {
  const imports = planted.map((plant) => [fileOf(plant), `export { a } from '#${plant.target}/a.ts';`]);
  const found = lint({
    ...Object.fromEntries(imports),
    ...waysIn,
    ...waysOut,
    ...ELSEWHERE,
    'connectors/kit/may-http.ts': `export { request } from 'node:http';`,
  });

  it('states every allowed import and refuses any other', () => {
    const expected = planted.filter(({ from, target }) => !ALLOWED[from]?.includes(target)).map(fileOf);
    expect([...found].filter((file) => imports.some(([plant]) => plant === file)).toSorted()).toEqual(
      expected.toSorted(),
    );
  });

  it.each(Object.keys(ELSEWHERE))('refuses the planted %s', (file) => {
    expect(found).toContain(file);
  });

  it.each(Object.keys(waysOut))('lets no connector do I/O: %s', (file) => {
    expect(found).toContain(file);
  });

  it('lets every connector import the definitions of the kit', () => {
    expect(Object.keys(waysIn).filter((file) => found.has(file))).toEqual([]);
  });

  it('lets the kit do I/O', () => {
    expect(found).not.toContain('connectors/kit/may-http.ts');
  });

  it('is switched off nowhere in a connector for what keeps it pure', () => {
    const folders = readdirSync(join(ROOT, 'connectors'), { recursive: true, encoding: 'utf8' });
    const sources = folders.filter((file) => /\.[cm]?[jt]s$/.test(file) && !/^kit\/|\.test\.ts$/.test(file));
    const switchesOff = /(eslint|oxlint)-disable(?!-next-line typescript\/no-explicit-any\b)/;
    const silenced = sources.filter((file) => switchesOff.test(readFileSync(join(ROOT, 'connectors', file), 'utf8')));
    expect(sources.length).toBeGreaterThan(50);
    expect(silenced).toEqual([]);
  });
});
