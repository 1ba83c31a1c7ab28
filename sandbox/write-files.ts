import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { SandboxError } from './sandbox-error.ts';
import type { WorldConsent } from './world/types.ts';

export const CONSENTS_FILE = 'consents.jsonl';

export interface SandboxFiles {
  /** Absolute. */
  readonly configFile: string;
  readonly consentsFile: string;
}

/**
 * Writes `sandbox/mortar.config.yaml` and `sandbox/consents.jsonl` below the home folder, each whole or not at all.
 * @throws {SandboxError} when the folder cannot be written
 */
export async function writeFiles(options: {
  readonly home: string;
  readonly configuration: object;
  readonly consents: readonly WorldConsent[];
}): Promise<SandboxFiles> {
  const folder = resolve(options.home, 'sandbox');
  const files = { configFile: join(folder, 'mortar.config.yaml'), consentsFile: join(folder, CONSENTS_FILE) };
  const head = '# Written by `mortar sandbox` at every start: changes are lost.\n';
  try {
    await mkdir(folder, { recursive: true });
    await Promise.all([
      replace(files.configFile, head + stringify(options.configuration, { aliasDuplicateObjects: false })),
      replace(files.consentsFile, options.consents.map((consent) => `${JSON.stringify(consent)}\n`).join('')),
    ]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown cause';
    throw new SandboxError(`cannot write the sandbox's files below ${folder} (--home): ${reason}`, error);
  }
  return files;
}

async function replace(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.tmp`;
  await writeFile(draft, text);
  await rename(draft, file);
}
