import { expect, it } from 'vitest';

import type { SystemHealth } from '#schema/model/sources.ts';
import { createVitals } from './health.ts';

const CLOSED: SystemHealth['breakers'] = { read: 'CLOSED', feed: 'CLOSED', write: 'CLOSED' };

function aSystem() {
  let nowMs = 1_700_000_000_000;
  const vitals = createVitals({ nowMs: () => nowMs });
  return { ...vitals, pass: (ms: number) => void (nowMs += ms) };
}

it('is up before the first call', () => {
  expect(aSystem().health(CLOSED)).toEqual({ state: 'UP', readsFail: false, lastErrorCode: null, clockAheadMs: null });
});

it('is degraded, not down, while feeds fail and rest beside reads that go well', () => {
  const system = aSystem();
  system.succeeded('read');
  system.failed('feed', 'UPSTREAM_TIMEOUT');
  expect(system.health({ ...CLOSED, feed: 'OPEN' })).toMatchObject({
    state: 'DEGRADED',
    lastErrorCode: 'UPSTREAM_TIMEOUT',
  });
});

it('is down when reads and feeds all failed', () => {
  const system = aSystem();
  system.failed('read', 'UPSTREAM_UNAVAILABLE');
  system.failed('feed', 'UPSTREAM_TIMEOUT');
  expect(system.health(CLOSED).state).toBe('DOWN');
});

it('is down while the only class that is asked rests, whatever went well before', () => {
  const system = aSystem();
  system.succeeded('read');
  system.failed('read', 'UPSTREAM_UNAVAILABLE');
  expect(system.health(CLOSED).state).toBe('DEGRADED');
  expect(system.health({ ...CLOSED, read: 'OPEN' }).state).toBe('DOWN');
});

it('forgets after a minute', () => {
  const system = aSystem();
  system.failed('read', 'UPSTREAM_UNAVAILABLE');
  system.pass(61_000);
  expect(system.health(CLOSED)).toEqual({ state: 'UP', readsFail: false, lastErrorCode: null, clockAheadMs: null });
});

it('knows how far the system’s clock is ahead, by its answers', () => {
  const system = aSystem();
  system.dated('no date');
  expect(system.health(CLOSED).clockAheadMs).toBeNull();
  system.dated('Tue, 14 Nov 2023 22:14:20 GMT');
  expect(system.health(CLOSED).clockAheadMs).toBe(60_000);
});

it('says when every read failed, whatever feeds and writes do', () => {
  const system = aSystem();
  system.succeeded('feed');
  system.failed('read', 'UPSTREAM_UNAVAILABLE');
  expect(system.health(CLOSED)).toMatchObject({ state: 'DEGRADED', readsFail: true });
  system.succeeded('read');
  expect(system.health(CLOSED)).toMatchObject({ state: 'DEGRADED', readsFail: false });
});

it('does not count an answer that cannot be read as one that went well', () => {
  const system = aSystem();
  for (const _ of [1, 2, 3]) {
    system.succeeded('read');
    system.misread('read');
  }
  expect(system.health(CLOSED)).toMatchObject({
    state: 'DOWN',
    readsFail: true,
    lastErrorCode: 'UPSTREAM_CONTRACT',
  });
});
