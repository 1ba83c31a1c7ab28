import { findBreaks } from '#gateway/breaking-changes.ts';
import { formatFinding, lintGovernance } from '#gateway/governance-lint.ts';
import { releasedPath, supergraphPath } from '#gateway/project-files.ts';
import { thisProject, tryCompose } from './compose.ts';
import { runDocs } from './docs.ts';
import { failed, joined, succeeded } from './report.ts';
import type { SchemaProject } from './compose.ts';
import type { CommandReport } from './report.ts';

function checkDrift(project: SchemaProject, supergraph: string): CommandReport {
  const committed = project.files.read(supergraphPath);
  if (committed === supergraph) return succeeded(`${supergraphPath} is what the subgraphs compose to.`);
  const problem = committed === null ? 'is missing' : 'is not what the subgraphs compose to';
  return failed(`${supergraphPath} ${problem}: run \`npm run mortar -- compose\`.`);
}

/** Every broken rule of governance, as a report. */
export function checkGovernance(project: SchemaProject, supergraph: string): CommandReport {
  const findings = lintGovernance(project.subgraphs, supergraph);
  return findings.length === 0
    ? succeeded('Every rule of governance holds.')
    : failed(
        `${findings.length} broken rules of governance:`,
        ...findings.map((finding) => `  ${formatFinding(finding)}`),
      );
}

/** What breaks against schema/released.graphql, as a report. */
export function checkBreaks(project: SchemaProject, supergraph: string): CommandReport {
  const released = project.files.read(releasedPath);
  if (released === null) {
    return failed(
      `${releasedPath} is missing, so breaking changes cannot be seen: run \`npm run mortar -- release\` once.`,
    );
  }
  const breaks = findBreaks(released, supergraph);
  return breaks.length === 0
    ? succeeded(`Nothing breaks against ${releasedPath}.`)
    : failed(`${breaks.length} breaking changes against ${releasedPath}:`, ...breaks.map((line) => `  ${line}`));
}

/**
 * The checks of the schema: composition and its drift, governance, breaking changes, generated pages. Reads files only;
 * needs no database and no system.
 */
export function runCheck(project: SchemaProject = thisProject()): CommandReport {
  const supergraph = tryCompose(project.subgraphs);
  if (typeof supergraph !== 'string') return supergraph;
  return joined([
    checkDrift(project, supergraph),
    checkGovernance(project, supergraph),
    checkBreaks(project, supergraph),
    runDocs({ check: true }, project),
  ]);
}
