import { createReadStream, type FSWatcher, unwatchFile, watch, watchFile } from 'node:fs';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';

import { MOST_SUPERGRAPH_CHARACTERS } from '#gateway/supported-supergraph.ts';
import type { Logger } from '#platform/log.ts';

export interface FileWatchOptions {
  /** Absolute. It need not be there all the time: editors and deployments put another in its place. */
  readonly file: string;
  /** Called with the text of the file whenever it changed and has come to rest. */
  readonly onText: (text: string) => void;
  readonly logger: Logger;
  /** How long a file must stay as it is to be taken as written, in milliseconds. @default 150 */
  readonly restMs?: number;
}

export interface FileWatch {
  /** Reads the file now and tells its text, changed or not. */
  readonly read: () => void;
  readonly close: () => void;
}

/** Network file systems and some mounts send no events: they are looked at this often. */
const POLL_MS = 2_000;

/**
 * Watches a file by its folder, so that one put in its place by renaming (editors, symbolic links of Kubernetes) is seen,
 * and by its times as well. A file is read until two readings agree: half a file is not taken for a whole.
 */
export function watchText({ file, onText, logger, restMs = 150 }: FileWatchOptions): FileWatch {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let told: string | null = null;
  let tellAnyway = false;

  const settle = async (before: string | null): Promise<void> => {
    const found = await readOrNull(file, logger);
    if (closed) return;
    if (found === null || found !== before) {
      // Gone for a moment, or still being written. Once it is back there is another event, or the next look.
      if (found !== null) schedule(found);
      return;
    }
    if (found === told && !tellAnyway) return;
    told = found;
    tellAnyway = false;
    onText(found);
  };
  const schedule = (before: string | null): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void settle(before), before === null ? 0 : restMs);
  };
  const look = (): void => schedule(null);
  const folder = watchFolder(dirname(file), look, logger);
  watchFile(file, { interval: POLL_MS, persistent: false }, look);
  // What is served now was read before: a change in between is seen at once.
  look();
  return {
    read: () => {
      tellAnyway = true;
      look();
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
      folder?.close();
      unwatchFile(file, look);
    },
  };
}

function watchFolder(folder: string, look: () => void, logger: Logger): FSWatcher | null {
  try {
    const watcher = watch(folder, { persistent: false }, look);
    watcher.on('error', (error) => logger.warn({ err: error }, 'the folder of the supergraph is no longer watched'));
    return watcher;
  } catch (error) {
    logger.warn(
      { err: error },
      'the folder of the supergraph cannot be watched; its file is looked at every 2 seconds',
    );
    return null;
  }
}

/** More is not read: whoever gets the text sees that it is too large. */
const MOST_BYTES = 4 * MOST_SUPERGRAPH_CHARACTERS;

async function readOrNull(file: string, logger: Logger): Promise<string | null> {
  try {
    return await text(createReadStream(file, { end: MOST_BYTES }));
  } catch (error) {
    logger.debug({ err: error }, 'the file of the supergraph cannot be read at the moment');
  }
  return null;
}
