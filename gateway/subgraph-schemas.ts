import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { subgraphSdl } from '#platform/subgraph-sdl.ts';

/** A subgraph as composition sees it: `sdl` is complete (directives and shared types included). */
export interface SubgraphSdl {
  readonly name: string;
  readonly sdl: string;
}

const subgraphsFolder = fileURLToPath(new URL('../subgraphs/', import.meta.url));

/** The SDL of every subgraph in subgraphs/<name>/schema.graphql, by name. Needs no database and no system. */
export function readSubgraphSdls(folder: string = subgraphsFolder): readonly SubgraphSdl[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'schema.graphql')))
    .map((entry) => entry.name)
    .toSorted()
    .map((name) => ({ name, sdl: subgraphSdl(readFileSync(join(folder, name, 'schema.graphql'), 'utf8')) }));
}
