import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The text files of one project folder, by path inside it. Tests pass a folder of their own. */
export interface ProjectFiles {
  /** Null: there is no such file. */
  readonly read: (path: string) => string | null;
  /** Makes the folders it needs. */
  readonly write: (path: string, text: string) => void;
  readonly remove: (path: string) => void;
  /** Names of the files directly in the folder; empty when it is absent. */
  readonly list: (folder: string) => readonly string[];
}

/** @param root default: this project's folder */
export function projectFiles(root: string = fileURLToPath(new URL('../', import.meta.url))): ProjectFiles {
  return {
    read: (path) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : null),
    write: (path, text) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    },
    remove: (path) => rmSync(join(root, path), { force: true }),
    list: (folder) => (existsSync(join(root, folder)) ? readdirSync(join(root, folder)).toSorted() : []),
  };
}

/** The composed supergraph the gateway loads, committed. */
export const supergraphPath = 'schema/supergraph.graphql';
/** The supergraph as last released: what breaking changes are measured against. */
export const releasedPath = 'schema/released.graphql';
