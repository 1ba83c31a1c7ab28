import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

import { discoverIssuer } from '#gateway/auth/issuer-keys.ts';
import type { Config } from '#gateway/config-schema.ts';
import { STATE_MIGRATIONS } from '#gateway/state.ts';
import type { Database } from '#platform/database.ts';
import { MortarError } from '#platform/errors.ts';
import { assertSameKeys } from '#platform/key-check.ts';
import { type Keys, loadKeys } from '#platform/keys.ts';
import { openDatabase } from '#platform/open-database.ts';
import { createRedisDoor } from '#platform/redis.ts';
import { type DoctorFinding, findingsAbout } from './finding.ts';

const TIMEOUT_MS = 3_000;
/** Tokens live minutes: a clock that far off refuses good ones or lets expired ones in. */
const SKEW_MS = 30_000;
const jwks = z.object({ keys: z.array(z.object({ kty: z.string(), kid: z.string().optional() })) });

/** Whether tokens can be verified: the issuer answers for itself, has keys, and its clock is ours. */
export async function checkIssuer({ issuer }: Config, nowMs: () => number): Promise<readonly DoctorFinding[]> {
  const { ok, warning, error } = findingsAbout('issuer');
  const todo = 'Check issuer.url, and that this machine reaches it: without its keys every request is refused.';
  try {
    const { jwks_uri: url } = await discoverIssuer(issuer.url);
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
    const found = jwks.safeParse(response.ok ? await response.json() : null);
    if (!found.success) return [error(`${issuer.url} names keys that cannot be read (${response.status})`, todo)];
    const usable = found.data.keys.filter(({ kty }) => kty !== 'oct').length;
    if (usable === 0) return [error(`${issuer.url} has no public key`, 'Give the issuer an asymmetric signing key.')];
    const aheadMs = Date.parse(response.headers.get('date') ?? '') - nowMs();
    const reached = ok(`${issuer.url} answers and has ${usable} public keys`);
    if (!(Math.abs(aheadMs) > SKEW_MS)) return [reached];
    return [
      reached,
      warning(
        `its clock is ${secondsOf(aheadMs)} of ours`,
        'Synchronize the clocks (NTP): tokens are refused early or late.',
      ),
    ];
  } catch (thrown) {
    return [
      error(thrown instanceof MortarError ? thrown.message : `${issuer.url} has keys that cannot be reached`, todo),
    ];
  }
}

/** `12 s ahead` or `12 s behind`. */
export function secondsOf(aheadMs: number): string {
  return `${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs < 0 ? 'behind' : 'ahead'}`;
}

/** The process's keys; null where they are missing, unreadable, or not made yet. Makes none. */
function checkKeyVariables(config: Config): {
  readonly keys: Keys | null;
  readonly findings: readonly DoctorFinding[];
} {
  const { ok, error } = findingsAbout('keys');
  const file = join(dirname(config.databaseFile), 'keys', 'root.key');
  const isGenerated = !config.production && existsSync(file);
  const isGiven = Object.values(config.keyVariables).some((value) => value !== undefined && value !== '');
  if (!isGenerated && !isGiven && !config.production) {
    return { keys: null, findings: [ok('no key is set: one is made and kept at the first start')] };
  }
  try {
    const keys = loadKeys({ variables: config.keyVariables, rootKeyFile: isGenerated ? file : null });
    return { keys, findings: [ok(isGiven ? 'keys are set' : `keys come from ${file}`)] };
  } catch (thrown) {
    if (!(thrown instanceof MortarError)) throw thrown;
    return { keys: null, findings: [error(thrown.message, 'Set the keys as docs/configuration.md says.')] };
  }
}

/** The stored state as far as it can be looked at without changing it; null: there is none, or it cannot be read. */
export async function openStateToLook(
  config: Config,
): Promise<{ readonly database: Database | null; readonly findings: readonly DoctorFinding[] }> {
  const { ok, warning, error } = findingsAbout('database');
  const checked = checkKeyVariables(config);
  const { databaseUrl, databaseFile } = config;
  if (databaseUrl === null && !existsSync(databaseFile)) {
    const empty = ok(`${databaseFile} is made at the first start: nothing is loaded yet`);
    return { database: null, findings: [...checked.findings, empty] };
  }
  const location =
    databaseUrl === null
      ? { kind: 'sqlite' as const, file: databaseFile }
      : { kind: 'postgres' as const, url: databaseUrl };
  let database: Database | null = null;
  try {
    database = await openDatabase({ location, migrations: STATE_MIGRATIONS, migrate: false });
    if (checked.keys !== null) await assertSameKeys(database, checked.keys);
    const where = databaseUrl === null ? databaseFile : `PostgreSQL at ${new URL(databaseUrl).host}`;
    return { database, findings: [...checked.findings, ok(`${where} is this release's, under these keys`)] };
  } catch (thrown) {
    await database?.close();
    if (!(thrown instanceof MortarError)) throw thrown;
    const isYoung = thrown.message.includes('when it starts');
    const finding = isYoung
      ? warning(thrown.message, 'Start the gateway once, then run doctor again for lag and unmatched items.')
      : error(thrown.message, 'Correct DATABASE_URL or the keys.');
    return { database: null, findings: [...checked.findings, finding] };
  }
}

/** Whether Redis answers; without it the product works, but processes do not share caches and limits. */
export async function checkRedis({ redisUrl }: Config): Promise<readonly DoctorFinding[]> {
  const { ok, warning } = findingsAbout('redis');
  if (redisUrl === null) return [];
  const state = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => state.resolve(false), TIMEOUT_MS);
  const door = createRedisDoor({ url: redisUrl, onState: ({ up }) => state.resolve(up) });
  try {
    if (await state.promise) return [ok('Redis answers')];
    return [
      warning(
        'Redis does not answer: each process caches and counts the vendors’ limits for itself',
        'Check REDIS_URL; with several processes limits may be exceeded until it is back.',
      ),
    ];
  } finally {
    clearTimeout(timer);
    await door.close();
  }
}
