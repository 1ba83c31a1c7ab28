import { createMatchKeys, type MatchKeys } from '#domain/identity/match-keys.ts';
import { identityMigrations } from '#domain/identity/migrations.ts';
import { type ProfileWriter, createProfileWriter } from '#domain/identity/profile-writer.ts';
import { createLoyaltySink, createProfileSink } from '#domain/identity/sinks.ts';
import { type SubjectVault, createSubjectCipher } from '#domain/identity/subject-cipher.ts';
import { type Subjects, createSubjects } from '#domain/identity/subjects.ts';
import type { IdentityTables } from '#domain/identity/tables.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';
import { feedCursorMigrations } from '#platform/feed-cursors.ts';
import type { LoyaltyRecord, ProfileRecord } from '#schema/model/records.ts';
import type { FeedSink } from '#schema/model/sources.ts';

export const TEST_NOW_MS = Date.parse('2026-01-15T12:00:00.000Z');
export const testClock: Clock = { nowMs: () => TEST_NOW_MS };
export const identityTestMigrations = [...feedCursorMigrations, ...identityMigrations];

/** The identity store's parts over one database, with keys of the test's own. */
export interface TestIdentity {
  readonly tables: Database<IdentityTables>;
  readonly subjects: Subjects;
  readonly cipher: SubjectVault;
  readonly matchKeys: MatchKeys;
  readonly writer: ProfileWriter;
  readonly profiles: FeedSink<ProfileRecord>;
  readonly loyalty: FeedSink<LoyaltyRecord>;
}

export function aTestIdentity(database: Database, over: { readonly sizeCap?: number } = {}): TestIdentity {
  const clock = testClock;
  const subjects = createSubjects({ database });
  const cipher = createSubjectCipher({ database, clock, keyEncryptionKey: new Uint8Array(32).fill(3) });
  const matchKeys = createMatchKeys(new Uint8Array(32).fill(5));
  const writer = createProfileWriter({
    subjects,
    cipher,
    matchKeys,
    clock,
    country: 'GB',
    keepsSnapshot: (profile) => profile.kind !== 'PROFILE',
    ...over,
  });
  return {
    tables: database.as<IdentityTables>(),
    subjects,
    cipher,
    matchKeys,
    writer,
    profiles: createProfileSink({ database, clock, writer }),
    loyalty: createLoyaltySink({ database, clock, writer, subjects, matchKeys, country: 'GB' }),
  };
}
