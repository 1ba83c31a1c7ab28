import { fileURLToPath } from 'node:url';

import type { GraphSwap } from '#gateway/swap/graph-swap.ts';
import { watchText } from '#gateway/swap/watch-file.ts';
import type { Logger } from '#platform/log.ts';

/** Offers the file's text whenever it changes, and when SIGHUP asks for it; answers how to stop. */
export function followSupergraph(
  file: URL,
  { supergraph }: { readonly supergraph: Pick<GraphSwap, 'offer'> },
  logger: Logger,
): () => void {
  const watched = watchText({
    file: fileURLToPath(file),
    // Whatever comes of it is told by the swap itself.
    onText: (text) => void supergraph.offer(text),
    logger,
  });
  process.on('SIGHUP', watched.read);
  return () => {
    process.off('SIGHUP', watched.read);
    watched.close();
  };
}
