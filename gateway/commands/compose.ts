import { CompositionError, composeSubgraphs } from '#gateway/composition.ts';
import { projectFiles, supergraphPath } from '#gateway/project-files.ts';
import { readSubgraphSdls } from '#gateway/subgraph-schemas.ts';
import { failed, succeeded } from './report.ts';
import type { ProjectFiles } from '#gateway/project-files.ts';
import type { SubgraphSdl } from '#gateway/subgraph-schemas.ts';
import type { CommandReport } from './report.ts';

/** What the schema commands work on. @default this project */
export interface SchemaProject {
  readonly files: ProjectFiles;
  readonly subgraphs: readonly SubgraphSdl[];
}

export const thisProject = (): SchemaProject => ({ files: projectFiles(), subgraphs: readSubgraphSdls() });

/** The composed supergraph, or the report that says why there is none. */
export function tryCompose(subgraphs: readonly SubgraphSdl[]): string | CommandReport {
  try {
    return composeSubgraphs(subgraphs);
  } catch (error) {
    if (error instanceof CompositionError) return failed(error.message);
    throw error;
  }
}

/** Composes the subgraphs and writes schema/supergraph.graphql, the file the gateway loads. */
export function runCompose(project: SchemaProject = thisProject()): CommandReport {
  const supergraph = tryCompose(project.subgraphs);
  if (typeof supergraph !== 'string') return supergraph;
  const names = project.subgraphs.map(({ name }) => name).join(', ');
  if (project.files.read(supergraphPath) === supergraph) return succeeded(`${supergraphPath} is current (${names}).`);
  project.files.write(supergraphPath, supergraph);
  return succeeded(`${supergraphPath} written (${names}).`);
}
