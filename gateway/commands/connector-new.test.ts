import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import type { ProjectFiles } from '#gateway/project-files.ts';
import { runConnectorNew } from './connector-new.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LEFT_OUT = new Set(['.git', 'node_modules', '.mortar']);

/** No project: every file is missing, and nothing may be written. */
const nothing: ProjectFiles = {
  read: () => null,
  write: (path) => {
    throw new Error(`${path} must not be written`);
  },
  remove: () => {},
  list: () => [],
};

it.each([
  ['pos-square', 'pos-square exists already'],
  ['till-acme', '"till" is no kind of system: one of erp, wms, pos'],
  ['ers-acme', 'Did you mean "erp-acme"?'],
  ['erp', '"erp" is no name of a connector'],
  ['erp-../evil', 'is no name of a connector'],
  ['erp-Acme', 'is no name of a connector'],
  ['kit', 'is no name of a connector'],
])('refuses %s', (name, message) => {
  const { exitCode, lines } = runConnectorNew({ name, files: nothing, finish: () => true });
  expect([exitCode, lines.join('\n')]).toEqual([1, expect.stringContaining(message)]);
});

it('writes a connector that passes lint, types, check and its tests as it is', { timeout: 600_000 }, () => {
  const project = mkdtempSync(join(tmpdir(), 'mortar-new-'));
  const run = (command: string, args: readonly string[]) => {
    const PATH = `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH']}`;
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: project,
      encoding: 'utf8',
      env: { ...process.env, PATH },
    });
    return { status, text: stdout + stderr };
  };
  try {
    cpSync(ROOT, project, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
    symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
    const made = run(process.execPath, ['gateway/main.ts', 'connector', 'new', 'wms-acme-north']);
    expect([made.status, made.text]).toEqual([
      0,
      expect.stringContaining('connectors/wms-acme-north/connector.ts written'),
    ]);
    const connector = readFileSync(join(project, 'connectors/wms-acme-north/connector.ts'), 'utf8');
    expect(connector.split('\n').length).toBeLessThan(100);
    expect(connector).not.toMatch(/template/i);
    const page = readFileSync(join(project, 'docs/connectors/wms-acme-north.md'), 'utf8');
    expect(page).toContain('| `name` | `title` |  |');
    const paths = ['connectors/wms-acme-north', 'sandbox/vendors/wms-acme-north.ts'];
    const gateway = ['gateway/connector-names.ts', 'gateway/connectors.ts', 'gateway/connector-examples.ts'];
    expect(run('oxfmt', ['--check', ...paths, ...gateway])).toMatchObject({ status: 0 });
    // The template itself is linted with types by every check.
    expect(run('oxlint', [...paths, ...gateway])).toMatchObject({ status: 0 });
    expect(run('tsc', ['--noEmit', '-p', '.'])).toMatchObject({ status: 0, text: '' });
    expect(run(process.execPath, ['gateway/main.ts', 'check'])).toMatchObject({ status: 0 });
    const tests = ['connectors/wms-acme-north', 'connectors/keyword-map', 'gateway/connectors.test.ts'];
    const tested = run('vitest', ['run', ...tests]);
    expect([tested.status, tested.text]).toEqual([0, expect.stringContaining('3 passed')]);
    expect(run(process.execPath, ['gateway/main.ts', 'connector', 'new', 'wms-acme-north']).status).toBe(1);
  } finally {
    rmSync(project, { recursive: true });
  }
});
