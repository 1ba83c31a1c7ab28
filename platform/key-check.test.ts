import { expect, test } from 'vitest';

import { describeDatabases } from '#test/support/databases.ts';
import { checkKeys, keyCheckMigrations } from './key-check.ts';

const keysOf = (byte: number) => ({
  idHash: Buffer.alloc(32, byte),
  cursor: Buffer.alloc(32, byte),
  changes: Buffer.alloc(32, byte),
  keyEncryption: Buffer.alloc(32, byte),
});

describeDatabases('key check', (open) => {
  test('accepts the keys the state was written under, and a rotated cursor key', async () => {
    await using opened = await open(keyCheckMigrations);
    await expect(checkKeys(opened.database, keysOf(1))).resolves.toBeUndefined();
    await expect(checkKeys(opened.database, { ...keysOf(1), cursor: Buffer.alloc(32, 2) })).resolves.toBeUndefined();
  });

  test.each(['idHash', 'keyEncryption'] as const)('refuses state written under another %s key', async (name) => {
    await using opened = await open(keyCheckMigrations);
    await checkKeys(opened.database, keysOf(1));
    const checking = checkKeys(opened.database, { ...keysOf(1), [name]: Buffer.alloc(32, 2) });
    await expect(checking).rejects.toThrow(new RegExp(`written under another ${name} key`));
  });
});
