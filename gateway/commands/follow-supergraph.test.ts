import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

import { followSupergraph } from './follow-supergraph.ts';

const logger = { debug() {}, info() {}, warn() {}, error() {} };

it('offers the supergraph again when SIGHUP asks, changed or not, and no longer once it is stopped', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mortar-follow-'));
  const file = join(folder, 'supergraph.graphql');
  writeFileSync(file, 'first');
  const offered: string[] = [];
  const offer = (text: string): Promise<'same'> => {
    offered.push(text);
    return Promise.resolve('same');
  };
  const listeners = process.listenerCount('SIGHUP');
  const stop = followSupergraph(pathToFileURL(file), { supergraph: { offer } }, logger);
  await expect.poll(() => offered, { timeout: 5_000 }).toEqual(['first']);
  process.emit('SIGHUP');
  await expect.poll(() => offered, { timeout: 5_000 }).toEqual(['first', 'first']);
  stop();
  expect(process.listenerCount('SIGHUP')).toBe(listeners);
  rmSync(folder, { recursive: true });
});
