import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  IterableBackoff,
  SamplingBreaker,
  circuitBreaker,
  handleWhenResult,
} from 'cockatiel';
import type { IBreaker } from 'cockatiel';

import type { BreakerState } from '#schema/model/sources.ts';

// The only door to cockatiel 4.0.0. Two habits of it are kept from callers: while a probe runs, its breaker lets everyone
// else wait for the probe (we refuse them at once); and a call that threw counts as a success of the probe (ours never
// throws, but says what it was). Its bulkhead keeps callers that left in the line, so the line is gate.ts.

/** What a finished call says of the system: nothing at all when the caller left before the system could answer. */
export type Sign = 'alive' | 'failing' | 'none';

export interface Breaker {
  /** Runs the call, or does not when the system rests. The call must not throw. */
  readonly run: <T>(call: () => Promise<T>, signOf: (outcome: T) => Sign) => Promise<{ readonly outcome: T } | null>;
  readonly state: () => BreakerState;
}

const OPEN_AFTER_FAILURES = 5;
/** Half of at least 20 calls in 10 s. */
const SAMPLING = { threshold: 0.5, duration: 10_000, minimumRps: 2 };
/** Short, so that a system that is back is found within seconds. */
const RESTS_MS = [500, 1_000, 2_000];

/**
 * Opens after five failures in a row, or when half of twenty or more calls in ten seconds failed; then lets one call
 * through after 0.5, 1 and 2 s. `random` spreads the probes of several processes by a tenth.
 */
export function createBreaker(random: () => number): Breaker {
  const rests = RESTS_MS.map((ms) => Math.round(ms * (1 - random() * 0.1)));
  // Outcomes travel beside their sign: the policy sees signs only.
  const policy = circuitBreaker(
    handleWhenResult((sign) => sign === 'failing'),
    {
      halfOpenAfter: new IterableBackoff(rests),
      breaker: eitherOf(new ConsecutiveBreaker(OPEN_AFTER_FAILURES), new SamplingBreaker(SAMPLING)),
    },
  );
  return {
    run: async <T>(call: () => Promise<T>, signOf: (outcome: T) => Sign) => {
      if (policy.state === CircuitState.HalfOpen) return null;
      let done: { readonly outcome: T } | null = null;
      try {
        await policy.execute(async () => {
          const outcome = await call();
          done = { outcome };
          const sign = signOf(outcome);
          if (sign !== 'none') return sign;
          // A probe nobody waited for proves nothing: the system rests on. Otherwise it is not counted.
          if (policy.state === CircuitState.HalfOpen) return 'failing';
          throw new NoSign();
        });
      } catch (error) {
        if (!(error instanceof BrokenCircuitError || error instanceof NoSign)) throw error;
      }
      return done;
    },
    state: () => {
      if (policy.state === CircuitState.Closed) return 'CLOSED';
      return policy.state === CircuitState.HalfOpen ? 'HALF_OPEN' : 'OPEN';
    },
  };
}

class NoSign extends Error {}

/** Opens when one of both would; both hear of every call. */
function eitherOf(first: IBreaker, second: IBreaker): IBreaker {
  return {
    state: null,
    success: (state) => {
      first.success(state);
      second.success(state);
    },
    failure: (state) => {
      const opens = [first.failure(state), second.failure(state)];
      return opens.includes(true);
    },
  };
}
