/** Retries are at most a tenth of the calls, and three at any time: a dead system must not be asked twice as often. */
const SHARE = 0.1;
const RESERVE = 3;
/** A long good time earns no more than this. */
const MOST = RESERVE + 100;

/** What one system's calls may be repeated for: failures, 429 and refused tokens alike. */
export interface RetryCredit {
  /** A call begins. */
  readonly earn: () => void;
  readonly isEnough: () => boolean;
  readonly spend: () => void;
}

export function createRetryCredit(): RetryCredit {
  let credit = RESERVE;
  return {
    earn: () => {
      credit = Math.min(MOST, credit + SHARE);
    },
    isEnough: () => credit >= 1,
    spend: () => {
      credit -= 1;
    },
  };
}
