import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createBreaker } from './breaker.ts';
import type { Breaker, Sign } from './breaker.ts';
import { createLanes } from './lanes.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 }));
afterEach(() => void vi.useRealTimers());

/** What became of one call: its outcome, or that it was not made. */
const call = async (breaker: Breaker, sign: Sign): Promise<string> => {
  const ran = await breaker.run(
    () => Promise.resolve(sign),
    (outcome) => outcome,
  );
  return ran === null ? 'kept away' : ran.outcome;
};
const calls = async (breaker: Breaker, signs: readonly Sign[]): Promise<readonly string[]> => {
  const made: string[] = [];
  for (const sign of signs) made.push(await call(breaker, sign));
  return made;
};
const FIVE = Array.from({ length: 5 }, (): Sign => 'failing');

describe('a breaker', () => {
  it('opens after five failures in a row and lets one call through after half a second', async () => {
    const breaker = createBreaker(() => 0);
    expect(await calls(breaker, [...FIVE, 'alive'])).toEqual([...FIVE, 'kept away']);
    vi.advanceTimersByTime(499);
    expect(await call(breaker, 'alive')).toBe('kept away');
    vi.advanceTimersByTime(1);
    expect(await call(breaker, 'alive')).toBe('alive');
    expect(breaker.state()).toBe('CLOSED');
  });

  it('rests 0.5, 1, 2 and again 2 seconds while probes fail', async () => {
    const breaker = createBreaker(() => 0);
    await calls(breaker, FIVE);
    for (const restMs of [500, 1_000, 2_000, 2_000]) {
      vi.advanceTimersByTime(restMs - 1);
      expect([restMs, await call(breaker, 'alive')]).toEqual([restMs, 'kept away']);
      vi.advanceTimersByTime(1);
      expect(await call(breaker, 'failing')).toBe('failing');
    }
  });

  it('keeps everyone else away at once while its probe is under way', async () => {
    const breaker = createBreaker(() => 0);
    await calls(breaker, FIVE);
    vi.advanceTimersByTime(500);
    const answer = Promise.withResolvers<Sign>();
    const probe = breaker.run(
      () => answer.promise,
      (sign) => sign,
    );
    expect(breaker.state()).toBe('HALF_OPEN');
    expect(await call(breaker, 'alive')).toBe('kept away');
    answer.resolve('alive');
    expect(await probe).toEqual({ outcome: 'alive' });
    expect(await call(breaker, 'alive')).toBe('alive');
  });

  it('learns nothing from callers who left: they neither hide failures nor close it', async () => {
    const breaker = createBreaker(() => 0);
    const leaving = FIVE.flatMap((sign): readonly Sign[] => [sign, 'none']);
    expect(await calls(breaker, leaving)).toEqual([...leaving.slice(0, 9), 'kept away']);
    vi.advanceTimersByTime(500);
    expect(await call(breaker, 'none')).toBe('none');
    expect(await call(breaker, 'alive')).toBe('kept away');
  });

  it('opens when half of many calls fail, though never five in a row', async () => {
    const breaker = createBreaker(() => 0);
    const made: string[] = [];
    for (let index = 0; index < 40; index += 1) {
      made.push(await call(breaker, index % 3 === 0 ? 'alive' : 'failing'));
      vi.advanceTimersByTime(50);
    }
    expect(made.slice(0, 19)).not.toContain('kept away');
    expect(made).toContain('kept away');
  });
});

describe('lanes', () => {
  it('give feeds three tenths of the calls at once and writes a half, so that reads have room', async () => {
    const lanes = createLanes(10, () => 0);
    const { signal } = new AbortController();
    const entered: string[] = [];
    for (const name of ['feed', 'write', 'read'] as const) {
      for (let index = 0; index < 10; index += 1) void lanes.enter(name, signal).then(() => entered.push(name));
      await new Promise(setImmediate);
    }
    const counts = ['feed', 'write', 'read'].map((name) => entered.filter((other) => other === name).length);
    expect(counts).toEqual([3, 5, 2]);
  });

  it('rest one class without the other', async () => {
    const lanes = createLanes(4, () => 0);
    await calls(lanes.breakerOf('feed'), FIVE);
    expect(await call(lanes.breakerOf('feed'), 'alive')).toBe('kept away');
    expect(await call(lanes.breakerOf('read'), 'alive')).toBe('alive');
    expect(lanes.breakers()).toEqual({ read: 'CLOSED', feed: 'OPEN', write: 'CLOSED' });
  });
});
