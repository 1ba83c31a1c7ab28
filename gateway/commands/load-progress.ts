import { formatProgress } from './summary.ts';
import type { LoadProgress } from '#gateway/graph.ts';

export interface ProgressOutput {
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
}

/** One updating line on a terminal, a plain line at each finished feed elsewhere. Call `update` as often as you like. */
export function createProgressPrinter({ isTerminal, write }: ProgressOutput) {
  let finishedBefore = -1;
  let over = false;
  const update = (progress: LoadProgress): void => {
    if (over) return;
    const finished = progress.feeds.filter((feed) => feed.done).length;
    over = progress.done;
    if (isTerminal) write(`\r\u001B[2K${formatProgress(progress)}${progress.done ? '\n' : ''}`);
    else if (finished !== finishedBefore || progress.done) write(`${formatProgress(progress)}\n`);
    finishedBefore = finished;
  };
  return { update, isOver: () => over };
}
