import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import { batchesOf, inBatches } from '#platform/batches.ts';
import type { IdentityTables } from './tables.ts';
import { type Clock, nowIso } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { MortarError } from '#platform/errors.ts';
import type { SubjectCipher } from '#schema/model/consent.ts';
import type { SubjectId } from '#schema/model/ids.ts';

export interface SubjectCipherOptions {
  readonly database: Database;
  readonly clock: Clock;
  /** 32 bytes that wrap every subject's own key. */
  readonly keyEncryptionKey: Uint8Array;
}

export interface SubjectVault extends SubjectCipher {
  /** Crypto-shredding: whatever was encrypted for these subjects is unreadable from now on. */
  readonly destroyKeys: (subjects: readonly SubjectId[]) => Promise<void>;
}

const DATA_PREFIX = 'd1.';
const KEY_PREFIX = 'k1.';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM under one random key a subject; the keys are wrapped, and a value is bound to its subject. */
export function createSubjectCipher(options: SubjectCipherOptions): SubjectVault {
  const { clock, keyEncryptionKey } = options;
  const database = options.database.as<IdentityTables>();

  const unwrap = (subject: SubjectId, wrapped: string): Uint8Array => {
    const key = open(keyEncryptionKey, { prefix: KEY_PREFIX, bound: subject }, wrapped);
    if (key !== null) return key;
    throw new MortarError('CONFIGURATION_INVALID', {
      message:
        'Stored subject keys cannot be unwrapped: MORTAR_KEY_ENCRYPTION or the root key differs from the one that wrote them.',
    });
  };

  /** Keys by subject; null: destroyed; absent: none yet. */
  const readKeys = async (
    db: Database<IdentityTables>['read'],
    subjects: readonly SubjectId[],
  ): Promise<Map<SubjectId, Uint8Array | null>> => {
    const rows = await inBatches([...new Set(subjects)], async (batch) =>
      db.selectFrom('subject_key').select(['subject_id', 'wrapped_key']).where('subject_id', 'in', batch).execute(),
    );
    const wrapped = new Map(rows.map((row) => [row.subject_id, row.wrapped_key]));
    const keys = new Map<SubjectId, Uint8Array | null>();
    for (const subject of subjects) {
      const text = wrapped.get(subject);
      if (text !== undefined && !keys.has(subject)) keys.set(subject, text === null ? null : unwrap(subject, text));
    }
    return keys;
  };

  const makeKeys = async (subjects: readonly SubjectId[]): Promise<Map<SubjectId, Uint8Array | null>> => {
    for (const batch of batchesOf(subjects)) {
      const rows = batch.map((subject) => ({
        subject_id: subject,
        wrapped_key: seal(keyEncryptionKey, { prefix: KEY_PREFIX, bound: subject }, randomBytes(32)),
        destroyed_at: null,
      }));
      await database.write
        .insertInto('subject_key')
        .values(rows)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    // Of two writers one won: what is stored counts.
    return readKeys(database.write, subjects);
  };

  return {
    async encrypt(values) {
      const subjects = [...new Set(values.map((value) => value.subject))];
      const keys = await readKeys(database.read, subjects);
      const missing = subjects.filter((subject) => !keys.has(subject));
      if (missing.length > 0) for (const [subject, key] of await makeKeys(missing)) keys.set(subject, key);
      return values.map(({ subject, plaintext }) =>
        // A shredded subject stays shredded: its value goes under a key nobody keeps.
        seal(keys.get(subject) ?? randomBytes(32), { prefix: DATA_PREFIX, bound: subject }, Buffer.from(plaintext)),
      );
    },

    async decrypt(values) {
      const keys = await readKeys(
        database.read,
        values.map((value) => value.subject),
      );
      return values.map(({ subject, ciphertext }) => {
        const key = keys.get(subject);
        if (key === null || key === undefined) return null;
        return open(key, { prefix: DATA_PREFIX, bound: subject }, ciphertext)?.toString() ?? null;
      });
    },

    async destroyKeys(subjects) {
      for (const batch of batchesOf([...new Set(subjects)])) {
        const gone = { wrapped_key: null, destroyed_at: nowIso(clock) };
        await database.write
          .insertInto('subject_key')
          .values(batch.map((subject) => ({ subject_id: subject, ...gone })))
          .onConflict((conflict) => conflict.column('subject_id').doUpdateSet(gone))
          .execute();
      }
    },
  };
}

interface Binding {
  readonly prefix: string;
  /** Authenticated with the value: a ciphertext moved to another subject does not open. */
  readonly bound: string;
}

function seal(key: Uint8Array, binding: Binding, plaintext: Uint8Array): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  cipher.setAAD(Buffer.from(`${binding.prefix}${binding.bound}`));
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return binding.prefix + Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
}

/** Null when the text was not sealed with this key for this binding. */
function open(key: Uint8Array, binding: Binding, text: string): Buffer | null {
  if (!text.startsWith(binding.prefix)) return null;
  const bytes = Buffer.from(text.slice(binding.prefix.length), 'base64url');
  if (bytes.length < IV_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(`${binding.prefix}${binding.bound}`));
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
  } catch {
    return null;
  }
}
