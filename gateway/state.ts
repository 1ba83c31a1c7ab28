import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Config } from './config-schema.ts';
import type { ImportConsentFileOptions } from './graph.ts';
import { assertSameWorld } from './sandbox-world.ts';
import { catalogMigrations } from '#domain/catalog/migrations.ts';
import { importConsents, type ImportReport } from '#domain/consent/importer.ts';
import { linesOf } from '#domain/consent/lines-of.ts';
import { consentMigrations } from '#domain/consent/migrations.ts';
import { identityMigrations } from '#domain/identity/migrations.ts';
import { createSubjectCipher, type SubjectVault } from '#domain/identity/subject-cipher.ts';
import { createSubjects, type Subjects } from '#domain/identity/subjects.ts';
import { orderMigrations } from '#domain/order/migrations.ts';
import { stockMigrations } from '#domain/stock/migrations.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database, Migration } from '#platform/database.ts';
import { commitFeedCursor, feedCursorMigrations, readFeedCursor } from '#platform/feed-cursors.ts';
import { feedLeaseMigrations } from '#platform/feed-leases.ts';
import { checkKeys, keyCheckMigrations } from '#platform/key-check.ts';
import { type Keys, loadKeys } from '#platform/keys.ts';
import { openDatabase } from '#platform/open-database.ts';

/** The stored state of the product and what every domain needs of it. */
export interface State {
  readonly database: Database;
  readonly keys: Keys;
  readonly subjects: Subjects;
  readonly cipher: SubjectVault;
}

/** Every table of the product. */
export const STATE_MIGRATIONS: readonly Migration[] = [
  ...feedCursorMigrations,
  ...feedLeaseMigrations,
  ...keyCheckMigrations,
  ...catalogMigrations,
  ...identityMigrations,
  ...orderMigrations,
  ...consentMigrations,
  ...stockMigrations,
];

/** Opens database and keys. @throws {MortarError} CONFIGURATION_INVALID */
export async function openState(config: Config, clock: Clock): Promise<State> {
  const keys = loadKeys({
    variables: config.keyVariables,
    rootKeyFile: config.production ? null : join(dirname(config.databaseFile), 'keys', 'root.key'),
  });
  const database = await openDatabase({
    location:
      config.databaseUrl === null
        ? { kind: 'sqlite', file: config.databaseFile }
        : { kind: 'postgres', url: config.databaseUrl },
    migrations: STATE_MIGRATIONS,
  });
  try {
    await checkKeys(database, keys);
    await assertSameWorld(database, config, clock);
  } catch (error) {
    await database.close();
    throw error;
  }
  return {
    database,
    keys,
    subjects: createSubjects({ database }),
    cipher: createSubjectCipher({ database, clock, keyEncryptionKey: keys.keyEncryption }),
  };
}

type ImportOptions = Pick<ImportConsentFileOptions, 'config' | 'file' | 'clock'> & {
  readonly onProgress?: ImportConsentFileOptions['onProgress'];
};

/** Imports one file of past decisions into an opened state. Running it again changes nothing. */
export async function importDecisions(state: State, options: ImportOptions): Promise<ImportReport> {
  const { config, file, clock, onProgress } = options;
  return importConsents({
    database: state.database,
    subjects: state.subjects,
    cipher: state.cipher,
    clock,
    lines: () => linesOf(createReadStream(file)),
    recipients: config.retail.recipients.map(({ id }) => id),
    systems: config.systems.map(({ id }) => id),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

/** Where it is kept that a file was imported: its cursor is the digest of the file, null while it is being imported. */
export const importEntry = (file: string) => ({ system: 'import', feed: file }) as const;

/**
 * Whether a configured file was imported as it is. A changed file is imported again, but not the sandbox's: its dates move
 * with the day, and would override what was decided here since.
 */
export function isImported(cursor: string | null, { digest, sandbox }: { digest: string; sandbox: boolean }): boolean {
  return cursor === digest || (sandbox && cursor !== null);
}

/** Imports a configured file unless it was imported before; null: it was. */
export async function importDecisionsOnce(
  state: State,
  options: ImportOptions & { readonly digest: string },
): Promise<ImportReport | null> {
  const { config, file, clock, digest } = options;
  const entry = importEntry(file);
  const cursor = await readFeedCursor(state.database, entry);
  if (isImported(cursor, { digest, sandbox: config.sandbox })) return null;
  const mark = async (next: string | null): Promise<void> =>
    state.database.write
      .transaction()
      .execute(async (trx) =>
        commitFeedCursor(trx, { ...entry, cursor: next, done: next !== null, atMs: clock.nowMs() }),
      );
  // Other processes keep personal fields closed meanwhile.
  await mark(null);
  const report = await importDecisions(state, options);
  await mark(digest);
  return report;
}

/** Of a file's content. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}
