import { expect, test } from 'vitest';

import { createSubjectCipher } from './subject-cipher.ts';
import { toSubjectId } from '#schema/model/ids.ts';
import { describeDatabases } from '#test/support/databases.ts';
import { identityTestMigrations, testClock } from '#test/support/identity.ts';

const [ada, bea] = ['sub_ada', 'sub_bea'].map(toSubjectId) as [
  ReturnType<typeof toSubjectId>,
  ReturnType<typeof toSubjectId>,
];
const keyEncryptionKey = new Uint8Array(32).fill(3);

describeDatabases('the subject cipher', (open) => {
  test('gives values back in order, and never the same ciphertext twice', async () => {
    await using db = await open(identityTestMigrations);
    const cipher = createSubjectCipher({ database: db.database, clock: testClock, keyEncryptionKey });
    const values = [
      { subject: ada, plaintext: 'a' },
      { subject: bea, plaintext: 'b' },
      { subject: ada, plaintext: 'a' },
    ];
    const ciphertexts = await cipher.encrypt(values);
    expect(new Set(ciphertexts).size).toBe(3);
    const opened = await cipher.decrypt(
      values.map(({ subject }, index) => ({ subject, ciphertext: ciphertexts[index]! })),
    );
    expect(opened).toEqual(['a', 'b', 'a']);
  });

  test('does not open a value moved to another subject, or changed', async () => {
    await using db = await open(identityTestMigrations);
    const cipher = createSubjectCipher({ database: db.database, clock: testClock, keyEncryptionKey });
    const [ciphertext] = await cipher.encrypt([
      { subject: ada, plaintext: 'a' },
      { subject: bea, plaintext: 'b' },
    ]);
    const changed = `${ciphertext!.slice(0, -2)}${ciphertext!.endsWith('AA') ? 'BB' : 'AA'}`;
    expect(
      await cipher.decrypt([
        { subject: bea, ciphertext: ciphertext! },
        { subject: ada, ciphertext: changed },
      ]),
    ).toEqual([null, null]);
  });

  test('keeps a destroyed subject unreadable, before and after new values', async () => {
    await using db = await open(identityTestMigrations);
    const cipher = createSubjectCipher({ database: db.database, clock: testClock, keyEncryptionKey });
    const [before] = await cipher.encrypt([{ subject: ada, plaintext: 'a' }]);
    await cipher.destroyKeys([ada]);
    const [after] = await cipher.encrypt([{ subject: ada, plaintext: 'a' }]);
    expect(await cipher.decrypt([before!, after!].map((ciphertext) => ({ subject: ada, ciphertext })))).toEqual([
      null,
      null,
    ]);
  });

  test('writers that need a subject’s first key at once agree on it', async () => {
    await using db = await open(identityTestMigrations);
    const cipher = createSubjectCipher({ database: db.database, clock: testClock, keyEncryptionKey });
    const ciphertexts = await Promise.all(
      ['1', '2', '3'].map(async (plaintext) => cipher.encrypt([{ subject: ada, plaintext }])),
    );
    const opened = await cipher.decrypt(ciphertexts.flat().map((ciphertext) => ({ subject: ada, ciphertext })));
    expect(opened).toEqual(['1', '2', '3']);
  });

  test('names the key to correct when the stored keys were wrapped with another one', async () => {
    await using db = await open(identityTestMigrations);
    const cipher = createSubjectCipher({ database: db.database, clock: testClock, keyEncryptionKey });
    await cipher.encrypt([{ subject: ada, plaintext: 'a' }]);
    const other = createSubjectCipher({
      database: db.database,
      clock: testClock,
      keyEncryptionKey: new Uint8Array(32).fill(4),
    });
    await expect(other.encrypt([{ subject: ada, plaintext: 'a' }])).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
    });
  });
});
