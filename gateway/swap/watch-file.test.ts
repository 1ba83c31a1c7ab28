import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { type FileWatch, watchText } from './watch-file.ts';

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
let folder: string;
let file: string;
let watched: FileWatch;
let texts: string[];
let waiting: { readonly count: number; readonly resolve: () => void } | null;

/** Resolves once so many texts were told. */
function told(count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  waiting = { count, resolve };
  if (texts.length >= count) resolve();
  return promise;
}

function start(): void {
  watched = watchText({
    file,
    restMs: 60,
    logger: SILENT,
    onText: (text) => {
      texts.push(text);
      if (waiting !== null && texts.length >= waiting.count) waiting.resolve();
    },
  });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mortar-watch-'));
  file = join(folder, 'supergraph.graphql');
  writeFileSync(file, 'one');
  [texts, waiting] = [[], null];
  start();
  await told(1);
});
afterEach(() => {
  watched.close();
  rmSync(folder, { recursive: true });
});

describe('watchText', () => {
  it('tells what the file is and what it becomes, once each', async () => {
    writeFileSync(file, 'two');
    await told(2);
    writeFileSync(file, 'two');
    writeFileSync(file, 'three');
    await told(3);
    expect(texts).toEqual(['one', 'two', 'three']);
  });

  it('sees a file put in its place by renaming, and one that was gone', async () => {
    writeFileSync(join(folder, '.new'), 'two');
    renameSync(join(folder, '.new'), file);
    await told(2);
    unlinkSync(file);
    writeFileSync(file, 'three');
    await told(3);
    expect(texts).toEqual(['one', 'two', 'three']);
  });

  it('sees what a symbolic link leads to change', async () => {
    writeFileSync(join(folder, 'a'), 'two');
    unlinkSync(file);
    symlinkSync(join(folder, 'a'), file);
    await told(2);
    writeFileSync(join(folder, 'b'), 'three');
    symlinkSync(join(folder, 'b'), join(folder, '.link'));
    renameSync(join(folder, '.link'), file);
    await told(3);
    expect(texts).toEqual(['one', 'two', 'three']);
  });

  it('does not tell half a file that is being written', async () => {
    let half = 'half';
    writeFileSync(file, half);
    // Each reading finds more, until it comes to rest.
    for (let turn = 0; turn < 5; turn += 1) {
      half += '.';
      writeFileSync(file, half);
      // oxlint-disable-next-line no-await-in-loop -- writing takes turns with reading
      await new Promise((resolve) => setImmediate(resolve));
    }
    await told(2);
    expect(texts).toEqual(['one', half]);
  });

  it('tells the same again when it is asked to read', async () => {
    watched.read();
    await told(2);
    expect(texts).toEqual(['one', 'one']);
  });
});
