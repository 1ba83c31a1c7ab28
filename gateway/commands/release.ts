import { releasedPath } from '#gateway/project-files.ts';
import { checkBreaks, checkGovernance } from './check.ts';
import { runCompose, thisProject, tryCompose } from './compose.ts';
import { failed, joined, succeeded } from './report.ts';
import type { SchemaProject } from './compose.ts';
import type { CommandReport } from './report.ts';

export interface ReleaseOptions {
  /** Release although callers break. @default false */
  readonly allowBreaking?: boolean;
}

/**
 * Writes schema/released.graphql: from then on the supergraph is a promise, and `check` fails on what breaks it. Refuses
 * a supergraph that breaks governance, and one that breaks the last release unless that is allowed.
 */
export function runRelease(options: ReleaseOptions = {}, project: SchemaProject = thisProject()): CommandReport {
  const supergraph = tryCompose(project.subgraphs);
  if (typeof supergraph !== 'string') return supergraph;
  const governance = checkGovernance(project, supergraph);
  if (governance.exitCode === 1) return governance;
  if (project.files.read(releasedPath) !== null && options.allowBreaking !== true) {
    const breaks = checkBreaks(project, supergraph);
    if (breaks.exitCode === 1)
      return joined([breaks, failed('Not released. Add --allow-breaking to release it anyway.')]);
  }
  const composed = runCompose(project);
  project.files.write(releasedPath, supergraph);
  return joined([composed, succeeded(`${releasedPath} written.`)]);
}
