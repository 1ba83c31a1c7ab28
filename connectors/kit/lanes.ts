import type { BreakerState, OperationClass } from '#schema/model/sources.ts';

import { createBreaker } from './breaker.ts';
import type { Breaker } from './breaker.ts';
import { createGate } from './gate.ts';
import type { Gate } from './gate.ts';

/** Turns and rests of one system, apart for each class: feeds and writes cannot crowd out reads, and their failures cannot rest them. */
export interface Lanes {
  readonly enter: (operationClass: OperationClass, signal: AbortSignal) => Promise<() => void>;
  readonly breakerOf: (operationClass: OperationClass) => Breaker;
  /** Where each class's breaker stands now. */
  readonly breakers: () => Readonly<Record<OperationClass, BreakerState>>;
}

/** The most of the calls at once that feeds may take; one at least. */
const FEED_SHARE = 0.3;
/** The same of writes: with feeds they leave reads a fifth where all of them hang. */
const WRITE_SHARE = 0.5;
/** Ten lists of 200 keys of a vendor that answers one key a call; who waits longer than its deadline leaves anyway. */
const MOST_WAITING = 2_000;

export function createLanes(concurrency: number, random: () => number): Lanes {
  const all = createGate(concurrency, MOST_WAITING);
  const share = (part: number): Gate => createGate(Math.max(1, Math.floor(concurrency * part)), MOST_WAITING);
  const gates = { feed: share(FEED_SHARE), write: share(WRITE_SHARE) };
  const breakers = { read: createBreaker(random), feed: createBreaker(random), write: createBreaker(random) };
  return {
    enter: (operationClass, signal) =>
      operationClass === 'read' ? all.enter(signal) : enterBoth(gates[operationClass], all, signal),
    breakerOf: (operationClass) => breakers[operationClass],
    breakers: () => ({
      read: breakers.read.state(),
      feed: breakers.feed.state(),
      write: breakers.write.state(),
    }),
  };
}

async function enterBoth(outer: Gate, inner: Gate, signal: AbortSignal): Promise<() => void> {
  const leaveOuter = await outer.enter(signal);
  try {
    const leaveInner = await inner.enter(signal);
    return () => {
      leaveInner();
      leaveOuter();
    };
  } catch (error) {
    leaveOuter();
    throw error;
  }
}
