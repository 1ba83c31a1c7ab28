import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { createEventPump } from './event-pump.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const WINDOW_MS = 100;
const SPREAD_MS = 1_000;

/** A pump whose events take `takesMs`, and the events it ran. */
function aPump(takesMs: number) {
  const events: (readonly string[] | null)[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;
  const pump = createEventPump({
    windowMs: WINDOW_MS,
    spreadMs: SPREAD_MS,
    random: () => 0.5,
    run: async (keys) => {
      events.push(keys);
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      if (takesMs > 0)
        await new Promise((resolve) => {
          setTimeout(resolve, takesMs);
        });
      atOnce -= 1;
    },
  });
  return { pump, events, mostAtOnce: () => mostAtOnce };
}

test('the first event runs at once over all keys; what changes before it is part of it', async () => {
  const { pump, events } = aPump(0);
  pump.notify(['a']);
  expect(events).toEqual([]);
  pump.start();
  pump.start();
  await vi.advanceTimersByTimeAsync(WINDOW_MS);
  expect(events[0]).toBeNull();
});

test('changes of one window are one event, later ones the next', async () => {
  const { pump, events } = aPump(0);
  pump.start();
  await vi.advanceTimersByTimeAsync(0);
  pump.notify(['a']);
  pump.notify(['b', 'a']);
  await vi.advanceTimersByTimeAsync(WINDOW_MS - 1);
  expect(events).toEqual([null]);
  await vi.advanceTimersByTimeAsync(1);
  pump.notify(['c']);
  await vi.advanceTimersByTimeAsync(WINDOW_MS);
  expect(events).toEqual([null, ['a', 'b'], ['c']]);
});

test('what may have been missed is looked at later by a share of the spread, so that not all look at once', async () => {
  const { pump, events } = aPump(0);
  pump.start();
  await vi.advanceTimersByTimeAsync(0);
  pump.notify(null);
  await vi.advanceTimersByTimeAsync(WINDOW_MS + SPREAD_MS / 2 - 1);
  expect(events).toEqual([null]);
  await vi.advanceTimersByTimeAsync(1);
  expect(events).toEqual([null, null]);
});

test('a stopped pump runs nothing more, and holds no timer', async () => {
  const { pump, events } = aPump(0);
  pump.start();
  await vi.advanceTimersByTimeAsync(0);
  pump.notify(['a']);
  pump.stop();
  pump.notify(['b']);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([events, vi.getTimerCount()]).toEqual([[null], 0]);
});

test('whatever comes however fast to a client however slow: one event at a time, no change is lost, none waits twice', async () => {
  const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', null), waitMs: fc.integer({ min: 0, max: 150 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 400 }), async (steps, takesMs) => {
      const { pump, events, mostAtOnce } = aPump(takesMs);
      const seenAfter = new Map<string | null, number>();
      pump.start();
      for (const { key, waitMs } of steps) {
        pump.notify(key === null ? null : [key]);
        seenAfter.set(key, events.length);
        await vi.advanceTimersByTimeAsync(waitMs);
      }
      await vi.advanceTimersByTimeAsync(10_000);
      expect(mostAtOnce()).toBeLessThanOrEqual(1);
      expect(events.length).toBeLessThanOrEqual(steps.length + 1);
      for (const [key, before] of seenAfter) {
        const later = events.slice(before);
        expect(later.some((keys) => keys === null || (key !== null && keys.includes(key)))).toBe(true);
      }
      for (const keys of events) expect(new Set(keys).size).toBe(keys?.length ?? 0);
    }),
    { numRuns: 60 },
  );
});
