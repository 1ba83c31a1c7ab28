import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { projectFiles } from '#gateway/project-files.ts';
import { ERROR_CODES } from '#platform/errors.ts';
import { governedSubgraphs } from '#test/support/governed-subgraphs.ts';
import { runCheck } from './check.ts';
import { runCompose } from './compose.ts';
import { runDocs } from './docs.ts';
import { runRelease } from './release.ts';
import type { SchemaProject } from './compose.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

type Change = Parameters<typeof governedSubgraphs>[0];

function aProject(): SchemaProject {
  const folder = mkdtempSync(join(tmpdir(), 'mortar-schema-'));
  folders.push(folder);
  return { files: projectFiles(folder), subgraphs: governedSubgraphs() };
}

const withChange = (project: SchemaProject, change: Change): SchemaProject => ({
  ...project,
  subgraphs: governedSubgraphs(change),
});

/** A project as it is committed: composed, released, documented. */
function aCurrentProject(): SchemaProject {
  const project = aProject();
  runRelease({}, project);
  runDocs({ check: false }, project);
  return project;
}

describe('the schema commands', () => {
  it('compose writes the supergraph once and says when it is current', () => {
    const project = aProject();
    expect(runCompose(project).lines).toEqual(['schema/supergraph.graphql written (catalog, customers, orders).']);
    expect(runCompose(project).lines).toEqual(['schema/supergraph.graphql is current (catalog, customers, orders).']);
  });

  it('compose fails with the reason when the subgraphs do not fit, and writes nothing', () => {
    const project = withChange(aProject(), { orders: (text) => text.replace('total: Money ', 'total: Monney ') });
    const report = runCompose(project);
    expect(report.exitCode).toBe(1);
    expect(report.lines.join('\n')).toContain('Monney');
    expect(project.files.read('schema/supergraph.graphql')).toBeNull();
  });

  it('check passes on a current project', () => {
    expect(runCheck(aCurrentProject())).toEqual({ exitCode: 0, lines: expect.any(Array) });
  });

  it('check says what is missing in a new project', () => {
    const report = runCheck(aProject());
    expect(report.exitCode).toBe(1);
    expect(report.lines).toEqual(
      expect.arrayContaining([
        expect.stringContaining('schema/supergraph.graphql is missing'),
        expect.stringContaining('schema/released.graphql is missing'),
        expect.stringContaining('docs/errors.md has drifted'),
      ]),
    );
  });

  it.each([
    [
      'drift',
      { catalog: (text: string) => text.replace('"Goods."', '"All goods."') },
      'is not what the subgraphs compose to',
    ],
    [
      'a broken rule',
      { customers: (text: string) => text.replace('"A page of people."', '') },
      'CustomerConnection (customers): has no description [described]',
    ],
    [
      'a breaking change',
      { catalog: (text: string) => text.replace('name: String', 'name: Int') },
      'Channel.name changed type from String to Int.',
    ],
    [
      'pages that drifted',
      { catalog: (text: string) => text.replace('"Goods."', '"All goods."') },
      'docs/schema/catalog.md has drifted',
    ],
  ])('check fails on %s', (_what, change, message) => {
    const report = runCheck(withChange(aCurrentProject(), change));
    expect(report.exitCode).toBe(1);
    expect(report.lines.join('\n')).toContain(message);
  });

  it('release refuses broken governance, and breaking changes unless they are allowed', () => {
    const project = aCurrentProject();
    const ungoverned = withChange(project, {
      orders: (text) => text.replace('channel: Channel @publicData', 'channel: Channel'),
    });
    expect(runRelease({ allowBreaking: true }, ungoverned).exitCode).toBe(1);
    const breaking = withChange(project, { catalog: (text) => text.replace('name: String', 'name: Int') });
    expect(runRelease({}, breaking).lines.at(-1)).toContain('Not released');
    expect(runRelease({ allowBreaking: true }, breaking).exitCode).toBe(0);
    expect(runRelease({}, breaking).exitCode).toBe(0);
  });

  it('docs writes pages for every code, personal field and type, and removes pages of subgraphs that are gone', () => {
    const project = aCurrentProject();
    const errors = project.files.read('docs/errors.md') ?? '';
    for (const code of Object.keys(ERROR_CODES)) expect(errors).toContain(`| \`${code}\` |`);
    expect(project.files.read('docs/consent-rules.md')).toContain(
      '| `Customer.email` | contact.email | SERVICE_SUPPORT, MARKETING |',
    );
    const customers = project.files.read('docs/schema/customers.md') ?? '';
    expect(customers).toContain('## Customer');
    expect(customers).toContain(
      '| `customer(id: ID!)` | `Customer` | One person; null when there is none. `id`: Its id. | scope customers:read |',
    );
    expect(project.files.read('docs/schema/orders.md')).not.toContain('## Channel');
    project.files.write('docs/schema/gone.md', 'old');
    expect(runDocs({ check: true }, project).lines).toEqual([
      'docs/schema/gone.md has drifted: run `npm run mortar -- docs`.',
    ]);
    runDocs({ check: false }, project);
    expect(project.files.read('docs/schema/gone.md')).toBeNull();
    expect(runDocs({ check: true }, project).exitCode).toBe(0);
  });
});
