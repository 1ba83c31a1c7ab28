import { readPolicy } from '#gateway/policy.ts';
import { connectorPages, connectorPagesFolder } from '#gateway/reference/connector-pages.ts';
import { consentPage } from '#gateway/reference/consent-page.ts';
import { errorPage } from '#gateway/reference/error-page.ts';
import { schemaPages } from '#gateway/reference/schema-pages.ts';
import { thisProject, tryCompose } from './compose.ts';
import { failed, succeeded } from './report.ts';
import type { SchemaProject } from './compose.ts';
import type { Page } from '#gateway/reference/markdown.ts';
import type { CommandReport } from './report.ts';

export interface DocsOptions {
  /** Compares only; nothing is written. */
  readonly check: boolean;
}

const folders = ['docs/schema', connectorPagesFolder];

function stalePages(project: SchemaProject, pages: readonly Page[]): readonly string[] {
  const known = new Set(pages.map((page) => page.path));
  return folders
    .flatMap((folder) => project.files.list(folder).map((name) => `${folder}/${name}`))
    .filter((path) => !known.has(path));
}

/** Writes the generated pages (docs/errors.md, docs/consent-rules.md, docs/schema/*.md, docs/connectors/*.md), or says which have drifted. */
export function runDocs(options: DocsOptions, project: SchemaProject = thisProject()): CommandReport {
  const supergraph = tryCompose(project.subgraphs);
  if (typeof supergraph !== 'string') return supergraph;
  const pages = [
    errorPage(),
    consentPage(readPolicy(supergraph)),
    ...schemaPages(project.subgraphs),
    ...connectorPages(),
  ];
  const changed = pages.filter((page) => project.files.read(page.path) !== page.text);
  const stale = stalePages(project, pages);
  const drifted = [...changed.map((page) => page.path), ...stale];
  if (drifted.length === 0) return succeeded(`The ${pages.length} generated pages are current.`);
  if (options.check) return failed(...drifted.map((path) => `${path} has drifted: run \`npm run mortar -- docs\`.`));
  for (const page of changed) project.files.write(page.path, page.text);
  for (const path of stale) project.files.remove(path);
  return succeeded(...drifted.map((path) => `${path} written.`));
}
