import type { Config } from './config-schema.ts';
import type { FeedShare } from './feed-share.ts';
import type { FeedStates } from './feed-states.ts';
import { digestOf, importDecisionsOnce, importEntry, isImported, type State } from './state.ts';
import type { Clock } from '#platform/clock.ts';
import { MortarError } from '#platform/errors.ts';
import type { Logger } from '#platform/log.ts';
import type { ConsentDecider, ConsentDeciders } from '#schema/model/consent.ts';

export interface PastDecisions {
  readonly areImported: () => boolean;
  /**
   * Deciders that refuse everything until the import is done: a grant whose withdrawal comes later in the file must not
   * open anything meanwhile.
   */
  readonly guard: (deciders: ConsentDeciders) => ConsentDeciders;
}

const NOT_YET: ConsentDecider = { decide: async () => ({ allowed: false, reason: 'LEDGER_UNAVAILABLE' }) };

export interface PastDecisionsOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly states: FeedStates;
  /** Null: another process imports them. */
  readonly share: FeedShare | null;
  /** Told once they are in the ledger: fields of anybody may open or close now. */
  readonly onImported?: () => void;
}

/** Held by the process that imports: two at once would do everything twice. */
const IMPORT = { system: 'import', feed: 'past decisions' } as const;

/**
 * Imports the configured files of past decisions in the background, or watches another process do so.
 * @throws {MortarError} CONFIGURATION_INVALID when a file to import cannot be read
 */
export async function importPastDecisions(state: State, options: PastDecisionsOptions): Promise<PastDecisions> {
  const { config, clock, logger, states, share } = options;
  const files = config.imports.consents;
  const digests = share === null ? null : new Map(await Promise.all(files.map(readDigest)));
  let imported = files.length === 0;

  async function importAll(): Promise<void> {
    for (const [file, digest] of digests ?? []) {
      const report = await importDecisionsOnce(state, { config, file, digest, clock });
      if (report === null) continue;
      const { read, recorded, known, refused } = report;
      logger.info({ file, read, recorded, known, refused }, 'past decisions imported');
    }
    imported = true;
    options.onImported?.();
  }
  if (files.length > 0) {
    share?.add(IMPORT, async () =>
      importAll().catch((error: unknown) =>
        logger.error({ err: error }, 'past decisions could not be imported: personal fields stay closed'),
      ),
    );
  }
  const isStored = (file: string): boolean => {
    const cursor = states.find(importEntry(file))?.cursor ?? null;
    const digest = digests?.get(file);
    // Who does not import need not have the files: it believes whoever does.
    return digest === undefined ? cursor !== null : isImported(cursor, { digest, sandbox: config.sandbox });
  };
  const areImported = (): boolean => imported || files.every(isStored);
  return {
    areImported,
    guard: (deciders) => ({ forFetch: (request) => (areImported() ? deciders.forFetch(request) : NOT_YET) }),
  };
}

async function readDigest(file: string): Promise<readonly [file: string, digest: string]> {
  try {
    return [file, await digestOf(file)];
  } catch (error) {
    throw new MortarError('CONFIGURATION_INVALID', {
      message: `imports.consents names ${file}, which cannot be read: correct the path or take it out of the list`,
      cause: error,
    });
  }
}
