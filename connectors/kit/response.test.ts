import { expect, it } from 'vitest';

import { classify } from './response.ts';

const NOW_MS = Date.parse('2026-11-23T12:00:00.000Z');

it.each([
  ['2', 2_000],
  ['999999999', 300_000],
  ['Mon, 23 Nov 2026 12:00:10 GMT', 10_000],
  ['Fri, 23 Nov 2096 12:00:00 GMT', 300_000],
  ['Sun, 22 Nov 2026 12:00:00 GMT', 0],
  ['soon', undefined],
])('waits after Retry-After: %s as long as it says, and five minutes at most (%s ms)', (header, retryAfterMs) => {
  const error = classify({ status: 429, headers: { 'retry-after': header }, body: {} }, NOW_MS);
  expect(error).toMatchObject({ code: 'UPSTREAM_RATE_LIMITED' });
  expect(error?.retryAfterMs).toBe(retryAfterMs);
});
