import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { loadKeys } from './keys.ts';

const root = Buffer.alloc(32, 1).toString('base64');

test('derives different keys from one root key, the same ones each time', () => {
  const first = loadKeys({ variables: { MORTAR_ROOT_KEY: root }, rootKeyFile: null });
  const again = loadKeys({ variables: { MORTAR_ROOT_KEY: root }, rootKeyFile: null });
  expect(first).toEqual(again);
  expect(new Set(Object.values(first).map((key) => Buffer.from(key).toString('hex'))).size).toBe(
    Object.keys(first).length,
  );
});

test('takes a key from its own variable before the root key', () => {
  const own = Buffer.alloc(32, 9).toString('base64');
  const keys = loadKeys({ variables: { MORTAR_ROOT_KEY: root, MORTAR_KEY_CURSOR: own }, rootKeyFile: null });
  expect(Buffer.from(keys.cursor).toString('base64')).toBe(own);
});

test('refuses to start without a root key where none may be generated, and a short one anywhere', () => {
  expect(() => loadKeys({ variables: {}, rootKeyFile: null })).toThrow(/MORTAR_ROOT_KEY is not set/);
  expect(() => loadKeys({ variables: { MORTAR_ROOT_KEY: 'c2hvcnQ=' }, rootKeyFile: null })).toThrow(
    /needs at least 32/,
  );
});

test('keeps a generated root key in a file only its owner reads', () => {
  const home = mkdtempSync(join(tmpdir(), 'mortar-keys-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const rootKeyFile = join(home, 'keys', 'root.key');
  const first = loadKeys({ variables: {}, rootKeyFile });
  expect(loadKeys({ variables: {}, rootKeyFile })).toEqual(first);
  expect(statSync(rootKeyFile).mode & 0o777).toBe(0o600);
});
