/** A figure as an answer shows it. */
export interface ShownFigure {
  readonly value: number;
  readonly provenance: { readonly stale: boolean; readonly degraded: boolean };
}

export interface Verdict {
  readonly reads: number;
  readonly errors: number;
  /** What the first error said; null: there was none. */
  readonly firstError: string | null;
  readonly flagged: number;
  /** Values that were true no more when they were asked for, shown as if they were. */
  readonly unflagged: number;
  /** From `restored` to the start of the first request from which on every answer was true and unflagged; null: never. */
  readonly freshAfterMs: number | null;
}

/** Holds what answers show against what was so, by the clock of one process. */
export interface FigureJudge {
  /** The figure changes while `apply` runs: both values are true meanwhile. */
  readonly change: (value: number, apply: () => Promise<void>) => Promise<void>;
  readonly answered: (startedAtMs: number, figure: ShownFigure) => void;
  readonly failed: (startedAtMs: number, why: string) => void;
  /** The system can be reached again from now on. */
  readonly restored: () => void;
  readonly verdict: () => Verdict;
}

interface Truth {
  readonly value: number;
  /** Until when it was true; infinite: still. */
  untilMs: number;
}

interface Shown {
  readonly startedAtMs: number;
  readonly isGood: boolean;
}

export function createFigureJudge(first: number): FigureJudge {
  const truths: Truth[] = [{ value: first, untilMs: Number.POSITIVE_INFINITY }];
  const shown: Shown[] = [];
  const counts = { errors: 0, flagged: 0, unflagged: 0 };
  let firstError: string | null = null;
  let restoredAtMs = Number.POSITIVE_INFINITY;
  const wasTrue = ({ value }: ShownFigure, startedAtMs: number): boolean =>
    truths.some((truth) => truth.value === value && truth.untilMs >= startedAtMs);
  return {
    change: async (value, apply) => {
      const before = truths.at(-1);
      truths.push({ value, untilMs: Number.POSITIVE_INFINITY });
      await apply();
      if (before !== undefined) before.untilMs = performance.now();
    },
    answered: (startedAtMs, figure) => {
      const isFlagged = figure.provenance.stale || figure.provenance.degraded;
      const isTrue = wasTrue(figure, startedAtMs);
      if (isFlagged) counts.flagged += 1;
      else if (!isTrue) counts.unflagged += 1;
      shown.push({ startedAtMs, isGood: isTrue && !isFlagged });
    },
    failed: (startedAtMs, why) => {
      counts.errors += 1;
      firstError ??= why;
      shown.push({ startedAtMs, isGood: false });
    },
    restored: () => {
      restoredAtMs = performance.now();
    },
    verdict: () => {
      const after = shown
        .filter(({ startedAtMs }) => startedAtMs >= restoredAtMs)
        .toSorted((a, b) => a.startedAtMs - b.startedAtMs);
      const goodFrom = after[after.findLastIndex(({ isGood }) => !isGood) + 1];
      const freshAfterMs = goodFrom === undefined ? null : goodFrom.startedAtMs - restoredAtMs;
      return { reads: shown.length, ...counts, firstError, freshAfterMs };
    },
  };
}
