import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
  'connectors/crm-hubspot': ['schema', 'platform', 'connectors/kit'],
  'connectors/crm-new': ['schema', 'platform', 'connectors/kit'],
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
  'connectors/crm-hubspot/calls.ts': `export const a = async () => fetch('http://127.0.0.1');`,
  'domain/stock/listens.ts': `export { createServer } from 'node:http';`,
  'gateway/dynamic.ts': `export const a = async () => import('#sandbox/a.ts');`,
};
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
  const found = lint({ ...Object.fromEntries(imports), ...ELSEWHERE });

  it('states every allowed import and refuses any other', () => {
    const expected = planted.filter(({ from, target }) => !ALLOWED[from]?.includes(target)).map(fileOf);
    expect([...found].filter((file) => !(file in ELSEWHERE)).toSorted()).toEqual(expected.toSorted());
  });

  it.each(Object.keys(ELSEWHERE))('refuses the planted %s', (file) => {
    expect(found).toContain(file);
  });
});
