import { constants } from 'node:fs';
import { access } from 'node:fs/promises';

import type { Config } from './config-schema.ts';
import { importDecisionsOnce, type State } from './state.ts';
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
  /** Settles when the import has ended, however. Never rejects. */
  readonly ended: Promise<void>;
}

const NOT_YET: ConsentDecider = { decide: async () => ({ allowed: false, reason: 'LEDGER_UNAVAILABLE' }) };

/**
 * Imports the configured files of past decisions in the background.
 * @throws {MortarError} CONFIGURATION_INVALID when a file cannot be read
 */
export async function importPastDecisions(
  state: State,
  { config, clock, logger }: { readonly config: Config; readonly clock: Clock; readonly logger: Logger },
): Promise<PastDecisions> {
  const files = config.imports.consents;
  await Promise.all(files.map(assertReadable));
  let imported = false;

  async function importAll(): Promise<void> {
    for (const file of files) {
      const report = await importDecisionsOnce(state, { config, file, clock });
      if (report === null) continue;
      const { read, recorded, known, refused } = report;
      logger.info({ file, read, recorded, known, refused }, 'past decisions imported');
    }
    imported = true;
  }

  return {
    areImported: () => imported,
    guard: (deciders) => ({ forFetch: (request) => (imported ? deciders.forFetch(request) : NOT_YET) }),
    ended: importAll().catch((error: unknown) =>
      logger.error({ err: error }, 'past decisions could not be imported: personal fields stay closed'),
    ),
  };
}

async function assertReadable(file: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch (error) {
    throw new MortarError('CONFIGURATION_INVALID', {
      message: `imports.consents names ${file}, which cannot be read: correct the path or take it out of the list`,
      cause: error,
    });
  }
}
