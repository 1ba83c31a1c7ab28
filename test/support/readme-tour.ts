import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { PROJECT } from './mortar-process.ts';
import type { Product } from './product-client.ts';

/** One ```sh block of the README, and what it printed. */
export interface TourStep {
  readonly block: string;
  /** Parsed, one for each line of JSON. */
  readonly answers: readonly TourAnswer[];
}

export interface TourAnswer {
  // oxlint-disable-next-line typescript/no-explicit-any -- the shape is that of the README's own queries
  readonly data?: any;
  readonly errors?: readonly { readonly message: string }[];
  readonly extensions?: { readonly consent?: readonly { readonly coordinate: string; readonly reason: string }[] };
}

export interface Tour {
  readonly steps: readonly TourStep[];
  /** 0: every command succeeded; commands after one that failed are not run. */
  readonly code: number;
  readonly stderr: string;
}

const MARK = '--- next block ---';
const DOCUMENTED_BASE = 'http://127.0.0.1:4000';

/** The ```sh blocks of the README, in order. */
export async function readmeBlocks(): Promise<readonly string[]> {
  const text = await readFile(join(PROJECT, 'README.md'), 'utf8');
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? '');
}

/** Runs the README's blocks in one shell, as a person does, against a running product: only its address is replaced. */
export async function runReadmeTour(product: Pick<Product, 'urls'>): Promise<Tour> {
  const blocks = await readmeBlocks();
  const { base } = product.urls;
  const script = blocks
    .map((block) => block.replaceAll(DOCUMENTED_BASE, base).replaceAll(' -- token ', ` -- token --url ${base} `))
    .map((block) => `echo\necho '${MARK}'\n${block}`)
    .join('\n');
  const { code, stdout, stderr } = await runShell(`set -euo pipefail\n${script}`);
  const outputs = stdout.split(`${MARK}\n`).slice(1);
  return { code, stderr, steps: blocks.map((block, index) => ({ block, answers: answersIn(outputs[index] ?? '') })) };
}

function answersIn(output: string): readonly TourAnswer[] {
  return output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as TourAnswer);
}

async function runShell(script: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; stdout: string; stderr: string }>();
  const options = { cwd: PROJECT, timeout: 120_000, maxBuffer: 16 * 1024 * 1024 };
  execFile('bash', ['-c', script], options, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr });
  });
  return promise;
}

/** The GraphQL documents a block sends. */
export function documentsIn(block: string): readonly string[] {
  return [...block.matchAll(/"query":\s*"((?:[^"\\]|\\.)*)"/g)].map(
    (match) => JSON.parse(`"${match[1] ?? ''}"`) as string,
  );
}
